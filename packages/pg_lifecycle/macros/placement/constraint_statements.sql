{#
    The ALTER TABLEs that add constraints: one for all, or on a cluster one for each, because Citus takes no other
    action beside a key.
#}
{% macro constraint_statements(table, constraints, placement) %}
    {%- set statements = [] -%}
    {%- for group in ([constraints] if placement.kind == 'local' else constraints | batch(1)) -%}
        {%- do statements.append(
            pg_lifecycle.add_constraints(table, group, group | map(attribute='kind') | unique | list)
        ) -%}
    {%- endfor -%}
    {{- return(statements) -}}
{% endmacro %}
