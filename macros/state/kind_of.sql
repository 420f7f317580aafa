{# pg_class.relkind of a relation ('r' table, 'p' partitioned, 'v' view, 'm' materialized view), none if it is missing. #}
{% macro kind_of(relation) %}
    {%- set kind_sql -%}
        select relkind::text as kind from pg_catalog.pg_class where oid = to_regclass('{{ relation.render() }}')
    {%- endset -%}
    {%- set found = run_query(kind_sql) -%}
    {{- return(found[0]['kind'] if found | length > 0 else none) -}}
{% endmacro %}


{# The state of a relation as a dict (see `state_of`), empty if none is kept. #}
{% macro read_state(relation) %}
    {%- set state_query -%}
        select {{ state_of("to_regclass('" ~ relation.render() ~ "')") }}::text as state
    {%- endset -%}
    {{- return(fromjson(run_query(state_query)[0]['state'] or '{}', {})) -}}
{% endmacro %}
