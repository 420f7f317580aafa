{#
    SQL text (jsonb) of a new state: `sources` and `definition` are hashes, `rows_query` a scalar query or none.
    `version` is the time of building: whatever reads the relation sees that it is to be read again.
#}
{% macro state_sql(sources, definition, rows_query=none) %}
    {{- return(
        "jsonb_build_object('version', " ~ version_at('clock_timestamp()') ~ ", 'sources', '" ~ sources
        ~ "', 'definition', '" ~ definition ~ "', 'built_at', clock_timestamp()::timestamptz(0)"
        ~ (", 'rows', (" ~ rows_query ~ ")" if rows_query else '') ~ ")"
    ) -}}
{% endmacro %}


{# SQL text of the version that a relation built at `time_sql` has: text that sorts as the time does. #}
{% macro version_at(time_sql) %}
    {{- return("to_char(" ~ time_sql ~ " at time zone 'utc', 'YYYYMMDD\"T\"HH24MISSUS')") -}}
{% endmacro %}
