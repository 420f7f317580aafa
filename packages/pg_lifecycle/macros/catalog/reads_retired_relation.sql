{# Whether a view or materialized view reads a relation that `retire_relation` moved to the archive schema. #}
{% macro reads_retired_relation(relation) %}
    {%- set reads_query -%}
        select 1
        from pg_catalog.pg_rewrite
        inner join pg_catalog.pg_depend on
            pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
        inner join pg_catalog.pg_class on
            pg_depend.refclassid = 'pg_class'::regclass and pg_class.oid = pg_depend.refobjid
        inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
        where
            pg_rewrite.ev_class = {{ pg_lifecycle.oid_of(relation) }}
            and starts_with(pg_namespace.nspname, {{ pg_lifecycle.literal(pg_lifecycle.archive_schema() ~ '_') }})
        limit 1
    {%- endset -%}
    {{- return(run_query(reads_query) | length > 0) -}}
{% endmacro %}
