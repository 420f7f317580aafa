{#
    Retention: keeps the partitions of the last `periods` periods and detaches the older ones (see `detach_partitions`),
    counted back from the newest partition that holds rows.

        dbt run-operation retain_partitions --args '{model: fact_ventas, periods: 60, dry_run: false}'
#}
{% macro retain_partitions(model, periods, drop=false, dry_run=true) %}
    {%- set node = operation_node(model, 'partitioned') -%}
    {%- if periods | int < 1 -%}
        {%- do exceptions.raise_compiler_error("periods: got '" ~ periods ~ "', expected a number of periods to keep, at least 1") -%}
    {%- endif -%}
    {%- set limit_sql -%}
        select (max(upper::date) - {{ periods | int }} * interval '{{ partition_steps(node.config.partition_by).step }}')::date::text as before
        from ({{ partitions_of(operation_relation(node)) }}) as partitions
        where (state ->> 'rows')::bigint > 0
    {%- endset -%}
    {%- set before = run_query(limit_sql)[0]['before'] -%}
    {%- if before -%}
        {%- do detach_partitions(model, before, drop, dry_run) -%}
    {%- else -%}
        {%- do run_operation('retain_partitions ' ~ model, [], '', dry_run) -%}
    {%- endif -%}
{% endmacro %}
