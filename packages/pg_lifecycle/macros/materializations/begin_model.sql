{#
    How every materialization here begins: a run of a part of the rows, and a wrong placement, are refused; hooks, the
    contract compared with the query, the lock that lets one build at a time work on the relation, and a warning of
    states that cannot be read.
#}
{% macro begin_model(relation, sql) %}
    {%- do pg_lifecycle.refuse_partial_rows() -%}
    {%- do pg_lifecycle.placement_of(model) -%}
    {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
    {%- if config.get('contract').enforced -%}
        {%- do get_assert_columns_equivalent(sql) -%}
    {%- endif -%}
    {%- do pg_lifecycle.lock_model(relation) -%}
    {%- do pg_lifecycle.warn_of_unreadable_state(relation) -%}
{% endmacro %}
