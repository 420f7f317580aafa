{# A var that is a share: refused unless it is a number up to 1 and above 0, or 0 where that is a share too. #}
{% macro share_var(name) %}
    {%- set meanings = {
        'complete_day_share': 'the share of the open stores that must have reported a day (0.9: nine of ten)',
        'sample_share': "the share of the chain's tickets that is delivered (1: all of them)",
        'max_refused_share': "the share of a month's delivered lines that may break a rule (0.01: one of a hundred)",
    } -%}
    {%- set share = var(name) -%}
    {%- set may_be_zero = name == 'max_refused_share' -%}
    {%- if share is not number or share is boolean or not 0 <= share <= 1 or (share == 0 and not may_be_zero) -%}
        {%- do exceptions.raise_compiler_error(
            'var ' ~ name ~ ": got '" ~ share ~ "', allowed: a number " ~ ('from 0' if may_be_zero else 'above 0 and')
            ~ ' up to 1, ' ~ meanings[name]
        ) -%}
    {%- endif -%}
    {{- return(share) -}}
{% endmacro %}
