{#
    The dependants of a relation, nearest first, each as {name, kind, create_sql}: SQL that creates it again with its
    indexes, comments and privileges, from PostgreSQL's own description of it.
#}
{% macro read_dependants(relation) %}
    {%- set dependants_sql -%}
        with

        dependants as (

            select oid, name, depth, case kind when 'm' then 'materialized view' else 'view' end as kind
            from ({{ pg_lifecycle.dependants_query(relation) }}) as found

        )

        select
            name,
            kind,
            concat_ws(
                E'\n            ',
                format('create %s %s as %s', kind, name, pg_get_viewdef(oid)),
                (
                    select string_agg(pg_get_indexdef(indexrelid) || ';', ' ')
                    from pg_catalog.pg_index
                    where indrelid = dependants.oid
                ),
                format('comment on %s %s is %L;', kind, name, obj_description(oid, 'pg_class')),
                (
                    select string_agg(
                        format('comment on column %s.%I is %L;', name, attname, col_description(attrelid, attnum)), ' '
                    )
                    from pg_catalog.pg_attribute
                    where attrelid = dependants.oid and attnum > 0 and col_description(attrelid, attnum) is not null
                ),
                (
                    select string_agg(
                        format(
                            'grant %s on %s to %s;', acl.privilege_type, name,
                            case when acl.grantee = 0 then 'public' else acl.grantee::regrole::text end
                        ),
                        ' '
                    )
                    from pg_catalog.pg_class
                    cross join lateral aclexplode(relacl) as acl
                    where pg_class.oid = dependants.oid and acl.grantee != relowner
                )
            ) as create_sql
        from dependants
        order by depth
    {%- endset -%}
    {%- set found = [] -%}
    {%- for row in run_query(dependants_sql) -%}
        {%- do found.append({'name': row['name'], 'kind': row['kind'], 'create_sql': row['create_sql']}) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}
