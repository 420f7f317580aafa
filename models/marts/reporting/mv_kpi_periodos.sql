{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[
        {'columns': ['dimension', 'valor', 'periodo', 'desde'], 'unique': true},
        {'columns': ['periodo', 'dimension', 'desde']},
    ],
) }}

-- Grain: one row per period (periodo, desde) and member of a dimension (dimension, valor) that was
-- open, sold or took back in it or a year before: the last periods of each kind up to the cut-off.
-- Additive over the members of a dimension: sums, except tiendas_mismas by category. Not additive
-- over periods, which overlap, nor ratios.
-- The days are added up once, between the limits of all periods (tramos), of which periods are
-- made.

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

    select
        periodos.*,
        periodos.desde >= dias.primera as esta_completo,
        periodos.anterior_desde >= dias.primera as tiene_anterior,
        (
            select min(calendario.fecha_comparable_evento) >= dias.primera
            from {{ ref('dim_calendario') }} as calendario
            where calendario.fecha between periodos.desde and periodos.hasta
        ) as tiene_evento
    from periodos_elegidos as periodos
    cross join dias

),

tramos as (

    select
        array_agg(distinct limites.fecha order by limites.fecha) as limites,
        min(periodos.desde) as desde
    from periodos
    cross join
        lateral (
            values
            (periodos.desde), (periodos.hasta + 1),
            (periodos.anterior_desde), (periodos.anterior_hasta + 1)
        ) as limites (fecha)

),

por_tramo as (
    {{ kpi_sums() }}
),

-- Each period with the stretches that it and the period it compares with are made of.
partes as (

    select
        periodos.*,
        limites.tramo,
        limites.fecha between periodos.desde and periodos.hasta as es_actual
    from periodos
    cross join tramos
    cross join lateral unnest(tramos.limites) with ordinality as limites (fecha, tramo)
    where
        limites.fecha between periodos.desde and periodos.hasta
        or limites.fecha between periodos.anterior_desde and periodos.anterior_hasta

),

por_periodo as (

    select
        partes.periodo,
        partes.desde,
        por_tramo.tienda_id,
        por_tramo.categoria,
        {{ kpi_sums_of_period() }}
    from partes
    inner join por_tramo on partes.tramo = por_tramo.tramo
    group by partes.periodo, partes.desde, por_tramo.tienda_id, por_tramo.categoria

),

por_miembro as (

    select
        por_periodo.periodo,
        por_periodo.desde,
        miembros.dimension,
        miembros.valor,
        {{ kpi_sums_of_members() }}
    from por_periodo
    left join {{ ref('dim_tienda') }} as tiendas on por_periodo.tienda_id = tiendas.tienda_id
    cross join
        lateral (
            values
            ('total', case when tiendas.tienda_id is not null then 'Total' end),
            ('cadena', tiendas.cadena),
            ('region', tiendas.region),
            ('formato', tiendas.formato),
            ('tienda', tiendas.tienda_id::text),
            ('categoria', por_periodo.categoria)
        ) as miembros (dimension, valor)
    where miembros.valor is not null
    group by por_periodo.periodo, por_periodo.desde, miembros.dimension, miembros.valor

),

final as (

    select
        por_miembro.dimension,
        por_miembro.valor,
        periodos.periodo,
        periodos.desde,
        periodos.hasta,
        periodos.hasta < periodos.fin or not periodos.esta_completo as es_parcial,
        {{ kpi_columns() }}
    from por_miembro
    inner join periodos
        on por_miembro.periodo = periodos.periodo and por_miembro.desde = periodos.desde
    where
        greatest(por_miembro.dias_tienda, por_miembro.lineas, abs(por_miembro.ventas_netas)) > 0
        or periodos.tiene_anterior
        and greatest(por_miembro.total_ventas_anterior, abs(por_miembro.ventas_netas_anterior)) > 0
        or periodos.tiene_evento and por_miembro.ventas_evento > 0

)

select * from final
order by dimension, valor, periodo, desde
