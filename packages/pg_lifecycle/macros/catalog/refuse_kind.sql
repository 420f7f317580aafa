{# Stops because a relation of another kind has the name: PostgreSQL cannot turn one into the other in place. #}
{% macro refuse_kind(relation, kind, wanted) %}
    {%- set kinds = {
        'r': 'table', 'p': 'partitioned table', 'v': 'view', 'm': 'materialized view', 'f': 'foreign table'
    } -%}
    {%- do exceptions.raise_compiler_error(
        'model ' ~ model.name ~ ': ' ~ relation.render() ~ ' is a ' ~ kinds.get(kind, kind)
        ~ ', the model wants a ' ~ wanted ~ '.\nNothing was changed. ' ~ pg_lifecycle.retire_advice()
    ) -%}
{% endmacro %}
