{# SQL (scalar, type date) of the cut-off date: the var `cutoff_date`, else the last complete day, as `corte` says. #}
{% macro cutoff_date() %}
    {%- set given = date_var('cutoff_date') -%}
    {%- if given -%}
        {{- return("date '" ~ given ~ "'") -}}
    {%- endif -%}
    {{- return('(select fecha_corte from ' ~ ref('corte') ~ ')') -}}
{% endmacro %}
