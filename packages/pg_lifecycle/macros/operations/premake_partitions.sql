{# Each is made outside the tree and attached: SHARE UPDATE EXCLUSIVE on the parent, so readers do not notice. #}
{% macro premake_partitions(model=none, periods=3, dry_run=true) %}
    {%- set node = pg_lifecycle.operation_node('premake_partitions', model, 'partitioned') -%}
    {%- set relation = pg_lifecycle.relation_of(node) -%}
    {%- set partitioning = pg_lifecycle.partition_steps(node.config.partition_by) -%}
    {%- set missing_query -%}
        with

        existing as (

            select lower::date as lower, upper::date as upper
            from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions

        ),

        first_missing as (

            select coalesce(max(upper), date_trunc('{{ partitioning.granularity }}', current_date)::date) as lower
            from existing

        )

        select
            {{ pg_lifecycle.partition_name_sql(relation, partitioning, 'step') }} as name,
            step::date::text as lower,
            (step + interval '{{ partitioning.step }}')::date::text as upper
        from first_missing
        cross join lateral generate_series(
            first_missing.lower::timestamp,
            date_trunc(
                '{{ partitioning.granularity }}',
                current_date + {{ periods | int }} * interval '{{ partitioning.step }}'
            ),
            interval '{{ partitioning.step }}'
        ) as step
        order by step
    {%- endset -%}
    {%- set plan = [] -%}
    {%- set statements = [] -%}
    {%- for row in run_query(missing_query) -%}
        {%- set new = pg_lifecycle.beside(relation, row['name']) -%}
        {%- do plan.append('make ' ~ row['name'] ~ ' for ' ~ row['lower'] ~ ' to ' ~ row['upper']) -%}
        {%- do statements.append(
            'create table ' ~ new ~ ' (like ' ~ relation ~ ' including defaults including constraints);'
            ~ pg_lifecycle.retry_locks(row['name'], 'alter table ' ~ relation ~ ' attach partition ' ~ new
                ~ " for values from ('" ~ row['lower'] ~ "') to ('" ~ row['upper'] ~ "');")
        ) -%}
    {%- endfor -%}
    {%- do pg_lifecycle.run_operation('premake_partitions ' ~ model, plan, statements | join('\n'), dry_run) -%}
{% endmacro %}
