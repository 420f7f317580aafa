{# also_rebuild: days that somebody asked for, in a table that need not be there. #}
{% macro asked_for(relation) %}
{%- if pg_lifecycle.built_relation('sales_seed') %}
select sold_on as lower from {{ source('shop', 'asked_for') }}
{%- endif %}
{% endmacro %}
