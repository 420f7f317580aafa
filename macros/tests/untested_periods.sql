{#
    A condition that restricts a data test to what changed since the test last passed, so that the cost of a `dbt build`
    follows the change and not the history: SQL text over `column` of the partitioned relation `tested`. A `dbt test`, or a
    build with the var `test_all`, tests everything that `detach_partitions` did not archive.

    For a partitioned relation: its partitions whose version differs from the one that `remember_tested` kept with them.
    For a materialized view or an upserted table: all of it, or nothing if its version was tested. For anything else:
    everything.
#}
{% macro untested_periods(tested, column) %}
    {%- if not execute -%}
        {{- return('true') -}}
    {%- elif flags.WHICH != 'build' or var('test_all', false) -%}
        {%- set retained_from = read_state(tested).get('retained_from') -%}
        {{- return(column ~ " >= '" ~ retained_from ~ "'" if retained_from else 'true') -}}
    {%- endif -%}
    {%- set condition_query -%}
        with

        partitions as (

            select lower, upper, coalesce(state ->> 'tested' = state ->> 'version', false) as is_tested
            from ({{ partitions_of(tested) }}) as partitions

        ),

        -- Neighbours become one range; a DEFAULT partition has no bounds.
        untested as (

            select unnest(range_agg(tsrange(lower::timestamp, upper::timestamp))) as period
            from partitions
            where not is_tested

        )

        select case
            when exists (select from untested) then (
                select '(' || string_agg(format(
                    '(%1$s >= %2$L and %1$s < %3$L)', '{{ column | replace("'", "''") }}',
                    coalesce(lower(period), '-infinity'), coalesce(upper(period), 'infinity')
                ), ' or ') || ')'
                from untested
            )
            when exists (select from partitions) then 'false'
            when whole.state ->> 'tested' = whole.state ->> 'version' then 'false'
            else 'true'
        end as condition
        from (select {{ state_of("to_regclass('" ~ tested.render() ~ "')") }} as state) as whole
    {%- endset -%}
    {{- return(run_query(condition_query)[0]['condition']) -}}
{% endmacro %}
