{#
    on-run-start hook: stops a run that sets a var to what its SQL cannot mean, before anything is built. Returns no
    SQL. `years_in_views` is judged here alone: a unit test asks for no year at all.
#}
{% macro refuse_wrong_vars() %}
    {%- for name in ('complete_day_share', 'sample_share', 'max_refused_share') -%}
        {%- do share_var(name) -%}
    {%- endfor -%}
    {%- for name in ('cutoff_date', 'calendar_from', 'calendar_to') -%}
        {%- do date_var(name) -%}
    {%- endfor -%}
    {%- set years = var('years_in_views') -%}
    {%- if years is not integer or years < 1 -%}
        {%- do exceptions.raise_compiler_error(
            "var years_in_views: got '" ~ years ~ "', allowed: a whole number above 0"
        ) -%}
    {%- endif -%}
{% endmacro %}
