{#
    SQL that adds the foreign keys of a table on a cluster, each by a statement of its own and after the table was
    distributed: Citus takes no other action beside one, and none before.
#}
{% macro add_foreign_keys(relation, constraints) %}
    {%- for constraint in constraints if constraint.kind == 'foreign_key' %}
{{ pg_lifecycle.alone(pg_lifecycle.add_constraints(relation, [constraint], ['foreign_key']) | trim) }}
    {%- endfor %}
{% endmacro %}
