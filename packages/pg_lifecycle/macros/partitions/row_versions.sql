{#
    SQL, as of `upstream_versions`: the periods that the rows of a model itself fall into, each with a hash of its rows
    as its version. For a model of whose parents none knows its periods: the model's query runs once over everything to
    find out which partitions differ, and only those are written. A published period without rows any more counts as
    changed.
#}
{% macro row_versions(relation, partitioning, model_sql) %}
    {%- set column = adapter.quote(partitioning.column) -%}
    {%- set step -%}
        date_trunc('{{ partitioning.granularity }}', {{ column }}::timestamp)
    {%- endset -%}
    {%- set versions -%}
        select
            'rows of the model' as origin,
            ({{ step }})::{{ partitioning.key_type }}::text as lower,
            ({{ step }} + interval '{{ partitioning.step }}')::{{ partitioning.key_type }}::text as upper,
            count(*) || ':' || sum(hashtextextended(model_rows::text, 0)::numeric) as version
        from (
            select {{ pg_lifecycle.cast_columns() }}
            from (
{{ model_sql }}
            ) as model_rows
        ) as model_rows
        group by {{ step }}
    {%- endset -%}
    {{- return(
        'select * from (with versions as (' ~ versions ~ ') select * from versions union all'
        ~ " select 'rows of the model', lower, upper, 'no rows' from (" ~ pg_lifecycle.partitions_of(relation)
        ~ ') as partitions where lower not in (select lower from versions where lower is not null)) as row_versions'
    ) -}}
{% endmacro %}
