{# The error for periods that must not be built: each with its reason, and what to do. #}
{% macro refuse_message(relation, refused) %}
    {%- set lines = [] -%}
    {%- for partition in refused[:5] -%}
        {%- do lines.append('  - ' ~ partition.lower ~ ' to ' ~ partition.upper ~ ': ' ~ partition.reason) -%}
    {%- endfor -%}
    {%- if refused | length > 5 -%}
        {%- do lines.append('  - and ' ~ (refused | length - 5) ~ ' more') -%}
    {%- endif -%}
    {{- return(
        'model ' ~ model.name ~ ': ' ~ refused | length ~ ' periods of ' ~ relation.render()
        ~ ' are refused, nothing was built:\n' ~ lines | join('\n')
        ~ '\nCorrect or quarantine the source rows with these dates, or widen partition_window in the config. '
        ~ 'For another granularity: ' ~ pg_lifecycle.retire_advice()
    ) -}}
{% endmacro %}
