{# Drops what a killed run left outside the tree: tables under construction that never were attached. #}
{% macro drop_leftovers(relation) %}
    {%- set leftovers_query -%}
        select relname as name
        from pg_catalog.pg_class
        where
            relnamespace = (
                select relnamespace from pg_catalog.pg_class where oid = {{ pg_lifecycle.oid_of(relation) }}
            )
            and relkind = 'r' and not relispartition
            and obj_description(oid, 'pg_class') = {{ pg_lifecycle.literal(pg_lifecycle.under_construction(relation)) }}
    {%- endset -%}
    {%- for row in run_query(leftovers_query) -%}
        {%- set leftover = pg_lifecycle.beside(relation, row['name']) -%}
        {%- do pg_lifecycle.log_decision(leftover, 'left over by a killed run, dropped') -%}
        {%- do pg_lifecycle.run_in_transaction('leftover', 'drop table ' ~ leftover ~ ';') -%}
    {%- endfor -%}
{% endmacro %}
