{# dbt takes a built-in materialization from a package only where the project says so. #}
{% materialization materialized_view, adapter='postgres' %}
    {{ return(pg_lifecycle.materialization_materialized_view_postgres()) }}
{% endmaterialization %}
