{# Reads the catalog only. #}
{% macro report_partitions(model=none) %}
    {%- set relation = pg_lifecycle.relation_of(
        pg_lifecycle.operation_node('report_partitions', model, 'partitioned')
    ) -%}
    {%- set report_query -%}
        select
            name,
            lower,
            upper,
            coalesce(state ->> 'rows', '-') as rows,
            pg_size_pretty({{ pg_lifecycle.size_of('oid') }}) as size,
            coalesce(state ->> 'version', 'not built by dbt') as version,
            coalesce(state ->> 'built_at', '-') as built_at,
            case when state ->> 'tested' = state ->> 'version' then 'tested' else 'not tested' end as tested
        from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
        order by lower
    {%- endset -%}
    {%- set rows = run_query(report_query) -%}
    {%- do log(relation.render() ~ ': ' ~ rows | length ~ ' partitions', info=True) -%}
    {%- for row in rows -%}
        {%- do log('  ' ~ row.values() | join('  '), info=True) -%}
    {%- endfor -%}
{% endmacro %}
