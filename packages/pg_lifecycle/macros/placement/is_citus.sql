{#
    Whether the database has the extension `citus`, so is the coordinator of a cluster. Asked once in a run: the answer
    is kept in dbt's `graph`, which all nodes of a run share. False while dbt parses.
#}
{% macro is_citus() %}
    {%- if not execute -%}
        {{- return(false) -}}
    {%- endif -%}
    {%- set key = 'pg_lifecycle_is_citus_' ~ invocation_id -%}
    {%- if key not in graph -%}
        {%- do graph.update({
            key: run_query("select 1 from pg_catalog.pg_extension where extname = 'citus'") | length > 0
        }) -%}
    {%- endif -%}
    {{- return(graph[key]) -}}
{% endmacro %}
