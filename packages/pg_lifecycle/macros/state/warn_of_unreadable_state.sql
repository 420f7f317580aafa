{#
    Warns of the relation, or its partitions, whose comment holds a state that cannot be read: they count as never
    built.
#}
{% macro warn_of_unreadable_state(relation) %}
    {%- set unreadable_query -%}
        select oid::regclass::text as name
        from (
            select {{ pg_lifecycle.oid_of(relation) }}::oid as oid
            union all
            select inhrelid from pg_catalog.pg_inherits where inhparent = {{ pg_lifecycle.oid_of(relation) }}
        ) as relations
        where obj_description(oid, 'pg_class') like '%dbt_state:%' and {{ pg_lifecycle.state_of('oid') }} is null
    {%- endset -%}
    {%- for row in run_query(unreadable_query) -%}
        {%- do exceptions.warn(
            'model ' ~ model.name ~ ': the comment of ' ~ row['name']
            ~ ' holds a state (dbt_state: ...) that cannot be read. It counts as never built and is built again,'
            ~ ' which writes the comment anew.'
        ) -%}
    {%- endfor -%}
{% endmacro %}
