{# dbt-postgres' catalog of schemas, for `dbt docs`, `with_placements`. #}
{% macro postgres__get_catalog(information_schema, schemas) %}
    {{- return(pg_lifecycle.with_placements(dbt.postgres__get_catalog(information_schema, schemas))) -}}
{% endmacro %}
