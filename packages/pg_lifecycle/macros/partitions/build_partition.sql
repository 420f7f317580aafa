{#
    SQL that builds one partition outside the tree, in a transaction of its own: the rows are written once, then get
    their constraints, bound, indexes, statistics, descriptions and grants. No other session sees or waits for anything.

    The CHECK of the bound lets ATTACH skip its scan. Foreign keys come last (`exchange_partition`), because they lock
    the referenced tables against writing. The comment says whose it is, for `drop_leftovers` after a kill.

    On a cluster CREATE TABLE AS would gather the rows on the coordinator. There the table is distributed while it is
    empty, beside its parent's shards, with the rules that need no index; then each worker fills its own, if the query
    keeps the distribution column.
#}
{% macro build_partition(parent, new, name, lower, upper, partitioning, model_sql, constraints, indexes) %}
{%- set column = adapter.quote(partitioning.column) -%}
{%- set placement = pg_lifecycle.placement_of(model) -%}
{%- set named = pg_lifecycle.constraints_of_partition(new, constraints) -%}
{%- set own_kinds = ['check', 'not_null', 'unique', 'primary_key'] -%}
{%- set bound = [
    'alter column ' ~ column ~ ' set not null',
    'add constraint ' ~ adapter.quote(pg_lifecycle.bound_name(new)) ~ ' check ('
        ~ column ~ " >= '" ~ lower ~ "' and " ~ column ~ " < '" ~ upper ~ "')",
] -%}
{%- set rows -%}
select {{ pg_lifecycle.cast_columns() }}
from (
{{ pg_lifecycle.restrict_to_partition(model_sql, lower, upper) }}
) as model_rows;
{%- endset -%}
drop table if exists {{ new }};
{%- if placement.kind == 'local' %}
create table {{ new }} as
{{ rows }}
comment on table {{ new }} is {{ pg_lifecycle.literal(pg_lifecycle.under_construction(parent)) }};

{{ pg_lifecycle.explain_violations(
    new, name, named, own_kinds, [pg_lifecycle.add_constraints(new, named, own_kinds, bound)]
) }}
{%- else %}
{%- set keys = named | selectattr('kind', 'in', ['primary_key', 'unique']) | list %}
create table {{ new }} ({{ pg_lifecycle.typed_columns() }});
comment on table {{ new }} is {{ pg_lifecycle.literal(pg_lifecycle.under_construction(parent)) }};
{{ pg_lifecycle.add_constraints(new, named, ['check', 'not_null'], bound) }}
{{ pg_lifecycle.place_table(new, placement, colocate_with=parent) }}
{{ pg_lifecycle.explain_violations(
    new, name, named, own_kinds,
    ['insert into ' ~ new ~ '\n' ~ rows] + pg_lifecycle.constraint_statements(new, keys, placement)
) }}
{%- endif %}

{{ pg_lifecycle._check_before_publishing(new, name, lower, upper) }}
{{ pg_lifecycle._name_not_nulls_like_parent(parent, new) }}

{% for index in indexes %}
{{ pg_lifecycle.create_index(new, index) }}
{% endfor %}
analyze {{ new }};
{{ pg_lifecycle.comment_columns(new) }}
{{ pg_lifecycle.grant_as_configured(new) }}
{% endmacro %}


{#
    SQL that asks the model's `publish_check` whether a built partition may be published: the name of a macro that gets
    the built table and its bounds, and returns a scalar query: null, or the reason why not. A reason rolls the
    partition back: the published one stays.
#}
{% macro _check_before_publishing(new, name, lower, upper) %}
    {%- set publish_check = config.get('publish_check') -%}
    {%- if publish_check %}
do $check$
declare
    reason constant text := (
        {{ pg_lifecycle.call_hook('publish_check', publish_check, model, new, lower, upper) }}
    );
begin
    if reason is not null then
        raise exception using
            message = {{ pg_lifecycle.literal(name ~ ' is not published: ') }} || reason,
            hint = 'The published partition stays as it was.';
    end if;
end
$check$;
    {%- endif %}
{% endmacro %}


{#
    SQL that gives the NOT NULLs of a partition under construction the names that they have on its parent, as PostgreSQL
    does for a partition of its own. Since PostgreSQL 18 they are constraints with a name, made here from the temporary
    name of the table, and an inherited one cannot be renamed any more. Before 18 there is nothing to rename.
#}
{% macro _name_not_nulls_like_parent(parent, new) %}
do $names$
declare
    renaming text;
begin
    for renaming in
        select format(
            'alter table %s rename constraint %I to %I', {{ pg_lifecycle.literal(new) }}, mine.conname, theirs.conname
        )
        from pg_catalog.pg_constraint as mine
        inner join pg_catalog.pg_attribute as my_column on
            my_column.attrelid = mine.conrelid and my_column.attnum = mine.conkey[1]
        inner join pg_catalog.pg_attribute as their_column on
            their_column.attrelid = {{ pg_lifecycle.oid_of(parent) }} and their_column.attname = my_column.attname
        inner join pg_catalog.pg_constraint as theirs on
            theirs.conrelid = their_column.attrelid and theirs.conkey = array[their_column.attnum]
        where mine.conrelid = {{ pg_lifecycle.oid_of(new) }} and mine.contype = 'n' and theirs.contype = 'n'
            and mine.conname != theirs.conname
    loop
        execute renaming;
    end loop;
end
$names$;
{% endmacro %}
