{#
    SQL (query): every day on which each store was open (fecha, tienda_id, en_remodelacion), from the first to the last
    day with sales anywhere. Works last the `remodel_days` days before the store's fecha_remodelacion, when they ended.
#}
{% macro store_days() -%}
    select
        dias.fecha::date as fecha,
        tiendas.tienda_id,
        coalesce(
            dias.fecha >= tiendas.fecha_remodelacion - {{ var('remodel_days') }}
            and dias.fecha < tiendas.fecha_remodelacion,
            false
        ) as en_remodelacion
    from
        generate_series(
            (select min(fecha) from {{ ref('agg_ventas_dia_tienda_canal') }} where lineas > 0)::timestamp,
            (select max(fecha) from {{ ref('agg_ventas_dia_tienda_canal') }} where lineas > 0)::timestamp,
            interval '1 day'
        ) as dias (fecha)
    inner join {{ ref('dim_tienda') }} as tiendas on
        dias.fecha >= tiendas.fecha_apertura
        and dias.fecha <= coalesce(tiendas.fecha_cierre, 'infinity')
{%- endmacro %}
