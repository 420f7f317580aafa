{# SQL (oid, kind, column_name) of what is not local. #}
{% macro placements() %}
    select
        logicalrelid::oid as oid,
        case partmethod when 'h' then 'distributed' when 'n' then 'reference' else partmethod::text end as kind,
        column_to_column_name(logicalrelid, partkey) as column_name
    from pg_catalog.pg_dist_partition
    where partmethod = 'h' or repmodel = 't'
{% endmacro %}
