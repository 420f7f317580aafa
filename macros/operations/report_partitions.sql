{#
    Prints the partitions of a model: bounds, rows, size, when built, whether tested since.

        dbt run-operation report_partitions --args '{model: fact_ventas}'
#}
{% macro report_partitions(model) %}
    {%- set relation = operation_relation(operation_node(model, 'partitioned')) -%}
    {%- set report_sql -%}
        select
            name,
            lower,
            upper,
            coalesce(state ->> 'rows', '-') as rows,
            pg_size_pretty(pg_total_relation_size(oid)) as size,
            coalesce(state ->> 'version', 'not built by dbt') as version,
            coalesce(state ->> 'built_at', '-') as built_at,
            case when state ->> 'tested' = state ->> 'version' then 'tested' else 'not tested' end as tested
        from ({{ partitions_of(relation) }}) as partitions
        order by lower
    {%- endset -%}
    {%- set rows = run_query(report_sql) -%}
    {%- do log(relation.render() ~ ': ' ~ rows | length ~ ' partitions', info=True) -%}
    {%- for row in rows -%}
        {%- do log('  ' ~ row.values() | join('  '), info=True) -%}
    {%- endfor -%}
{% endmacro %}
