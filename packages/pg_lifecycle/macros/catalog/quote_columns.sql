{# Names of columns as they stand in SQL: quoted, separated by commas. #}
{% macro quote_columns(names, prefix='') %}
    {%- set quoted = [] -%}
    {%- for name in names -%}
        {%- do quoted.append(prefix ~ adapter.quote(name)) -%}
    {%- endfor -%}
    {{- return(quoted | join(', ')) -}}
{% endmacro %}
