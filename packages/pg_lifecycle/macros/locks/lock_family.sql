{# SQL (integer) of the first of the two numbers of the advisory locks on a relation: see `lock_model`. #}
{% macro lock_family(relation) %}
    {{- return('hashtext(' ~ pg_lifecycle.literal(relation.include(database=false).render()) ~ ')') -}}
{% endmacro %}
