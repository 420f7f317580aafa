{#
    SQL that runs statements on a partition under construction which its constraints may refuse; if a row breaks one,
    the error names the partition, the constraint (as it is called once published) and some of the offending rows.
    name: the partition's once published. kinds: of the constraints that are at stake. A worker of a cluster passes on
    message and detail only, and its names end in the number of a shard. retried: whether the statements wait for locks
    as those of `retry_locks` do.
#}
{% macro explain_violations(table, name, constraints, kinds, statements, retried=false) %}
    {%- set statements = statements | map('trim') | select | list -%}
    {%- if statements -%}
    {%- set published = pg_lifecycle.beside(table, name) -%}
    {%- set block -%}
declare
    broken_constraint text;
    broken_column text;
    reason text;
    sample text;
begin
    {{ statements | join('\n    ') }}
exception
    when check_violation or not_null_violation or unique_violation or foreign_key_violation then
        get stacked diagnostics
            broken_constraint = constraint_name, broken_column = column_name, reason = pg_exception_detail;
        {%- if pg_lifecycle.is_citus() %}
        if broken_constraint = '' and broken_column = '' then
            broken_constraint := coalesce(
                regexp_replace(substring(sqlerrm from 'constraint "([^"]+)"'), '_\d+$', ''), ''
            );
            broken_column := coalesce(substring(sqlerrm from 'column "([^"]+)"'), '');
        end if;
        {%- endif %}
        {%- for constraint in constraints
            if constraint.kind in ('primary_key', 'unique') and constraint.kind in kinds %}
        if broken_constraint = {{ pg_lifecycle.literal(constraint.name) }} then
            broken_constraint := {{ pg_lifecycle.literal(
                pg_lifecycle.constraints_of_partition(published, [constraint])[0].name
            ) }};
        end if;
        {%- endfor %}
        {%- for constraint in constraints if constraint.kind == 'check' and 'check' in kinds %}
        if broken_constraint = {{ pg_lifecycle.literal(constraint.name) }} then
            select string_agg(bad::text, ' ') into sample
            from (select * from {{ table }} where not ({{ constraint.expression }}) limit 3) as bad;
        end if;
        {%- endfor %}
        if sqlstate = '23502' then
            execute {{ pg_lifecycle.literal(
                "select string_agg(bad::text, ' ') from (select * from " ~ table ~ ' where '
            ) }} || quote_ident(broken_column) || ' is null limit 3) as bad'
            into sample;
            broken_constraint := 'not null (' || broken_column || ')';
        end if;
        raise exception using
            errcode = sqlstate,
            message = {{ pg_lifecycle.literal(name ~ ' is not published: rows break ') }}
                || broken_constraint || ': ' || coalesce(sample, reason, sqlerrm),
            hint = 'The published partition stays as it was. '
                'Correct the source rows, or quarantine them, and build again.';
end;
    {%- endset -%}
    {%- if retried -%}
{{ pg_lifecycle.retry_locks(name, block) }}
    {%- else -%}
do $explain$
#variable_conflict use_column
{{ block }}
$explain$;
    {%- endif -%}
    {%- endif -%}
{% endmacro %}
