{# dbt-postgres' catalog of some relations, `with_placements`. #}
{% macro postgres__get_catalog_relations(information_schema, relations) %}
    {{- return(pg_lifecycle.with_placements(dbt.postgres__get_catalog_relations(information_schema, relations))) -}}
{% endmacro %}
