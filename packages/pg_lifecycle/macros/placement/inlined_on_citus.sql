{#
    `not materialized` on a cluster, nothing elsewhere: for a CTE that is read twice and keeps the distribution column.
    PostgreSQL computes such a CTE once; a cluster would first gather it on the coordinator, where inlined each worker
    computes it for its own shards.
#}
{% macro inlined_on_citus() %}
    {{- return('not materialized' if pg_lifecycle.is_citus() else '') -}}
{% endmacro %}
