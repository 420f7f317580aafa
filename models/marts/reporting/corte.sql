{{ config(materialized='upsert') }}

-- Grain: one row, for the sales.
-- A store has reported a day when it sent sales of it or of a later day: a small store sells
-- nothing on some days. Open: between opening and closing, both included; a store that is not
-- active and has no closing date is expected no more, one in works counts only if it reported.
-- Looks back 92 days, so it costs the same however long the history is; when none of them is
-- complete, the last day with sales counts.

with

ventas as (

    select
        fecha,
        tienda_id
    from {{ ref('agg_ventas_dia_tienda') }}
    where
        lineas > 0
        and fecha > (
            select max(con_ventas.fecha) from {{ ref('agg_ventas_dia_tienda') }} as con_ventas
            where con_ventas.lineas > 0
        ) - 92

),

dias as (

    select distinct fecha from ventas

),

ultimas as (

    select
        tienda_id,
        max(fecha) as fecha
    from ventas
    group by tienda_id

),

tiendas as (

    select * from {{ ref('dim_tienda') }}
    where activo or fecha_cierre is not null

),

por_dia as (

    select
        dias.fecha,
        count(tiendas.tienda_id) filter (
            where
            ultimas.tienda_id is not null
            or tiendas.fecha_inicio_remodelacion is null
            or dias.fecha < tiendas.fecha_inicio_remodelacion
            or dias.fecha >= tiendas.fecha_remodelacion
        )::integer as tiendas_abiertas,
        count(ultimas.tienda_id)::integer as tiendas_reportadas
    from dias
    left join tiendas
        on
            dias.fecha >= tiendas.fecha_apertura
            and dias.fecha <= coalesce(tiendas.fecha_cierre, 'infinity')
    left join ultimas
        on
            tiendas.tienda_id = ultimas.tienda_id
            and dias.fecha <= ultimas.fecha
    group by dias.fecha

),

completos as (

    select max(fecha) as fecha
    from por_dia
    where tiendas_reportadas >= {{ complete_day_share() }} * tiendas_abiertas

),

ultimo_dia as (

    select max(fecha) as fecha from por_dia

),

final as (

    select
        'ventas' as tabla,
        {% if var('cutoff_date') %}
            {{ cutoff_date() }} as fecha_corte,
        {% else %}
            coalesce(completos.fecha, ultimo_dia.fecha) as fecha_corte,
        {% endif %}
        completos.fecha as ultimo_dia_completo,
        ultimo_dia.fecha as ultimo_dia_con_ventas,
        coalesce(por_dia.tiendas_abiertas, 0) as tiendas_abiertas,
        coalesce(por_dia.tiendas_reportadas, 0) as tiendas_reportadas,
        {{ complete_day_share() }} as proporcion_minima,
        {{ share_var('sample_share') }} as proporcion_muestra
    from completos
    cross join ultimo_dia
    left join por_dia on ultimo_dia.fecha = por_dia.fecha

)

select * from final
