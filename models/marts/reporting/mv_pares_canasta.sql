{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[
        {'columns': ['formato', 'producto_a', 'producto_b'], 'unique': true},
        {'columns': ['formato', 'ranking']},
    ],
) }}

-- Grain: one row per format, with a 'Total', and pair of products (producto_a < producto_b) that 5
-- or more tickets of the 28 days up to the cut-off date hold both of.
-- Additive over formats: counts of tickets, esperados, varianza (but pairs below 5 have no row).
-- Tickets are compared with tickets of the same format and number of products (15 or more: one
-- class): large baskets hold any two products more often. Expected in a class: tickets with a x
-- tickets with b / tickets.
-- Reads 28 days of the fact whatever the length of the history: sums by month of all classes and
-- pairs would be as large as the fact (ADR 0062).

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

canastas as (
    {{ baskets(28) }}
),

clases as (

    select
        formato,
        tamano,
        count(distinct ticket_id)::float8 as tickets
    from canastas
    group by formato, tamano

),

por_producto as (

    select
        formato,
        tamano,
        producto_id,
        count(*)::float8 as tickets
    from canastas
    group by formato, tamano, producto_id

),

observados as (

    select
        coalesce(a.formato, 'Total') as formato,
        a.producto_id as producto_a,
        b.producto_id as producto_b,
        count(*) as tickets
    from canastas as a
    inner join canastas as b on a.ticket_id = b.ticket_id and a.producto_id < b.producto_id
    group by a.producto_id, b.producto_id, grouping sets ((a.formato), ())
    having count(*) >= 5

),

esperados as (

    select
        coalesce(clases.formato, 'Total') as formato,
        a.producto_id as producto_a,
        b.producto_id as producto_b,
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
    where clases.tamano > 1
    group by a.producto_id, b.producto_id, grouping sets ((clases.formato), ())

),

con_producto as (

    select
        coalesce(formato, 'Total') as formato,
        producto_id,
        sum(tickets) as tickets
    from por_producto
    group by producto_id, grouping sets ((formato), ())

),

con_formato as (

    select
        coalesce(formato, 'Total') as formato,
        sum(tickets) as tickets
    from clases
    group by grouping sets ((formato), ())

),

final as (
    {{ pair_columns() }}
)

select * from final
order by formato, producto_a, producto_b
