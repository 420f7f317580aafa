-- Which products are bought together, more than their popularity explains, in the last 91 days?
-- Tickets are compared with tickets of the same format and number of products: large baskets hold
-- any two products more often. Expected: tickets with a x tickets with b / tickets, in each class;
-- z = (observed - expected) / sqrt(variance), both summed over the classes. support = share of all
-- tickets with both; confidence = share of a's tickets that hold b; lift = observed / expected.
-- Reads retail.fact_ventas. The 20 pairs with the highest z, the smaller producto_id first.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

lineas as (

    select distinct
        ventas.ticket_id,
        ventas.producto_id,
        tiendas.formato
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 91
        and ventas.fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)

),

canastas as (

    select
        ticket_id,
        producto_id,
        formato,
        least(count(*) over (partition by ticket_id), 15) as tamano
    from lineas

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

pares as (

    select
        a.formato,
        a.tamano,
        a.producto_id as producto_a,
        b.producto_id as producto_b,
        count(*) as tickets
    from canastas as a
    inner join canastas as b on a.ticket_id = b.ticket_id and a.producto_id < b.producto_id
    group by a.formato, a.tamano, a.producto_id, b.producto_id

),

esperados as (

    select
        a.producto_id as producto_a,
        b.producto_id as producto_b,
        sum(pares.tickets) as observados,
        sum(a.tickets) as tickets_a,
        sum(a.tickets * b.tickets / clases.tickets) as esperados,
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
    left join pares
        on
            a.formato = pares.formato
            and a.tamano = pares.tamano
            and a.producto_id = pares.producto_a
            and b.producto_id = pares.producto_b
    where clases.tamano > 1
    group by a.producto_id, b.producto_id

)

select
    productos_a.nombre_producto as nombre_a,
    productos_b.nombre_producto as nombre_b,
    esperados.observados as tickets,
    round(esperados.observados / (select sum(clases.tickets) from clases), 6) as soporte,
    round(esperados.observados / esperados.tickets_a, 4) as confianza,
    round(esperados.observados / esperados.esperados, 2) as lift,
    round((esperados.observados - esperados.esperados) / sqrt(esperados.varianza), 1) as z,
    esperados.producto_a,
    esperados.producto_b
from esperados
inner join
    {{ ref('dim_producto') }} as productos_a
    on esperados.producto_a = productos_a.producto_id
inner join
    {{ ref('dim_producto') }} as productos_b
    on esperados.producto_b = productos_b.producto_id
where esperados.varianza > 0 and esperados.observados >= 5
order by z desc, esperados.producto_a, esperados.producto_b
limit 20
