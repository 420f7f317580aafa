{% macro versiones(relation) %}
select mes as lower, (mes + interval '1 month')::date as upper, version from {{ relation.schema }}.versiones
{% endmacro %}
