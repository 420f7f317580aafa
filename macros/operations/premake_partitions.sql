{#
    Makes empty partitions for the coming periods, so that they exist before anybody asks. A build replaces them like any
    other partition.

        dbt run-operation premake_partitions --args '{model: fact_ventas, periods: 3, dry_run: false}'

    Each is made outside the tree and attached: SHARE UPDATE EXCLUSIVE on the parent, so readers do not notice.
#}
{% macro premake_partitions(model, periods=3, dry_run=true) %}
    {%- set node = operation_node(model, 'partitioned') -%}
    {%- set relation = operation_relation(node) -%}
    {%- set partitioning = partition_steps(node.config.partition_by) -%}
    {%- set missing_sql -%}
        with

        existing as (

            select lower::date as lower, upper::date as upper from ({{ partitions_of(relation) }}) as partitions

        ),

        first_missing as (

            select coalesce(max(upper), date_trunc('{{ partitioning.granularity }}', current_date)::date) as lower from existing

        )

        select
            '{{ relation.identifier }}_p' || to_char(step, '{{ partitioning.suffix }}') as name,
            step::date::text as lower,
            (step + interval '{{ partitioning.step }}')::date::text as upper
        from first_missing
        cross join lateral generate_series(
            first_missing.lower::timestamp,
            date_trunc('{{ partitioning.granularity }}', current_date + {{ periods | int }} * interval '{{ partitioning.step }}'),
            interval '{{ partitioning.step }}'
        ) as step
        order by step
    {%- endset -%}
    {%- set plan = [] -%}
    {%- set statements = [] -%}
    {%- for row in run_query(missing_sql) -%}
        {%- set new = relation.incorporate(path={'identifier': row['name']}) -%}
        {%- do plan.append('make ' ~ row['name'] ~ ' for ' ~ row['lower'] ~ ' to ' ~ row['upper']) -%}
        {%- do statements.append(
            'create table ' ~ new ~ ' (like ' ~ relation ~ ' including defaults including constraints);'
            ~ retry_locks(row['name'], 'alter table ' ~ relation ~ ' attach partition ' ~ new
                ~ " for values from ('" ~ row['lower'] ~ "') to ('" ~ row['upper'] ~ "');")
        ) -%}
    {%- endfor -%}
    {%- do run_operation('premake_partitions ' ~ model, plan, statements | join('\n'), dry_run) -%}
{% endmacro %}
