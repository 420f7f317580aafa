{#
    One query on the catalog and the versions: a row for each period that upstream has, or that has a partition, with
    (lower, upper, name, existing name, existing state keys, upstream sources hash, forced by `also_rebuild`, names of
    other partitions that it overlaps, whether another relation has its name).
    Costs milliseconds however long the history is: no table of data is read.
#}
{% macro read_plan(relation, partitioning, upstream, also_rebuild) %}
    {%- set type = partitioning.key_type -%}
    {%- set plan_sql -%}
with

upstream (origin, lower, upper, version) as (
    {{ upstream.queries | join('\n    union all ') }}
),

bounded as (
    select origin, lower::{{ type }} as lower, upper::{{ type }} as upper, version
    from upstream
    where lower is not null
),

periods as (
    select distinct
        step::{{ type }} as lower,
        (step + interval '{{ partitioning.step }}')::{{ type }} as upper
    from bounded
    cross join lateral generate_series(
        date_trunc('{{ partitioning.granularity }}', bounded.lower::timestamp),
        bounded.upper::timestamp - interval '1 microsecond',
        interval '{{ partitioning.step }}'
    ) as step
),

wanted as (
    select
        periods.lower,
        periods.upper,
        md5(string_agg(concat_ws('|', origin, bounded.lower, version), ',' order by origin, bounded.lower)) as sources
    from periods
    inner join bounded on bounded.lower < periods.upper and bounded.upper > periods.lower
    group by periods.lower, periods.upper
),

existing as (
    select oid, name, lower::{{ type }} as lower, upper::{{ type }} as upper, state
    from ({{ partitions_of(relation) }}) as partitions
),

forced as (
    {{ also_rebuild.query if also_rebuild and kind_of(api.Relation.create(schema=also_rebuild.if_exists.split('.')[0], identifier=also_rebuild.if_exists.split('.')[1])) else 'select null::' ~ type ~ ' as lower where false' }}
),

plan as (
    select
        coalesce(wanted.lower, existing.lower)::text as lower,
        coalesce(wanted.upper, existing.upper)::text as upper,
        '{{ relation.identifier }}_p' || to_char(coalesce(wanted.lower, existing.lower), '{{ partitioning.suffix }}') as name,
        existing.name as existing_name,
        wanted.sources,
        existing.state ->> 'sources' as built_sources,
        existing.state ->> 'definition' as built_definition,
        existing.upper::text as existing_upper,
        coalesce(wanted.lower, existing.lower) in (
            select date_trunc('{{ partitioning.granularity }}', forced.lower::timestamp)::{{ type }} from forced
        ) as forced,
        (
            select string_agg(other.name, ', ' order by other.lower)
            from existing as other
            where other.lower < wanted.upper and other.upper > wanted.lower and other.lower != wanted.lower
        ) as overlapped,
        to_regclass(
            '{{ relation.include(database=false, identifier=false) }}.{{ relation.identifier }}_p'
            || to_char(coalesce(wanted.lower, existing.lower), '{{ partitioning.suffix }}')
        )::oid != coalesce(existing.oid, 0) as is_name_taken
    from wanted
    full join existing on existing.lower = wanted.lower
)

-- As one value: dbt guesses types for every value of a result, which takes longer than the query.
select coalesce(jsonb_agg(plan order by lower), '[]')::text as plan from plan
    {%- endset -%}
    {{- return(fromjson(run_query(plan_sql)[0]['plan'])) -}}
{% endmacro %}
