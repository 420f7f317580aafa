{#
    SQL that builds one partition outside the tree, in a transaction of its own: the rows are written once, then get
    their constraints, bound, indexes, statistics, descriptions and grants. No other session sees or waits for anything.

    The CHECK of the bound lets ATTACH skip its scan. Foreign keys come last (`exchange_partition`), because they lock
    the referenced tables against writing.
#}
{% macro build_partition(parent, new, name, lower, upper, partitioning, model_sql, constraints, indexes) %}
create table {{ new }} as
select {{ cast_columns() }}
from (
{{ restrict_to_partition(model_sql, lower, upper) }}
) as model_rows;

{{ add_constraints_or_explain(new, name, _named_for_partition(new, constraints), ['check', 'not_null', 'unique', 'primary_key'],
    'alter column ' ~ partitioning.column ~ ' set not null',
    'add constraint ' ~ _bound_name(new) ~ ' check ('
        ~ partitioning.column ~ " >= '" ~ lower ~ "' and " ~ partitioning.column ~ " < '" ~ upper ~ "')"
) }}

{{ check_before_publishing(new, name, lower, upper) }}
{{ name_not_nulls_like_parent(parent, new) }}

{% for index in indexes %}
{{ create_index(new, index, index_name(new.identifier, index)) }}
{% endfor %}
analyze {{ new }};
{{ comment_columns(new) }}
{{ grant_as_configured(new) }}
{% endmacro %}


{#
    SQL that asks the model's `publish_check` whether a built partition may be published: a scalar query in which `{new}`,
    `{lower}` and `{upper}` stand for the table and its bounds; it returns null, or the reason why not. A reason rolls the
    partition back: the published one stays.
#}
{% macro check_before_publishing(new, name, lower, upper) %}
    {%- if config.get('publish_check') %}
do $check$
declare
    reason constant text := (
        {{ config.get('publish_check') | replace('{new}', new.render()) | replace('{lower}', lower) | replace('{upper}', upper) }}
    );
begin
    if reason is not null then
        raise exception '{{ name }} is not published: %', reason
            using hint = 'The published partition stays as it was.';
    end if;
end
$check$;
    {%- endif %}
{% endmacro %}


{# The name that a partition has while it is built. #}
{% macro new_name(name) %}
    {{- return(shorten_name(name ~ '__new')) -}}
{% endmacro %}


{% macro _bound_name(new) %}
    {{- return(shorten_name(new.identifier ~ '_bound')) -}}
{% endmacro %}


{#
    The constraints under the names that they have on a partition under construction. Keys own an index, whose name is
    unique in the schema, and which is packed full: a partition is written once. A CHECK or FOREIGN KEY keeps its name:
    ATTACH finds the parent's CHECK by it.
#}
{% macro _named_for_partition(table, constraints) %}
    {%- set named = [] -%}
    {%- for constraint in constraints -%}
        {%- if constraint.kind == 'primary_key' -%}
            {%- do named.append(dict(constraint, name=shorten_name(table.identifier ~ '_pkey'), sql=constraint.sql ~ ' with (fillfactor = 100)')) -%}
        {%- elif constraint.kind == 'unique' -%}
            {%- do named.append(dict(
                constraint, name=shorten_name(table.identifier ~ '_' ~ constraint.columns | join('_') ~ '_key'),
                sql=constraint.sql ~ ' with (fillfactor = 100)'
            )) -%}
        {%- else -%}
            {%- do named.append(constraint) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(named) -}}
{% endmacro %}


{#
    SQL that gives the NOT NULLs of a partition under construction the names that they have on its parent, as PostgreSQL
    does for a partition of its own. Since PostgreSQL 18 they are constraints with a name, made here from the temporary
    name of the table, and an inherited one cannot be renamed any more. Before 18 there is nothing to rename.
#}
{% macro name_not_nulls_like_parent(parent, new) %}
do $names$
declare
    renaming text;
begin
    for renaming in
        select format('alter table {{ new }} rename constraint %I to %I', mine.conname, theirs.conname)
        from pg_catalog.pg_constraint as mine
        inner join pg_catalog.pg_attribute as my_column on my_column.attrelid = mine.conrelid and my_column.attnum = mine.conkey[1]
        inner join pg_catalog.pg_attribute as their_column on
            their_column.attrelid = '{{ parent }}'::regclass and their_column.attname = my_column.attname
        inner join pg_catalog.pg_constraint as theirs on
            theirs.conrelid = their_column.attrelid and theirs.conkey = array[their_column.attnum]
        where mine.conrelid = '{{ new }}'::regclass and mine.contype = 'n' and theirs.contype = 'n'
    loop
        execute renaming;
    end loop;
end
$names$;
{% endmacro %}


{#
    SQL that adds constraints to a table in one ALTER TABLE; if a row breaks one, the error names the partition, the
    constraint (as it is called once published) and some of the offending rows. Extra actions of the ALTER TABLE may follow.
#}
{% macro add_constraints_or_explain(table, name, constraints, kinds) %}
    {%- set actions = [] -%}
    {%- for constraint in constraints if constraint.kind in kinds -%}
        {%- do actions.append(constraint.sql if constraint.kind == 'not_null' else 'add constraint ' ~ constraint.name ~ ' ' ~ constraint.sql) -%}
    {%- endfor -%}
    {%- set actions = actions + varargs | list -%}
    {%- if actions -%}
do $explain$
declare
    broken_constraint text;
    broken_column text;
    reason text;
    sample text;
begin
    alter table {{ table }}
        {{ actions | join(',\n        ') }};
exception
    when check_violation or not_null_violation or unique_violation or foreign_key_violation then
        get stacked diagnostics
            broken_constraint = constraint_name, broken_column = column_name, reason = pg_exception_detail;
        {%- for constraint in constraints if constraint.kind in ('primary_key', 'unique') and constraint.kind in kinds %}
        if broken_constraint = '{{ constraint.name }}' then
            broken_constraint := '{{ shorten_name(constraint.name | replace(table.identifier, name)) }}';
        end if;
        {%- endfor %}
        {%- for constraint in constraints if constraint.kind == 'check' and 'check' in kinds %}
        if broken_constraint = '{{ constraint.name }}' then
            select string_agg(bad::text, ' ') into sample
            from (select * from {{ table }} where not ({{ constraint.expression }}) limit 3) as bad;
        end if;
        {%- endfor %}
        if sqlstate = '23502' then
            execute format('select string_agg(bad::text, '' '') from (select * from {{ table }} where %I is null limit 3) as bad', broken_column)
            into sample;
            broken_constraint := 'not null (' || broken_column || ')';
        end if;
        raise exception using
            errcode = sqlstate,
            message = format('{{ name }} is not published: rows break %s: %s', broken_constraint, coalesce(sample, reason, sqlerrm)),
            hint = 'The published partition stays as it was. Correct the source rows, or quarantine them, and build again.';
end
$explain$;
    {%- endif -%}
{% endmacro %}
