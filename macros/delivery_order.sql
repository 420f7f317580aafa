{# SQL (carga_id, orden) of the loads: `orden` sorts as the deliveries follow each other (docs/load-gate.md). #}
{% macro delivery_order() %}
    select
        cargas.carga_id,
        coalesce(
            ordenes.orden,
            to_char(cargas.iniciada_en at time zone 'UTC', 'YYYYMMDDHH24MISSUS')
        ) collate "C" as orden
    from {{ source('staging', 'cargas') }} as cargas
    left join {{ source('staging', 'orden_cargas') }} as ordenes
        on cargas.carga_id = ordenes.carga_id
{% endmacro %}
