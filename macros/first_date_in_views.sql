{# SQL (scalar, type date) of the first day that the daily materialized views hold. #}
{% macro first_date_in_views() %}
    {{- return('(' ~ cutoff_date() ~ " - interval '" ~ var('years_in_views') ~ " years')::date + 1") -}}
{% endmacro %}
