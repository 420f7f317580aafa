{# The var `complete_day_share`: refused unless it is a number above 0 and up to 1, of which a share can be taken. #}
{% macro complete_day_share() %}
    {%- set share = var('complete_day_share') -%}
    {%- if share is not number or share is boolean or not 0 < share <= 1 -%}
        {%- do exceptions.raise_compiler_error(
            "var complete_day_share: got '" ~ share ~ "', allowed: a number above 0 and up to 1, the share of the open"
            ~ ' stores that must have reported a day (0.9: nine of ten)'
        ) -%}
    {%- endif -%}
    {{- return(share) -}}
{% endmacro %}
