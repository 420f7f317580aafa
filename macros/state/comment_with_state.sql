{#
    SQL that comments a relation with its description and its state (see `state_of`).

    kind: 'table', 'view' or 'materialized view'. state_sql: SQL text of type jsonb.
    Runs inside a DO block because COMMENT takes a literal only. Takes SHARE UPDATE EXCLUSIVE: readers do not notice.
#}
{% macro comment_with_state(kind, relation, description, state_sql) %}
do $comment$
begin
    {{ execute_comment_with_state(kind, relation, description, state_sql) }}
end
$comment$;
{% endmacro %}


{# The same as a statement for use inside a DO block. #}
{% macro execute_comment_with_state(kind, relation, description, state_sql) %}
    execute format(
        'comment on {{ kind }} {{ relation }} is %L',
        {{ postgres_escape_comment(description ~ '\n\ndbt_state: ') }} || ({{ state_sql }})::text
    );
{% endmacro %}


{# SQL that comments the columns of a relation with the descriptions of the model's yml, when `persist_docs` asks for it. #}
{% macro comment_columns(relation) %}
    {%- if config.persist_column_docs() %}
        {%- for column in model.columns.values() if column.description %}
comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ postgres_escape_comment(column.description) }};
        {%- endfor %}
    {%- endif %}
{% endmacro %}
