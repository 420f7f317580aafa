{# The rows of a parent, one period of them in a partitioned model. #}
{% macro sales_of(parent) %}
select sale_id, sold_on, amount from {{ parent }} where {{ pg_lifecycle.partition_filter('sold_on') }}
{% endmacro %}
