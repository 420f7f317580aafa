{#
    A var that is a date, as ISO text; null stays null. YAML reads an unquoted date as a date, quoted ones as text: both
    are taken. Anything else is refused, a day that no calendar has included.
#}
{% macro date_var(name) %}
    {%- set given = var(name) -%}
    {%- if given is none -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set parts = modules.re.fullmatch('([12]\\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])', given | string) -%}
    {%- if parts -%}
        {%- set first = modules.datetime.date(parts[1] | int, parts[2] | int, 1) -%}
        {%- set day = first + modules.datetime.timedelta(days=(parts[3] | int) - 1) -%}
    {%- endif -%}
    {%- if not parts or day.month != first.month -%}
        {%- do exceptions.raise_compiler_error(
            'var ' ~ name ~ ": got '" ~ given ~ "', allowed: a date, year-month-day (2026-01-31), or null"
        ) -%}
    {%- endif -%}
    {{- return(given | string) -}}
{% endmacro %}
