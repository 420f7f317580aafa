{#
    SQL that gives a table that was just created, and holds nothing, the constraints of the contract and the indexes of
    the model, and puts it where its model wants it. A table on a cluster gets its foreign keys once it lies there.
    actions: further ones of the ALTER TABLE.
#}
{% macro complete_table(relation, constraints, indexes, actions=[]) %}
{%- set placement = pg_lifecycle.placement_of(model) -%}
{%- set own_kinds = ['not_null', 'check', 'primary_key', 'unique'] -%}
{{ pg_lifecycle.add_constraints(
    relation, constraints, own_kinds + (['foreign_key'] if placement.kind == 'local' else []), actions
) }}
{%- for index in indexes %}
{{ pg_lifecycle.create_index(relation, index) }}
{%- endfor %}
{%- if placement.kind != 'local' %}
{{ pg_lifecycle.place_table(relation, placement) }}
{{ pg_lifecycle.add_foreign_keys(relation, constraints) }}
{%- endif %}
{% endmacro %}
