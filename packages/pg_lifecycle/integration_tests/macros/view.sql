{% materialization view, adapter='postgres' %}
    {{ return(pg_lifecycle.materialization_view_postgres()) }}
{% endmaterialization %}
