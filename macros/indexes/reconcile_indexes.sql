{#
    Makes the indexes of an existing relation what the model says: creates what is missing or differs, drops what the
    project made and the model no longer names. Indexes of others (no mark in their comment) stay. On a partitioned table
    the partitions follow their parent. Returns SQL, empty when nothing differs; run it in one transaction.

    CREATE INDEX takes SHARE: readers do not notice. DROP INDEX takes ACCESS EXCLUSIVE for an instant, by `retry_locks`.
#}
{% macro reconcile_indexes(relation, indexes) %}
    {%- set existing = {} -%}
    {%- set catalog_sql -%}
        select index_class.relname as name, obj_description(index_class.oid, 'pg_class') as mark
        from pg_catalog.pg_index
        inner join pg_catalog.pg_class as index_class on index_class.oid = pg_index.indexrelid
        where pg_index.indrelid = to_regclass('{{ relation.render() }}')
    {%- endset -%}
    {%- for row in run_query(catalog_sql) -%}
        {%- do existing.update({row['name']: row['mark'] or ''}) -%}
    {%- endfor -%}
    {%- set schema = relation.include(database=false, identifier=false) -%}
    {%- set statements = [] -%}
    {%- set wanted = [] -%}
    {%- for index in indexes -%}
        {%- set name = index_name(relation.identifier, index) -%}
        {%- do wanted.append(name) -%}
        {%- if name not in existing -%}
            {%- do log_decision(relation, 'index ' ~ name ~ ': new') -%}
            {%- do statements.append(create_index(relation, index, name)) -%}
        {%- elif existing[name] != 'dbt_index: ' ~ index.hash -%}
            {%- do log_decision(relation, 'index ' ~ name ~ ': definition changed') -%}
            {%- set temporary_name = shorten_name(name ~ '__new') -%}
            {%- do statements.append(create_index(relation, index, temporary_name)) -%}
            {%- do statements.append(retry_locks(
                'index ' ~ name,
                'drop index ' ~ schema ~ '.' ~ name ~ '; alter index ' ~ schema ~ '.' ~ temporary_name ~ ' rename to ' ~ name ~ ';'
            )) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name, mark in existing.items() if mark.startswith('dbt_index: ') and name not in wanted -%}
        {%- do log_decision(relation, 'index ' ~ name ~ ': no longer wanted') -%}
        {%- do statements.append(retry_locks('index ' ~ name, 'drop index ' ~ schema ~ '.' ~ name ~ ';')) -%}
    {%- endfor -%}
    {{- return(statements | join('\n')) -}}
{% endmacro %}
