{#
    The privileges that others hold on a relation, from the catalog. dbt-postgres reads information_schema, which does
    not list materialized views, so revokes never reach them.
#}
{% macro postgres__get_show_grant_sql(relation) %}
    select
        case when acl.grantee = 0 then 'public' else acl.grantee::regrole::text end as grantee,
        acl.privilege_type
    from pg_catalog.pg_class
    cross join lateral aclexplode(pg_class.relacl) as acl
    where
        pg_class.oid = to_regclass('{{ relation.render() }}')
        and acl.grantee != pg_class.relowner
{% endmacro %}
