{#
    The relation that a model gets when it refers to a node of dbt's graph: its own, or under `--defer` that of the
    state, by the same rule as `ref`: where there is none of its own, or with `--favor-state` where it is not selected.
    The versions of what is read are asked of the relation that is read.
#}
{% macro read_relation(node) %}
    {%- set relation = pg_lifecycle.relation_of(node) -%}
    {%- set deferred = node.defer_relation -%}
    {%- if deferred and pg_lifecycle.option_of_run('defer') and (
        (pg_lifecycle.option_of_run('favor_state') and node.unique_id not in selected_resources)
        or pg_lifecycle.kind_of(relation) is none
    ) -%}
        {%- set relation = api.Relation.create(deferred.database, deferred.schema, deferred.alias) -%}
    {%- endif -%}
    {{- return(relation) -}}
{% endmacro %}
