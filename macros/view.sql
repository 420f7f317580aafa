{# dbt takes a built-in materialization from a package only where the project says so. #}
{% materialization view, adapter='postgres' %}
    {{ return(pg_lifecycle.materialization_view_postgres()) }}
{% endmaterialization %}
