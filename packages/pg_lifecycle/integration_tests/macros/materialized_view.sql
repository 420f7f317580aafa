{% materialization materialized_view, adapter='postgres' %}
    {{ return(pg_lifecycle.materialization_materialized_view_postgres()) }}
{% endmaterialization %}
