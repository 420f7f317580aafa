{# The relation of a node of dbt's graph: model, seed, snapshot or source. #}
{% macro relation_of(node) %}
    {{- return(api.Relation.create(node.database, node.schema, node.identifier or node.alias)) -}}
{% endmacro %}
