{#
    SQL that comments the columns of a relation with the descriptions of the model's yml, when `persist_docs` asks for
    it.
#}
{% macro comment_columns(relation) %}
    {%- if config.persist_column_docs() %}
        {%- for column in model.columns.values() if column.description %}
comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ postgres_escape_comment(column.description) }};
        {%- endfor %}
    {%- endif %}
{% endmacro %}
