-- Which products are bought together: the pairs with the highest lift in the last 30 days?
-- support = share of tickets with both; confidence = share of a's tickets that hold b; lift = how
-- many times more often than if they were bought independently. Tickets of one product are in the
-- denominator too. Reads retail.fact_ventas, its last 30 days. One row per pair, the smaller
-- producto_id first.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

canastas as (

    select distinct
        ticket_id,
        producto_id
    from {{ ref('fact_ventas') }}
    where
        fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 30
        and fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)

),

total as (

    select count(distinct ticket_id) as tickets from canastas

),

por_producto as (

    select
        producto_id,
        count(*) as tickets
    from canastas
    group by producto_id

),

pares as (

    select
        a.producto_id as producto_a,
        b.producto_id as producto_b,
        count(*) as tickets
    from canastas as a
    inner join canastas as b
        on
            a.ticket_id = b.ticket_id
            and a.producto_id < b.producto_id
    group by a.producto_id, b.producto_id

)

select
    productos_a.nombre_producto as nombre_a,
    productos_b.nombre_producto as nombre_b,
    pares.tickets,
    round(pares.tickets::numeric / total.tickets, 6) as soporte,
    round(pares.tickets::numeric / a.tickets, 4) as confianza,
    round(pares.tickets::numeric * total.tickets / (a.tickets * b.tickets), 2) as lift
from pares
cross join total
inner join por_producto as a on pares.producto_a = a.producto_id
inner join por_producto as b on pares.producto_b = b.producto_id
inner join {{ ref('dim_producto') }} as productos_a on pares.producto_a = productos_a.producto_id
inner join {{ ref('dim_producto') }} as productos_b on pares.producto_b = productos_b.producto_id
-- Rarer pairs have a high lift by chance.
where pares.tickets >= 5
order by lift desc, pares.producto_a, pares.producto_b
limit 20
