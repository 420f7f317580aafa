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
{{ pg_lifecycle.lock_referenced(relation, constraints) }}
create table {{ relation }} ({{ pg_lifecycle.typed_columns() }}) partition by range ({{ column }});
{{ pg_lifecycle.complete_table(relation, constraints, indexes, ['alter column ' ~ column ~ ' set not null']) }}
{% endmacro %}
