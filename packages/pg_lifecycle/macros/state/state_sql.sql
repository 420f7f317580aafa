{#
    SQL text (jsonb) of a new state: `sources` and `definition` are hashes, `rows_query` a scalar query or none.
    `version` is the time of building: whatever reads the relation sees that it is to be read again.
#}
{% macro state_sql(sources, definition, rows_query=none) %}
    {{- return(
        "jsonb_build_object('version', " ~ pg_lifecycle.version_at('clock_timestamp()') ~ ", 'sources', '" ~ sources
        ~ "', 'definition', '" ~ definition ~ "', 'built_at', clock_timestamp()::timestamptz(0)"
        ~ (", 'rows', (" ~ rows_query ~ ")" if rows_query else '') ~ ")"
    ) -}}
{% endmacro %}
