{#
    SQL that makes the privileges on a relation, and on partitions whose privileges differ from it, those of the
    `grants` config, revokes included; empty when they are. As in dbt, a model without `grants` is left alone.
#}
{% macro reconcile_grants(relation) %}
    {%- set wanted = config.get('grants') or {} -%}
    {%- if not wanted -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set statements = pg_lifecycle._grant_differences(relation, wanted) -%}
    {%- set partitions_query -%}
        select name from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
        inner join pg_catalog.pg_class as child on child.oid = partitions.oid
        inner join pg_catalog.pg_class as parent on parent.oid = {{ pg_lifecycle.oid_of(relation) }}
        {%- if not statements %}
        where child.relacl is distinct from parent.relacl
        {%- endif %}
    {%- endset -%}
    {%- for row in run_query(partitions_query) -%}
        {%- set partition = pg_lifecycle.beside(relation, row['name']) -%}
        {%- do statements.extend(pg_lifecycle._grant_differences(partition, wanted)) -%}
    {%- endfor -%}
    {{- return(statements | join(';\n') ~ (';' if statements else '')) -}}
{% endmacro %}


{% macro _grant_differences(relation, wanted) %}
    {%- set current = adapter.standardize_grants_dict(run_query(pg_lifecycle._privileges_query(relation))) -%}
    {{- return(
        get_dcl_statement_list(relation, diff_of_two_dicts(current, wanted), get_revoke_sql)
        + get_dcl_statement_list(relation, diff_of_two_dicts(wanted, current), get_grant_sql)
    ) -}}
{% endmacro %}


{#
    The privileges that others hold on a relation, from the catalog. dbt-postgres reads information_schema, which does
    not list materialized views, so its revokes never reach them.
#}
{% macro _privileges_query(relation) %}
    select
        case when acl.grantee = 0 then 'public' else acl.grantee::regrole::text end as grantee,
        acl.privilege_type
    from pg_catalog.pg_class
    cross join lateral aclexplode(pg_class.relacl) as acl
    where pg_class.oid = {{ pg_lifecycle.oid_of(relation) }} and acl.grantee != pg_class.relowner
{% endmacro %}
