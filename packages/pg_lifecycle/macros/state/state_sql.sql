{#
    SQL text (jsonb) of a new state: `sources` and `definition` are hashes, `rows_query` a scalar query or none.
    `version` is the time of building: whatever reads the relation sees that it is to be read again.
    data_through (config): name of a macro that returns a scalar SQL expression, up to when the data go. Its value at
    the moment of publishing is kept as text, so it is true of what is published even if a later build fails.
#}
{% macro state_sql(sources, definition, rows_query=none) %}
    {%- set hook = config.get('data_through') -%}
    {%- set through = pg_lifecycle.call_hook('data_through', hook, model) if hook else '' -%}
    {{- return(
        "jsonb_build_object('version', " ~ pg_lifecycle.version_at('clock_timestamp()') ~ ", 'sources', '" ~ sources
        ~ "', 'definition', '" ~ definition ~ "', 'built_at', clock_timestamp()::timestamptz(0)"
        ~ (", 'rows', (" ~ rows_query ~ ")" if rows_query else '')
        ~ (", 'data_through', coalesce((" ~ through ~ ")::text, '')" if through else '') ~ ")"
    ) -}}
{% endmacro %}
