{# The models and snapshots of dbt's graph that build a relation: one, or none for what dbt does not build. #}
{% macro models_of(relation) %}
    {{- return(
        graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'snapshot'])
        | selectattr('schema', 'equalto', relation.schema) | selectattr('alias', 'equalto', relation.identifier) | list
    ) -}}
{% endmacro %}
