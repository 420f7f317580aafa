{#
    Views and materialized views that read it go on answering from the retired data; the build replaces them, because
    they read a retired relation. ACCESS EXCLUSIVE for an instant, by `retry_locks`.
#}
{% macro retire_relation(model=none, dry_run=true) %}
    {%- set relation = pg_lifecycle.relation_of(pg_lifecycle.operation_node('retire_relation', model)) -%}
    {%- set kind = pg_lifecycle.kind_of(relation) -%}
    {%- set now = modules.datetime.datetime.utcnow() -%}
    {%- set archive = pg_lifecycle.archive_schema() ~ '_' ~ now.strftime('%Y%m%d_%H%M%S') -%}
    {%- set noun = {'v': 'view', 'm': 'materialized view'}.get(kind, 'table') -%}
    {%- set referring_query -%}
        select string_agg(distinct conrelid::regclass::text, ', ') as tables
        from pg_catalog.pg_constraint
        where contype = 'f' and conparentid = 0 and confrelid = {{ pg_lifecycle.oid_of(relation) }}
    {%- endset -%}
    {%- set referring = run_query(referring_query)[0]['tables'] -%}
    {%- if referring -%}
        {%- do pg_lifecycle.refuse_operation(
            'retire_relation: these tables refer to ' ~ relation.render()
            ~ ' by foreign keys, retire them first: ' ~ referring
        ) -%}
    {%- endif -%}
    {%- set plan = [] -%}
    {%- set moves = [] -%}
    {%- if kind -%}
        {%- do plan.append('move ' ~ noun ~ ' ' ~ relation.render() ~ ' to schema ' ~ archive) -%}
        {%- do moves.append('alter ' ~ noun ~ ' ' ~ relation ~ ' set schema ' ~ adapter.quote(archive) ~ ';') -%}
        {%- for row in run_query(pg_lifecycle.partitions_of(relation)) -%}
            {%- do plan.append('move its partition ' ~ row['name']) -%}
            {%- do moves.append(
                'alter table ' ~ pg_lifecycle.beside(relation, row['name']) ~ ' set schema '
                ~ adapter.quote(archive) ~ ';'
            ) -%}
        {%- endfor -%}
        {%- for dependant in pg_lifecycle.read_dependants(relation) -%}
            {%- do plan.append(
                dependant.kind ~ ' ' ~ dependant.name ~ ' goes on reading it until the next dbt build'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do pg_lifecycle.run_operation(
        'retire_relation ' ~ model, plan,
        'create schema ' ~ adapter.quote(archive) ~ ';\n'
        ~ pg_lifecycle.retry_locks(relation.render(), moves | join('\n            ')), dry_run
    ) -%}
{% endmacro %}
