{# The comment of a partition under construction: whose it is, to be found after a kill whatever its name became. #}
{% macro under_construction(parent) %}
    {{- return('dbt_partition_under_construction: ' ~ parent.identifier) -}}
{% endmacro %}
