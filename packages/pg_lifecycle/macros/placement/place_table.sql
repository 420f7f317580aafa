{#
    SQL that puts a table that was just created, and holds nothing, where its model wants it; empty without a cluster.
    colocate_with: a relation beside whose rows its own go, or none for those of the same type of column.
#}
{% macro place_table(relation, placement, colocate_with=none) %}
    {%- set table = pg_lifecycle.literal(relation.include(database=false).render()) -%}
    {%- if placement.kind == 'distributed' -%}
        {%- set beside = colocate_with.include(database=false).render() if colocate_with else 'default' -%}
select create_distributed_table({{ table }}, {{ pg_lifecycle.literal(placement.column) }},
    colocate_with => {{ pg_lifecycle.literal(beside) }});
    {%- elif placement.kind == 'reference' -%}
select create_reference_table({{ table }});
    {%- endif -%}
{% endmacro %}
