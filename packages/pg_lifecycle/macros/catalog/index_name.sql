{# The name of a parsed index on a table: `<table>_<columns>_idx`, or `_key` if it is unique. #}
{% macro index_name(table_name, index) %}
    {{- return(pg_lifecycle.shorten_name(table_name ~ '_' ~ index.ending)) -}}
{% endmacro %}
