{#
    Compares the existing table with the model, by the catalog, and returns SQL that brings it up to date: the whole
    table when there is none, new nullable columns on every partition, indexes. A difference that cannot be applied
    safely stops the run and says what it is and what to do.
#}
{% macro compare_parent(relation, partitioning, constraints, indexes) %}
    {%- set catalog_sql -%}
        select relkind::text as kind, pg_get_partkeydef(oid) as partition_key
        from pg_catalog.pg_class
        where oid = to_regclass('{{ relation.render() }}')
    {%- endset -%}
    {%- set existing = run_query(catalog_sql) -%}
    {%- if existing | length == 0 -%}
        {%- do log_decision(relation, 'new partitioned table') -%}
        {{- return(create_partitioned_parent(relation, partitioning, constraints, indexes)) -}}
    {%- endif -%}
    {%- set kind = existing[0]['kind'] -%}
    {%- set wanted_key = 'RANGE (' ~ partitioning.column ~ ')' -%}
    {%- set differences = [] -%}
    {%- if kind != 'p' -%}
        {%- do differences.append("it is a " ~ {'r': 'plain table', 'v': 'view', 'm': 'materialized view'}.get(kind, kind) ~ ", the model wants a partitioned table") -%}
    {%- elif existing[0]['partition_key'] != wanted_key -%}
        {%- do differences.append("it is partitioned by " ~ existing[0]['partition_key'] ~ ", the model wants " ~ wanted_key) -%}
    {%- endif -%}
    {%- set columns = compare_columns(relation) -%}
    {%- do differences.extend(columns.differences) -%}
    {%- do differences.extend(compare_constraints(relation, constraints)) -%}
    {%- if differences -%}
        {%- do exceptions.raise_compiler_error(
            relation.render() ~ " differs from its model in a way that cannot be changed in place:\n  - " ~ differences | join('\n  - ')
            ~ "\nNothing was changed. Move it away, with everything that reads it left in place, and build it anew:\n"
            ~ "  dbt run-operation retire_relation --args '{model: " ~ model.name ~ ", dry_run: false}'\n  dbt build"
        ) -%}
    {%- endif -%}
    {{- return((columns.statements + [reconcile_indexes(relation, indexes)]) | join('\n') | trim) -}}
{% endmacro %}
