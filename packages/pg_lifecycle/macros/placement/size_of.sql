{# SQL: the bytes of a table with its indexes; of a distributed one, of its shards on all workers. #}
{% macro size_of(oid_sql) %}
    {%- set size = 'pg_total_relation_size(' ~ oid_sql ~ ')' -%}
    {{- return(
        'case when exists (select from pg_catalog.pg_dist_partition where logicalrelid = ' ~ oid_sql ~ ')'
        ~ ' then citus_total_relation_size(' ~ oid_sql ~ ') else ' ~ size ~ ' end'
        if pg_lifecycle.is_citus() else size
    ) -}}
{% endmacro %}
