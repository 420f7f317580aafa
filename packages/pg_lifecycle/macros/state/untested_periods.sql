{#
    For a partitioned relation: its partitions whose version differs from the one that `remember_tested` kept with them.
    For a materialized view: the periods of what it reads that were built after its tested version (all of a parent
    whose versions are no times); all of it when its SELECT changed. For an upserted table: all of it, or nothing if its
    version was tested. For anything else: everything.
#}
{% macro untested_periods(tested, column=none) %}
    {%- if not execute -%}
        {{- return('true') -}}
    {%- elif flags.WHICH != 'build' or var('test_all', false) -%}
        {%- set retained_from = pg_lifecycle.read_state(tested).get('retained_from') if column else none -%}
        {{- return(column ~ " >= '" ~ retained_from ~ "'" if retained_from else 'true') -}}
    {%- endif -%}
    {%- set condition_query -%}
        with

        whole as (

            select {{ pg_lifecycle.state_of(pg_lifecycle.oid_of(tested)) }} as state

        ),

        parts as (

            select
                true as is_partition,
                lower,
                upper,
                coalesce(state ->> 'tested' = state ->> 'version', false) as is_tested
            from ({{ pg_lifecycle.partitions_of(tested) }}) as partitions
            {%- for node in pg_lifecycle.models_of(tested)
                if column and node.config.materialized == 'materialized_view' %}
            {%- for query in pg_lifecycle.upstream_versions(node).queries %}
            union all
            select false, lower, upper, coalesce(version ~ '^[0-9]{8}T' and version <= whole.state ->> 'tested', false)
            from ({{ query }}) as read (origin, lower, upper, version)
            cross join whole
            {%- endfor %}
            {%- endfor %}

        ),

        -- Neighbours become one range; a DEFAULT partition, or a table that has one version, has no bounds.
        untested as (

            select
                range_agg(tsrange(lower::timestamp, upper::timestamp)) filter (where not is_tested) as periods,
                coalesce(bool_and(is_partition), false) as is_partitioned
            from parts

        )

        select case
            when whole.state ->> 'tested' = whole.state ->> 'version' then 'false'
            {%- if column %}
            when untested.periods is not null then (
                select '(' || string_agg(format(
                    '(%1$s >= %2$L and %1$s < %3$L)', {{ pg_lifecycle.literal(column) }},
                    coalesce(lower(period), '-infinity'), coalesce(upper(period), 'infinity')
                ), ' or ') || ')'
                from unnest(untested.periods) as period
            )
            {%- endif %}
            when untested.is_partitioned and untested.periods is null then 'false'
            else 'true'
        end as condition
        from whole
        cross join untested
    {%- endset -%}
    {{- return(run_query(condition_query)[0]['condition']) -}}
{% endmacro %}
