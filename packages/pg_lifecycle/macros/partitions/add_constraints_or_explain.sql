{#
    SQL that adds constraints to a partition under construction in one ALTER TABLE; if a row breaks one, the error names
    the partition, the constraint (as it is called once published) and some of the offending rows. actions: further ones
    of the ALTER TABLE. name: the partition's once published.
#}
{% macro add_constraints_or_explain(table, name, constraints, kinds, actions=[]) %}
    {%- set alter_table = pg_lifecycle.add_constraints(table, constraints, kinds, actions) | trim -%}
    {%- if alter_table -%}
    {%- set published = pg_lifecycle.beside(table, name) -%}
do $explain$
#variable_conflict use_column
declare
    broken_constraint text;
    broken_column text;
    reason text;
    sample text;
begin
    {{ alter_table }}
exception
    when check_violation or not_null_violation or unique_violation or foreign_key_violation then
        get stacked diagnostics
            broken_constraint = constraint_name, broken_column = column_name, reason = pg_exception_detail;
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
end
$explain$;
    {%- endif -%}
{% endmacro %}
