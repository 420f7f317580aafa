-- Which products are bought together, more than their popularity explains, in the last 91 days?
-- Tickets are compared with tickets of the same format and number of products: large baskets hold
-- any two products more often. Expected: tickets with a x tickets with b / tickets, in each class;
-- z = (observed - expected) / sqrt(variance), both summed over the classes. support = share of all
-- tickets with both; confidence = share of a's tickets that hold b; lift = observed / expected.
-- Reads retail.fact_ventas. The 20 pairs with the highest z, the smaller producto_id first.

with

corte as (

    select fecha_corte from {{ ref('corte') }}

),

canastas as (
    {{ baskets(91) }}
),

clases as (

    select
        formato,
        tamano,
        count(distinct ticket_id)::numeric as tickets
    from canastas
    group by formato, tamano

),

por_producto as (

    select
        formato,
        tamano,
        producto_id,
        count(*)::numeric as tickets
    from canastas
    group by formato, tamano, producto_id

),

observados as (

    select
        a.producto_id as producto_a,
        b.producto_id as producto_b,
        count(*) as tickets
    from canastas as a
    inner join canastas as b on a.ticket_id = b.ticket_id and a.producto_id < b.producto_id
    group by a.producto_id, b.producto_id
    having count(*) >= 5

),

esperados as (

    select
        a.producto_id as producto_a,
        b.producto_id as producto_b,
        sum(a.tickets) as tickets_a,
        sum(a.tickets * b.tickets / clases.tickets) as tickets,
        sum(
            a.tickets * b.tickets / clases.tickets
            * (1 - a.tickets / clases.tickets)
            * (1 - b.tickets / clases.tickets)
        ) as varianza
    from clases
    inner join por_producto as a on clases.formato = a.formato and clases.tamano = a.tamano
    inner join por_producto as b
        on
            a.formato = b.formato
            and a.tamano = b.tamano
            and a.producto_id < b.producto_id
    where clases.tamano > 1
    group by a.producto_id, b.producto_id

)

select
    productos_a.nombre_producto as nombre_a,
    productos_b.nombre_producto as nombre_b,
    observados.tickets,
    round(observados.tickets / (select sum(clases.tickets) from clases), 6) as soporte,
    round(observados.tickets / esperados.tickets_a, 4) as confianza,
    round(observados.tickets / esperados.tickets, 2) as lift,
    round((observados.tickets - esperados.tickets) / sqrt(esperados.varianza), 1) as z,
    observados.producto_a,
    observados.producto_b
from observados
inner join esperados
    on
        observados.producto_a = esperados.producto_a
        and observados.producto_b = esperados.producto_b
inner join
    {{ ref('dim_producto') }} as productos_a
    on observados.producto_a = productos_a.producto_id
inner join
    {{ ref('dim_producto') }} as productos_b
    on observados.producto_b = productos_b.producto_id
where esperados.varianza > 0
order by z desc, observados.producto_a, observados.producto_b
limit 20
