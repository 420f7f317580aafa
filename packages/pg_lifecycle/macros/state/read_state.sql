{# The state of a relation as a dict (see `state_of`), empty if none is kept. #}
{% macro read_state(relation) %}
    {%- set state_query -%}
        select {{ pg_lifecycle.state_of(pg_lifecycle.oid_of(relation)) }}::text as state
    {%- endset -%}
    {{- return(fromjson(run_query(state_query)[0]['state'] or '{}', {})) -}}
{% endmacro %}
