{# The statement of `comment_with_state` for use inside a DO block. #}
{% macro execute_comment_with_state(kind, relation, description, state_sql) %}
    execute {{ pg_lifecycle.literal('comment on ' ~ kind ~ ' ' ~ relation.render() ~ ' is ') }} || quote_literal(
        {{ postgres_escape_comment(description ~ '\n\ndbt_state: ') }} || ({{ state_sql }})::text
    );
{% endmacro %}
