{# SQL that renames an index of a relation's schema. #}
{% macro rename_index(relation, old_name, name) %}
    {{- return('alter index ' ~ pg_lifecycle.beside(relation, old_name) ~ ' rename to ' ~ adapter.quote(name) ~ ';') -}}
{% endmacro %}
