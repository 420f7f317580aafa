{# SQL (scalar, type date) of the cut-off date: the var `cutoff_date`, else the last complete day, as `corte` says. #}
{% macro cutoff_date() %}
    {%- if var('cutoff_date') -%}
        {{- return("date '" ~ var('cutoff_date') ~ "'") -}}
    {%- endif -%}
    {{- return('(select fecha_corte from ' ~ ref('corte') ~ ')') -}}
{% endmacro %}
