{# What to do about a difference that cannot be changed in place, for the end of an error. #}
{% macro retire_advice(node=none) %}
    {{- return(
        "Move it away, with everything that reads it left in place, and build it anew:\n"
        ~ "  dbt run-operation retire_relation --args '{model: " ~ (node or model).name
        ~ ", dry_run: false}'\n  dbt build"
    ) -}}
{% endmacro %}
