{#
    SQL that creates the empty partitioned table with the constraints of the contract and the indexes of the model.
    A primary or unique key must include the partition column, PostgreSQL's rule: told here before anything is built.
#}
{% macro create_partitioned_parent(relation, partitioning, constraints, indexes) %}
    {%- for constraint in constraints if constraint.kind in ('primary_key', 'unique') and partitioning.column not in constraint.columns -%}
        {%- do exceptions.raise_compiler_error(
            constraint.kind ~ " (" ~ constraint.columns | join(', ') ~ ") of " ~ model.name ~ " must include the partition column '"
            ~ partitioning.column ~ "': PostgreSQL enforces a key of a partitioned table partition by partition"
        ) -%}
    {%- endfor -%}
create table {{ relation }} ({{ typed_columns() }}) partition by range ({{ partitioning.column }});
alter table {{ relation }} alter column {{ partitioning.column }} set not null;
{{ add_constraints(relation, constraints, ['not_null', 'check', 'primary_key', 'unique', 'foreign_key']) }}
{%- for index in indexes %}
{{ create_index(relation, index, index_name(relation.identifier, index)) }}
{%- endfor %}
{% endmacro %}
