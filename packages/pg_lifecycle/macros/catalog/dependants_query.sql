{#
    SQL: (oid, name, kind, depth) of the views and materialized views that read a relation, directly or through others;
    depth is the longest way to it, so that `order by depth` can create them again.
#}
{% macro dependants_query(relation) %}
with recursive chain (oid, depth) as (
    select {{ pg_lifecycle.oid_of(relation) }}::oid, 0
    union all
    select pg_rewrite.ev_class, chain.depth + 1
    from chain
    inner join pg_catalog.pg_depend on
        pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = chain.oid
        and pg_depend.classid = 'pg_rewrite'::regclass
    inner join pg_catalog.pg_rewrite on pg_rewrite.oid = pg_depend.objid and pg_rewrite.ev_class != chain.oid
)

select pg_class.oid, pg_class.oid::regclass::text as name, pg_class.relkind::text as kind, max(chain.depth) as depth
from chain
inner join pg_catalog.pg_class on pg_class.oid = chain.oid
where chain.depth > 0
group by pg_class.oid, pg_class.relkind
{% endmacro %}
