{#
    The relation of a model, seed or snapshot as the run before left it, none while it is missing. For hooks that look
    at what dbt builds later than the model that asks, where `ref` would be a cycle.
#}
{% macro built_relation(name) %}
    {%- if not execute -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- for node in graph.nodes.values()
        if node.name == name and node.resource_type in ('model', 'seed', 'snapshot') -%}
        {%- set relation = pg_lifecycle.relation_of(node) -%}
        {{- return(relation if pg_lifecycle.kind_of(relation) else none) -}}
    {%- endfor -%}
    {%- do exceptions.raise_compiler_error("built_relation: got '" ~ name ~ "', expected a model, seed or snapshot") -%}
{% endmacro %}
