{#
    Makes the indexes of an existing relation what the model says: creates what is missing or differs, drops what was
    made here and the model no longer names. Indexes of others (no mark in their comment) stay. On a partitioned table
    the partitions follow their parent. Returns SQL, empty when nothing differs; run it in one transaction.

    CREATE INDEX takes SHARE: readers do not notice. DROP INDEX takes ACCESS EXCLUSIVE for an instant, by `retry_locks`.
#}
{% macro reconcile_indexes(relation, indexes) %}
    {%- set existing = pg_lifecycle._read_index_marks(relation) -%}
    {%- set statements = [] -%}
    {%- set wanted = [] -%}
    {%- for index in indexes -%}
        {%- set name = pg_lifecycle.index_name(relation.identifier, index) -%}
        {%- do wanted.append(name) -%}
        {%- if name not in existing -%}
            {%- do pg_lifecycle.log_decision(relation, 'index ' ~ name ~ ': new') -%}
            {%- do statements.append(pg_lifecycle.create_index(relation, index, name)) -%}
        {%- elif existing[name] != 'dbt_index: ' ~ index.hash -%}
            {%- do pg_lifecycle.log_decision(relation, 'index ' ~ name ~ ': definition changed') -%}
            {%- set new = pg_lifecycle.new_name(name) -%}
            {%- do statements.append(pg_lifecycle.create_index(relation, index, new)) -%}
            {%- do statements.append(pg_lifecycle.retry_locks(
                relation.render() ~ ', index ' ~ name,
                'drop index ' ~ pg_lifecycle.beside(relation, name) ~ '; '
                ~ pg_lifecycle.rename_index(relation, new, name)
            )) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name, mark in existing.items() if mark.startswith('dbt_index: ') and name not in wanted -%}
        {%- do pg_lifecycle.log_decision(relation, 'index ' ~ name ~ ': no longer wanted') -%}
        {%- do statements.append(pg_lifecycle.retry_locks(
            relation.render() ~ ', index ' ~ name, 'drop index ' ~ pg_lifecycle.beside(relation, name) ~ ';'
        )) -%}
    {%- endfor -%}
    {{- return(statements | join('\n')) -}}
{% endmacro %}


{# The indexes of a relation as {name: its comment}. #}
{% macro _read_index_marks(relation) %}
    {%- set marks_query -%}
        select index_class.relname as name, obj_description(index_class.oid, 'pg_class') as mark
        from pg_catalog.pg_index
        inner join pg_catalog.pg_class as index_class on index_class.oid = pg_index.indexrelid
        where pg_index.indrelid = {{ pg_lifecycle.oid_of(relation) }}
    {%- endset -%}
    {%- set marks = {} -%}
    {%- for row in run_query(marks_query) -%}
        {%- do marks.update({row['name']: row['mark'] or ''}) -%}
    {%- endfor -%}
    {{- return(marks) -}}
{% endmacro %}
