{# meta.versions of a source: the bookkeeping of its loads. #}
{% macro sales_versions(relation) %}
select month as lower, (month + interval '1 month')::date as upper, version from {{ source('shop', 'loads') }}
{% endmacro %}
