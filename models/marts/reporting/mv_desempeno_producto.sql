{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    on_dependants='rebuild',
    indexes=[
        {'columns': ['periodo', 'dimension', 'valor', 'producto_id'], 'unique': true},
    ],
) }}

-- Grain: one row per product, member of a dimension (all stores, a region) and period up to the
-- cut-off date.
-- Additive over the regions: sums and days; valor_inventario_medio too, which is a mean over days.
-- Not additive over periods, which overlap, nor classes and ratios.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

ventas as (

    select * from {{ ref('agg_ventas_dia_region_producto') }}
    where
        fecha > (select corte.fecha_corte from corte) - 364
        and fecha <= (select corte.fecha_corte from corte)

),

existencias as materialized (
    {{ stock_by_day() }}
),

primer_dia as (

    select min(fecha) as fecha from {{ ref('agg_ventas_dia_region_producto') }}

),

ventanas as (

    select
        'ultimos_' || largos.n as periodo,
        corte.fecha_corte - largos.n + 1 as desde,
        corte.fecha_corte as hasta,
        corte.fecha_corte - greatest(corte.fecha_corte - largos.n, primer_dia.fecha - 1) as dias
    from corte
    cross join primer_dia
    cross join unnest(array[28, 91, 364]) as largos (n)

),

-- A stock row of several days may begin before the window: the mean of the stock is that of the
-- days from `stock_desde` to `stock_hasta`.
periodos as (

    select
        ventanas.*,
        min(existencias.fecha - existencias.dias_periodo) + 1 as stock_desde,
        max(existencias.fecha) as stock_hasta
    from ventanas
    left join existencias on existencias.fecha between ventanas.desde and ventanas.hasta
    group by ventanas.periodo, ventanas.desde, ventanas.hasta, ventanas.dias

),

vendido as (

    select
        periodos.periodo,
        miembros.dimension,
        miembros.valor,
        ventas.producto_id,
        {{ sums_of_measures(tickets=false) }},
        coalesce(sum(ventas.total_ventas) filter (where ventas.es_promocion), 0) as ventas_promocion
    from ventas
    inner join periodos on ventas.fecha >= periodos.desde
    {{ scorecard_members('ventas') }}
    group by periodos.periodo, miembros.dimension, miembros.valor, ventas.producto_id

),

en_existencia as (

    select
        periodos.periodo,
        miembros.dimension,
        miembros.valor,
        existencias.producto_id,
        coalesce(
            sum(existencias.stock_inicial)
            filter (where existencias.fecha - existencias.dias_periodo + 1 = periodos.stock_desde),
            0
        ) as existencia_inicial,
        coalesce(
            sum(existencias.stock_final) filter (where existencias.fecha = periodos.stock_hasta), 0
        ) as existencia_final,
        sum(existencias.valor_por_dias)
        / (max(periodos.stock_hasta) - min(periodos.stock_desde) + 1) as valor_medio,
        {{ scorecard_stock_sums('existencias') }}
    from existencias
    inner join periodos on existencias.fecha >= periodos.desde
    {{ scorecard_members('existencias') }}
    group by periodos.periodo, miembros.dimension, miembros.valor, existencias.producto_id

),

clases as (
    {{ product_classes('vendido', 'existencias') }}
),

final as (

    select
        periodos.periodo,
        coalesce(vendido.dimension, en_existencia.dimension) as dimension,
        coalesce(vendido.valor, en_existencia.valor) as valor,
        coalesce(vendido.producto_id, en_existencia.producto_id) as producto_id,
        periodos.desde,
        periodos.hasta,
        periodos.dias,
        coalesce(clases.clase_abc, 'C') as clase_abc,
        clases.clase_xyz,
        clases.coeficiente_variacion,
        coalesce(clases.semanas_observadas, 0) as semanas_observadas,
        {{ scorecard_columns() }}
    from vendido
    full join en_existencia
        on
            vendido.periodo = en_existencia.periodo
            and vendido.dimension = en_existencia.dimension
            and vendido.valor = en_existencia.valor
            and vendido.producto_id = en_existencia.producto_id
    inner join periodos on coalesce(vendido.periodo, en_existencia.periodo) = periodos.periodo
    left join clases
        on
            coalesce(vendido.dimension, en_existencia.dimension) = clases.dimension
            and coalesce(vendido.valor, en_existencia.valor) = clases.valor
            and coalesce(vendido.producto_id, en_existencia.producto_id) = clases.producto_id

)

select * from final
order by periodo, dimension, valor, producto_id
