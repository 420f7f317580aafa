{# SQL of a relation's OID (regclass), null when it is missing. #}
{% macro oid_of(relation) %}
    {{- return('to_regclass(' ~ pg_lifecycle.literal(relation.render()) ~ ')') -}}
{% endmacro %}
