{#
    pg_class.relkind of a relation ('r' table, 'p' partitioned, 'v' view, 'm' materialized view), none if it is missing.
#}
{% macro kind_of(relation) %}
    {%- set kind_query -%}
        select relkind::text as kind from pg_catalog.pg_class where oid = {{ pg_lifecycle.oid_of(relation) }}
    {%- endset -%}
    {%- set found = run_query(kind_query) -%}
    {{- return(found[0]['kind'] if found | length > 0 else none) -}}
{% endmacro %}
