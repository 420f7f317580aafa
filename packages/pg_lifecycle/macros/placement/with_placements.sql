{#
    dbt's catalog, a table of one row per column, on a cluster with where each relation lies: `dbt docs` shows it among
    the details of the relation's page. Elsewhere as it is.
#}
{% macro with_placements(catalog) %}
    {%- if not pg_lifecycle.is_citus() -%}
        {{- return(catalog) -}}
    {%- endif -%}
    {%- set placements_query -%}
        select
            pg_namespace.nspname as table_schema,
            pg_class.relname as table_name,
            'On the cluster' as "stats:placement:label",
            case placements.kind
                when 'distributed' then 'distributed by ' || placements.column_name
                when 'reference' then 'a copy on every node'
                else 'on the coordinator'
            end as "stats:placement:value",
            'Where its rows lie' as "stats:placement:description",
            true as "stats:placement:include"
        from pg_catalog.pg_class
        inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
        left join ({{ pg_lifecycle.placements() }}) as placements on placements.oid = pg_class.oid
        where pg_class.relkind in ('r', 'p', 'v', 'm', 'f')
    {%- endset -%}
    {%- set key = ['table_schema', 'table_name'] -%}
    {{- return(catalog.join(run_query(placements_query), key, key)) -}}
{% endmacro %}
