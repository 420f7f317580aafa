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
    {%- set state_query -%}
        select lower, upper, coalesce(state ->> 'tested' = state ->> 'version', false) as is_tested
        from ({{ partitions_of(tested) }}) as partitions
        union all
        select null, null, true
        from (select {{ state_of("to_regclass('" ~ tested.render() ~ "')") }} as state) as whole
        where state ->> 'tested' = state ->> 'version'
        order by 1
    {%- endset -%}
    {%- set ranges = [] -%}
    {%- set rows = run_query(state_query) | list -%}
    {%- for row in rows if not row['is_tested'] -%}
        {%- if ranges and ranges[-1].upper == row['lower'] -%}
            {%- do ranges[-1].update(upper=row['upper']) -%}
        {%- else -%}
            {%- do ranges.append({'lower': row['lower'], 'upper': row['upper']}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not rows -%}
        {{- return('true') -}}
    {%- endif -%}
    {%- set conditions = [] -%}
    {%- for range in ranges -%}
        {%- do conditions.append("(" ~ column ~ " >= '" ~ range.lower ~ "' and " ~ column ~ " < '" ~ range.upper ~ "')") -%}
    {%- endfor -%}
    {{- return('(' ~ conditions | join(' or ') ~ ')' if conditions else 'false') -}}
{% endmacro %}
