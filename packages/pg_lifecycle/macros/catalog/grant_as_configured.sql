{# SQL that grants a new relation's privileges as the `grants` config says (nothing to revoke: it is new). #}
{% macro grant_as_configured(relation) %}
    {%- for statement in get_dcl_statement_list(relation, config.get('grants') or {}, get_grant_sql) %}
{{ statement }};
    {%- endfor %}
{% endmacro %}
