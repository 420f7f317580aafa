{# One ALTER TABLE that adds the constraints of the given kinds, and further actions; empty if there are none. #}
{% macro add_constraints(table, constraints, kinds, actions=[]) %}
    {%- set all_actions = [] -%}
    {%- for constraint in constraints if constraint.kind in kinds -%}
        {%- do all_actions.append(
            constraint.sql if constraint.kind == 'not_null'
            else 'add constraint ' ~ adapter.quote(constraint.name) ~ ' ' ~ constraint.sql
        ) -%}
    {%- endfor -%}
    {%- do all_actions.extend(actions) -%}
    {%- if all_actions -%}
        alter table {{ table }} {{ all_actions | join(', ') }};
    {%- endif -%}
{% endmacro %}
