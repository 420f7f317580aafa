{# The graph node of a model named in an operation; an unknown name stops with the list of what is allowed. #}
{% macro operation_node(operation, model, materialized=none) %}
    {%- set names = [] -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and (not materialized or node.config.materialized == materialized) -%}
        {%- do names.append(node.name) -%}
        {%- if node.name == model -%}
            {{- return(node) -}}
        {%- endif -%}
    {%- endfor -%}
    {%- do pg_lifecycle.refuse_operation(
        operation ~ ", model: got '" ~ model ~ "', allowed are " ~ (names | sort | join(', '))
        ~ ". For example: dbt run-operation " ~ operation ~ " --args '{model: " ~ (names | sort | first) ~ "}'"
    ) -%}
{% endmacro %}
