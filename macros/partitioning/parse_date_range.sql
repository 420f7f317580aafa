{#
    Validates `[from, to]`, both inclusive, and returns it as two ISO dates; none stays none. YAML reads an unquoted date
    as a date, quoted ones as text: both are taken. name: of the setting, for the error.
#}
{% macro parse_date_range(name, value) %}
    {%- if value is none -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set range = [] if value is string or value is mapping or value is not sequence else value | map('string') | list -%}
    {%- set two_dates = '\\d{4}-\\d{2}-\\d{2} \\d{4}-\\d{2}-\\d{2}' -%}
    {%- if range | length != 2 or not modules.re.fullmatch(two_dates, range | join(' ')) or range[0] > range[1] -%}
        {%- do exceptions.raise_compiler_error(
            name ~ ": got " ~ value ~ ", expected two dates, the first not after the second, for example [2024-01-01, 2024-03-31]"
        ) -%}
    {%- endif -%}
    {{- return(range) -}}
{% endmacro %}
