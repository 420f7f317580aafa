{#
    SQL that brings the comments and grants of an existing relation (and of its partitions) up to date, revokes
    included. Empty when nothing differs, so that a run without changes writes nothing. kind: as in COMMENT ON.
#}
{% macro document_relation(relation, kind) %}
    {%- set texts = [model.description] + model.columns.values() | map(attribute='description') | list -%}
    {%- set documentation = local_md5(texts | join('|') ~ config.persist_column_docs()) -%}
    {%- set relations_sql -%}
        select null as name, {{ state_of("to_regclass('" ~ relation.render() ~ "')") }} ->> 'documentation' as documentation
        union all
        select name, null from ({{ partitions_of(relation) }}) as partitions
    {%- endset -%}
    {%- set rows = run_query(relations_sql) -%}
    {%- set statements = [] -%}
    {%- if rows[0]['documentation'] != documentation -%}
        {%- for row in rows -%}
            {%- set one = relation.incorporate(path={'identifier': row['name']}) if row['name'] else relation -%}
            {%- set state = "coalesce(" ~ state_of("to_regclass('" ~ one.render() ~ "')") ~ ", '{}')" -%}
            {%- set state = state if row['name'] else state ~ " || '{\"documentation\": \"" ~ documentation ~ "\"}'" -%}
            {%- do statements.append(comment_with_state(kind, one, model.description, state)) -%}
            {%- do statements.append(comment_columns(one)) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do statements.append(reconcile_grants(relation)) -%}
    {{- return(statements | join('\n') | trim) -}}
{% endmacro %}
