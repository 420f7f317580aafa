{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['periodo', 'desde', 'region', 'categoria'], 'unique': true}],
) }}

-- Grain: one row per period (periodo, desde), region and category, both with a 'Total': periods of
-- mv_kpi_periodos of which the data hold the year before too.
-- Additive over regions and categories: the two sales, cambio, and nothing else. A part of a total
-- is not the sum of its members' parts: what is mix of the total is volume of one of them.
-- volumen + mezcla + precio + nuevos + descontinuados + devuelto = cambio, to the cent. Goods by
-- weight are a group of their own, so kilograms are never added to pieces.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

dias as (

    select min(fecha) as primera from {{ ref('agg_ventas_dia_tienda') }}

),

periodos_elegidos as (

    {{ kpi_periods() }}

),

periodos as (

    select periodos.*
    from periodos_elegidos as periodos
    inner join dias on periodos.anterior_desde >= dias.primera
    where periodos.periodo not in ('dia', 'semana')

),

tramos as (

    select array_agg(distinct limites.fecha order by limites.fecha) as limites
    from periodos
    cross join
        lateral (
            values
            (periodos.desde), (periodos.hasta + 1),
            (periodos.anterior_desde), (periodos.anterior_hasta + 1)
        ) as limites (fecha)

),

por_tramo as (

    select
        width_bucket(ventas.fecha, tramos.limites) as tramo,
        ventas.region,
        ventas.producto_id,
        sum(ventas.unidades) as unidades,
        sum(ventas.ventas_sin_iva) as ventas_sin_iva,
        sum(ventas.devoluciones_sin_iva) as devoluciones_sin_iva
    from {{ ref('agg_ventas_dia_region_producto') }} as ventas
    inner join tramos on ventas.fecha >= tramos.limites[1]
    where ventas.fecha <= (select corte.fecha_corte from corte)
    group by width_bucket(ventas.fecha, tramos.limites), ventas.region, ventas.producto_id

),

-- Each period with the stretches that it and the period it compares with are made of.
partes as (

    select
        periodos.periodo,
        periodos.desde,
        limites.tramo,
        limites.fecha between periodos.desde and periodos.hasta as es_actual
    from periodos
    cross join tramos
    cross join lateral unnest(tramos.limites) with ordinality as limites (fecha, tramo)
    where
        limites.fecha between periodos.desde and periodos.hasta
        or limites.fecha between periodos.anterior_desde and periodos.anterior_hasta

),

por_producto as (

    select
        partes.periodo,
        partes.desde,
        coalesce(por_tramo.region, 'Total') as region,
        por_tramo.producto_id,
        coalesce(sum(por_tramo.unidades) filter (where partes.es_actual), 0) as u1,
        coalesce(sum(por_tramo.unidades) filter (where not partes.es_actual), 0) as u0,
        coalesce(sum(por_tramo.ventas_sin_iva) filter (where partes.es_actual), 0) as r1,
        coalesce(sum(por_tramo.ventas_sin_iva) filter (where not partes.es_actual), 0) as r0,
        coalesce(sum(por_tramo.devoluciones_sin_iva) filter (where partes.es_actual), 0) as d1,
        coalesce(sum(por_tramo.devoluciones_sin_iva) filter (where not partes.es_actual), 0) as d0
    from partes
    inner join por_tramo on partes.tramo = por_tramo.tramo
    group by
        partes.periodo, partes.desde, por_tramo.producto_id,
        grouping sets ((por_tramo.region), ())

),

efectos as (
    {{ bridge_effects('por_producto') }}
),

-- The difference of rounding goes to the largest part, the first of them if several are.
redondeados as (

    select
        *,
        ventas_netas - ventas_netas_anterior as cambio,
        ventas_netas - ventas_netas_anterior
        - volumen - mezcla - precio - nuevos - descontinuados - devuelto as redondeo,
        case greatest(
            abs(volumen), abs(mezcla), abs(precio),
            abs(nuevos), abs(descontinuados), abs(devuelto)
        )
            when abs(volumen) then 'volumen'
            when abs(mezcla) then 'mezcla'
            when abs(precio) then 'precio'
            when abs(nuevos) then 'nuevos'
            when abs(descontinuados) then 'descontinuados'
            else 'devuelto'
        end as mayor
    from efectos

),

final as (
    {{ bridge_columns('redondeados') }}
)

select * from final
order by periodo, desde, region, categoria
