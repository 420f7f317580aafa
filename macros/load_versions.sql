{# SQL (lower, upper, version) of a raw table: the last load that changed each of its months. #}
{% macro load_versions(relation) %}
select mes as lower, (mes + interval '1 month')::date as upper, version
from {{ source('staging', 'versiones_mes') }}
where tabla = '{{ relation.identifier }}'
{% endmacro %}
