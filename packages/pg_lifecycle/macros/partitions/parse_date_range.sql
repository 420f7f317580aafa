{#
    Validates `[from, to]`, both inclusive, and returns it as two ISO dates; none stays none. YAML reads an unquoted
    date as a date, quoted ones as text: both are taken. name: of the setting, for the error.
#}
{% macro parse_date_range(name, value) %}
    {%- if value is none -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set is_list = value is sequence and value is not string and value is not mapping -%}
    {%- set range = value | map('string') | list if is_list else [] -%}
    {%- set two_dates = '\\d{4}-\\d{2}-\\d{2} \\d{4}-\\d{2}-\\d{2}' -%}
    {%- if range | length != 2 or not modules.re.fullmatch(two_dates, range | join(' ')) or range[0] > range[1] -%}
        {%- do pg_lifecycle.refuse(
            name, value, 'two dates, the first not after the second, for example [2024-01-01, 2024-03-31]'
        ) -%}
    {%- endif -%}
    {{- return(range) -}}
{% endmacro %}
