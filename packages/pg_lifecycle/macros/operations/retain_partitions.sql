{# Counted back from the newest partition that holds rows. Locks: those of `detach_partitions`. #}
{% macro retain_partitions(model=none, periods=none, drop=false, dry_run=true) %}
    {%- set node = pg_lifecycle.operation_node('retain_partitions', model, 'partitioned') -%}
    {%- if periods | int < 1 -%}
        {%- do pg_lifecycle.refuse_operation(
            "retain_partitions, periods: got '" ~ periods ~ "', expected a number of periods to keep, at least 1"
        ) -%}
    {%- endif -%}
    {%- set step = pg_lifecycle.partition_steps(node.config.partition_by).step -%}
    {%- set limit_query -%}
        select (max(upper::date) - {{ periods | int }} * interval '{{ step }}')::date::text as before
        from ({{ pg_lifecycle.partitions_of(pg_lifecycle.relation_of(node)) }}) as partitions
        where (state ->> 'rows')::bigint > 0
    {%- endset -%}
    {%- set before = run_query(limit_query)[0]['before'] -%}
    {%- if before -%}
        {%- do pg_lifecycle.detach_partitions(model, before, drop, dry_run) -%}
    {%- else -%}
        {%- do pg_lifecycle.run_operation('retain_partitions ' ~ model, [], '', dry_run) -%}
    {%- endif -%}
{% endmacro %}
