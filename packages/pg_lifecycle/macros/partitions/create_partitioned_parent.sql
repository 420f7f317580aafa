{#
    SQL that creates the empty partitioned table with the constraints of the contract and the indexes of the model.
    A primary or unique key must include the partition column, PostgreSQL's rule: told here before anything is built.
    Locks: those of `lock_referenced`.
#}
{% macro create_partitioned_parent(relation, partitioning, constraints, indexes) %}
    {%- for constraint in constraints
        if constraint.kind in ('primary_key', 'unique') and partitioning.column not in constraint.columns -%}
        {%- do pg_lifecycle.refuse(
            constraint.kind, '(' ~ constraint.columns | join(', ') ~ ')',
            "one that must include the partition column '" ~ partitioning.column
            ~ "': PostgreSQL enforces a key of a partitioned table partition by partition"
        ) -%}
    {%- endfor -%}
    {%- set column = adapter.quote(partitioning.column) -%}
    {%- set placement = pg_lifecycle.placement_of(model) -%}
{{ pg_lifecycle.lock_referenced(relation, constraints) }}
create table {{ relation }} ({{ pg_lifecycle.typed_columns() }}) partition by range ({{ column }});
{{ pg_lifecycle.add_constraints(
    relation, constraints, ['not_null', 'check', 'primary_key', 'unique'] + ([] if placement.kind != 'local'
    else ['foreign_key']), ['alter column ' ~ column ~ ' set not null']
) }}
{%- for index in indexes %}
{{ pg_lifecycle.create_index(relation, index) }}
{%- endfor %}
{%- if placement.kind != 'local' %}
{{ pg_lifecycle.place_table(relation, placement) }}
{{ pg_lifecycle.add_foreign_keys(relation, constraints) }}
{%- endif %}
{% endmacro %}
