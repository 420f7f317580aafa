{#
    One query on the catalog and the versions: a row for each period that upstream has, or that has a partition, with
    (lower, upper, name, existing name, existing state keys, upstream sources hash, forced by `also_rebuild`, names of
    other partitions that it overlaps, whether another relation has its name). A parent that has one version as a whole
    counts for every period. Costs milliseconds however long the history is: no table of data is read, unless no parent
    knows its periods (`row_versions`).
#}
{% macro read_plan(relation, partitioning, upstream, also_rebuild=none, model_sql=none) %}
    {%- set type = partitioning.key_type -%}
    {%- set queries = upstream.queries -%}
    {%- if not upstream.has_periods -%}
        {%- do pg_lifecycle.log_decision(
            relation,
            'no parent knows its periods (meta.versions): all rows are read, to see which periods changed'
        ) -%}
        {%- set queries = [pg_lifecycle.row_versions(relation, partitioning, model_sql)] -%}
    {%- endif -%}
    {%- set forced = pg_lifecycle.call_hook('also_rebuild', also_rebuild, model, relation) if also_rebuild else '' -%}
    {%- set plan_query -%}
with

upstream (origin, lower, upper, version) as (
    {{ queries | join('\n    union all ') }}
),

bounded as (
    select origin, lower::{{ type }} as lower, upper::{{ type }} as upper, version
    from upstream
    where lower is not null
),

whole as (
    select origin, version from upstream where lower is null and upper is null and version is not null
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

period_versions as (
    select periods.lower, periods.upper, bounded.origin, bounded.lower as since, bounded.version
    from periods
    inner join bounded on bounded.lower < periods.upper and bounded.upper > periods.lower
    union all
    select periods.lower, periods.upper, whole.origin, null, whole.version
    from periods
    cross join whole
),

wanted as (
    select
        lower,
        upper,
        md5(string_agg(concat_ws('|', origin, since, version), ',' order by origin, since)) as sources
    from period_versions
    group by lower, upper
),

existing as (
    select oid, name, lower::{{ type }} as lower, upper::{{ type }} as upper, state
    from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
),

forced as (
    {{ forced or 'select null::' ~ type ~ ' as lower where false' }}
),

plan as (
    select
        coalesce(wanted.lower, existing.lower)::text as lower,
        coalesce(wanted.upper, existing.upper)::text as upper,
        {{ pg_lifecycle.partition_name_sql(relation, partitioning, 'coalesce(wanted.lower, existing.lower)') }} as name,
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
        coalesce(existing.oid, 0) as existing_oid
    from wanted
    full join existing on existing.lower = wanted.lower
),

named as (
    select
        plan.*,
        taken.oid is not null as is_name_taken
    from plan
    left join pg_catalog.pg_class as taken
        on
            taken.relname = plan.name and taken.oid != plan.existing_oid
            and taken.relnamespace = (select relnamespace from pg_class where oid = {{ pg_lifecycle.oid_of(relation) }})
)

-- As one value: dbt guesses types for every value of a result, which takes longer than the query.
select
    coalesce((select jsonb_agg(named order by lower) from named), '[]')::text as plan,
    coalesce((select jsonb_agg(distinct origin) from upstream where version like 'unknown:%'), '[]')::text as unknown
    {%- endset -%}
    {%- set result = run_query(plan_query)[0] -%}
    {%- do pg_lifecycle.log_unknown(relation, fromjson(result['unknown'])) -%}
    {{- return(fromjson(result['plan'])) -}}
{% endmacro %}
