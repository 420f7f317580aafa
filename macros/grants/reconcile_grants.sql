{#
    SQL that makes the privileges on a relation, and on partitions whose privileges differ from it, those of the `grants`
    config, revokes included; empty when they are. As in dbt, a model without `grants` is left alone.
#}
{% macro reconcile_grants(relation) %}
    {%- set wanted = config.get('grants') or {} -%}
    {%- if not wanted -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set statements = _grant_differences(relation, wanted) -%}
    {%- set partitions_sql -%}
        select name from ({{ partitions_of(relation) }}) as partitions
        inner join pg_catalog.pg_class as child on child.oid = partitions.oid
        inner join pg_catalog.pg_class as parent on parent.oid = to_regclass('{{ relation.render() }}')
        {%- if not statements %}
        where child.relacl is distinct from parent.relacl
        {%- endif %}
    {%- endset -%}
    {%- for row in run_query(partitions_sql) -%}
        {%- do statements.extend(_grant_differences(relation.incorporate(path={'identifier': row['name']}), wanted)) -%}
    {%- endfor -%}
    {{- return(statements | join(';\n') ~ (';' if statements else '')) -}}
{% endmacro %}


{% macro _grant_differences(relation, wanted) %}
    {%- set current = adapter.standardize_grants_dict(run_query(get_show_grant_sql(relation))) -%}
    {{- return(
        get_dcl_statement_list(relation, diff_of_two_dicts(current, wanted), get_revoke_sql)
        + get_dcl_statement_list(relation, diff_of_two_dicts(wanted, current), get_grant_sql)
    ) -}}
{% endmacro %}
