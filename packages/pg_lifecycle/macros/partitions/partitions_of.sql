{#
    SQL that lists the partitions of a relation from the catalog: (oid, name, lower text, upper text, state jsonb).

    lower is inclusive, upper exclusive, as PostgreSQL has them; both are null for a DEFAULT partition. Nothing is
    derived from names. No row when the relation is missing or not partitioned. `offset 0` keeps PostgreSQL from
    evaluating bounds and state once for every place where the outer query uses them.
#}
{% macro partitions_of(relation) %}
    {%- set bound = 'pg_get_expr(child.relpartbound, child.oid)' -%}
    {{- return(
        'select child.oid, child.relname::text as name,'
        ~ ' substring(' ~ bound ~ " from 'FROM \\(''([^'']+)''\\)') as lower,"
        ~ ' substring(' ~ bound ~ " from 'TO \\(''([^'']+)''\\)') as upper, "
        ~ pg_lifecycle.state_of('child.oid') ~ ' as state'
        ~ ' from pg_catalog.pg_inherits inner join pg_catalog.pg_class as child on child.oid = pg_inherits.inhrelid'
        ~ ' where pg_inherits.inhparent = ' ~ pg_lifecycle.oid_of(relation) ~ " and child.relkind = 'r' offset 0"
    ) -}}
{% endmacro %}
