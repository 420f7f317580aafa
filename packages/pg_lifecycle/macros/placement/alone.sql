{#
    A statement (DDL, SET LOCAL) that stands by itself. Citus sends the text that the client sent to its workers, which
    would run all of it there: inside a DO block the text is the statement alone.
#}
{% macro alone(statement) %}
    {%- if pg_lifecycle.is_citus() -%}
do $alone$
begin
    {{ statement }}
end
$alone$;
    {%- else -%}
{{ statement }}
    {%- endif -%}
{% endmacro %}
