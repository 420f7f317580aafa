{# SQL (join): what a row of `relation` is a member of in mv_desempeno_producto: all stores, its region. #}
{% macro scorecard_members(relation) -%}
    cross join
        lateral (
            values ('total', 'Total'), ('region', {{ relation }}.region)
        ) as miembros (dimension, valor)
{%- endmacro %}
