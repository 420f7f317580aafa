{#
    SQL that brings the comments and grants of an existing relation (and of its partitions) up to date, revokes
    included. Empty when nothing differs, so that a run without changes writes nothing. kind: as in COMMENT ON.
#}
{% macro document_relation(relation, kind) %}
    {%- set texts = [model.description] + model.columns.values() | map(attribute='description') | list -%}
    {%- set documentation = local_md5(texts | join('|') ~ config.persist_column_docs()) -%}
    {%- set relations_query -%}
        select
            null as name,
            {{ pg_lifecycle.state_of(pg_lifecycle.oid_of(relation)) }} ->> 'documentation' as documentation
        union all
        select name, null from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
    {%- endset -%}
    {%- set rows = run_query(relations_query) -%}
    {%- set statements = [] -%}
    {%- if rows[0]['documentation'] != documentation -%}
        {%- for row in rows -%}
            {%- set one = pg_lifecycle.beside(relation, row['name']) if row['name'] else relation -%}
            {%- set state = 'coalesce(' ~ pg_lifecycle.state_of(pg_lifecycle.oid_of(one)) ~ ", '{}')" -%}
            {%- set state = state if row['name'] else state ~ " || '{\"documentation\": \"" ~ documentation ~ "\"}'" -%}
            {%- do statements.append(pg_lifecycle.comment_with_state(kind, one, model.description, state)) -%}
            {%- do statements.append(pg_lifecycle.comment_columns(one)) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do statements.append(pg_lifecycle.reconcile_grants(relation)) -%}
    {{- return(statements | join('\n') | trim) -}}
{% endmacro %}
