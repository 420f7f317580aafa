{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    on_dependants='rebuild',
    indexes=[{'columns': ['fecha', 'tienda_id'], 'unique': true}],
) }}

-- Grain: one row per store and day on which it is to be open, from 1 January of the year before the
-- cut-off date's to 31 December of its own.
-- Additive over both: every column but the keys. Planned growth is sum(plan_ventas where there is a
-- base) / sum(base_ventas) - 1.
-- The plan stands on last year only, so this year's sales do not move it. Which store has a last
-- year is the rule of es_mismas_tiendas, for the same day of the same event.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

dias as (

    select
        calendario.fecha,
        calendario.fecha_comparable_evento as fecha_base
    from {{ ref('dim_calendario') }} as calendario
    cross join corte
    where
        calendario.fecha >= date_trunc('year', corte.fecha_corte) - interval '1 year'
        and calendario.fecha < date_trunc('year', corte.fecha_corte) + interval '1 year'

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

-- Stores that a year can be planned on: open, not in works, past their opening month.
bases as (

    select
        ventas.fecha,
        ventas.tienda_id,
        tiendas.formato,
        tiendas.superficie_m2,
        ventas.total_ventas,
        ventas.ventas_netas,
        ventas.numero_tickets
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha >= (select min(dias.fecha_base) from dias)
        and ventas.es_dia_abierto
        and not ventas.en_remodelacion
        and ventas.fecha >= date_trunc('month', tiendas.fecha_apertura) + interval '1 month'

),

-- What a square metre of the format sold: for stores without a last year.
por_formato as (

    select
        fecha,
        formato,
        sum(superficie_m2) as superficie_m2,
        sum(total_ventas) as total_ventas,
        sum(ventas_netas) as ventas_netas,
        sum(numero_tickets) as numero_tickets
    from bases
    group by fecha, formato

),

metas as (

    select
        *,
        lead(vigente_desde, 1, 'infinity')
            over (partition by cadena order by vigente_desde)
            as vigente_hasta,
        1 + trafico_pct / 100 as trafico,
        (1 + trafico_pct / 100) * (1 + ticket_pct / 100) as crecimiento
    from {{ ref('ref_meta_venta') }}

),

planeados as (

    select
        dias.fecha,
        tiendas.tienda_id,
        metas.trafico,
        metas.crecimiento,
        metas.margen_pct,
        {% for medida in ['total_ventas', 'ventas_netas', 'numero_tickets'] %}
            coalesce(
                bases.{{ medida }},
                tiendas.superficie_m2 * por_formato.{{ medida }} * metas.apertura_pct
                / nullif(100 * por_formato.superficie_m2, 0)
            ) as {{ medida }},
        {% endfor %}
        bases.total_ventas as base_ventas
    from dias
    inner join tiendas
        on dias.fecha between tiendas.fecha_apertura and coalesce(tiendas.fecha_cierre, 'infinity')
    inner join metas
        on
            tiendas.cadena = metas.cadena
            and dias.fecha >= metas.vigente_desde
            and dias.fecha < metas.vigente_hasta
    -- No comparable store of the format, no plan: before the second year of the data.
    inner join por_formato
        on
            dias.fecha_base = por_formato.fecha
            and tiendas.formato = por_formato.formato
    left join bases
        on
            dias.fecha_base = bases.fecha
            and tiendas.tienda_id = bases.tienda_id

),

final as (

    select
        fecha,
        tienda_id,
        base_ventas,
        cast(total_ventas * crecimiento as numeric(14, 2)) as plan_ventas,
        cast(ventas_netas * crecimiento as numeric(14, 2)) as plan_ventas_netas,
        cast(ventas_netas * crecimiento * margen_pct / 100 as numeric(14, 2)) as plan_margen,
        cast(numero_tickets * trafico as numeric(12, 2)) as plan_tickets
    from planeados
    where total_ventas is not null

)

select * from final
order by fecha, tienda_id
