{#
    SQL (query): every day on which each store was open (fecha, tienda_id, en_remodelacion), from the first to the
    last day with sales anywhere. Works go from fecha_inicio_remodelacion to the day before fecha_remodelacion.
#}
{% macro store_days() -%}
    select
        dias.fecha::date as fecha,
        tiendas.tienda_id,
        coalesce(
            dias.fecha >= tiendas.fecha_inicio_remodelacion
            and dias.fecha < coalesce(tiendas.fecha_remodelacion, 'infinity'),
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
