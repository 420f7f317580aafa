{#
    SQL that comments a relation with its description and its state (see `state_of`).

    kind: 'table', 'view' or 'materialized view'. state_sql: SQL text of type jsonb.
    Runs inside a DO block because COMMENT takes a literal only. Takes SHARE UPDATE EXCLUSIVE: readers do not notice.
#}
{% macro comment_with_state(kind, relation, description, state_sql) %}
do $comment$
begin
    {{ pg_lifecycle.execute_comment_with_state(kind, relation, description, state_sql) }}
end
$comment$;
{% endmacro %}
