{#
    A scalar query: the names of the views and materialized views that read a relation, directly or through others,
    separated by commas, null if there are none.
#}
{% macro dependants_of(relation) %}
    {{- return("select string_agg(name, ', ' order by depth, name) from (" ~ dependants_query(relation) ~ ") as dependants") -}}
{% endmacro %}


{# SQL: (oid, name, kind, depth) of each dependant; depth is the longest way to it, so that order by depth can recreate them. #}
{% macro dependants_query(relation) %}
with recursive chain (oid, depth) as (
    select to_regclass('{{ relation.render() }}')::oid, 0
    union all
    select pg_rewrite.ev_class, chain.depth + 1
    from chain
    inner join pg_catalog.pg_depend on
        pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = chain.oid and pg_depend.classid = 'pg_rewrite'::regclass
    inner join pg_catalog.pg_rewrite on pg_rewrite.oid = pg_depend.objid and pg_rewrite.ev_class != chain.oid
)

select pg_class.oid, pg_class.oid::regclass::text as name, pg_class.relkind::text as kind, max(chain.depth) as depth
from chain
inner join pg_catalog.pg_class on pg_class.oid = chain.oid
where chain.depth > 0
group by pg_class.oid, pg_class.relkind
{% endmacro %}


{# Whether a view or materialized view reads a relation that `retire_relation` moved to the archive schema. #}
{% macro reads_retired_relation(relation) %}
    {%- set reads_sql -%}
        select 1
        from pg_catalog.pg_rewrite
        inner join pg_catalog.pg_depend on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
        inner join pg_catalog.pg_class on pg_depend.refclassid = 'pg_class'::regclass and pg_class.oid = pg_depend.refobjid
        where pg_rewrite.ev_class = to_regclass('{{ relation.render() }}') and pg_class.relnamespace::regnamespace::text like '{{ archive_schema() }}\_%'
        limit 1
    {%- endset -%}
    {{- return(run_query(reads_sql) | length > 0) -}}
{% endmacro %}


{# The schema that retired relations and detached partitions are moved to. #}
{% macro archive_schema() %}
    {{- return(var('archive_schema', 'archivo')) -}}
{% endmacro %}
