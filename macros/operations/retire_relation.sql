{#
    Moves a model's relation, with its partitions and data, out of the way into an archive schema of its own
    (`<archive_schema>_<time>`), so that the next build makes it anew: for a change that cannot be made in place (another
    partition key or granularity, another type, plain to partitioned and back).

        dbt run-operation retire_relation --args '{model: fact_ventas, dry_run: false}'
        dbt build

    Views and materialized views that read it go on answering from the retired data; the build replaces them, because
    they read a retired relation. A table that other tables refer to by foreign keys is refused: retire those first.
    Drop the archive schema when you no longer need it. ACCESS EXCLUSIVE for an instant, by `retry_locks`.
#}
{% macro retire_relation(model, dry_run=true) %}
    {%- set relation = operation_relation(operation_node(model)) -%}
    {%- set kind = kind_of(relation) -%}
    {%- set schema = relation.include(database=false, identifier=false) -%}
    {%- set archive = archive_schema() ~ '_' ~ modules.datetime.datetime.utcnow().strftime('%Y%m%d_%H%M%S') -%}
    {%- set noun = {'v': 'view', 'm': 'materialized view'}.get(kind, 'table') -%}
    {%- set referring_sql -%}
        select string_agg(distinct conrelid::regclass::text, ', ') as tables
        from pg_catalog.pg_constraint
        where contype = 'f' and conparentid = 0 and confrelid = to_regclass('{{ relation.render() }}')
    {%- endset -%}
    {%- set referring = run_query(referring_sql)[0]['tables'] -%}
    {%- if referring -%}
        {%- do exceptions.raise_compiler_error(relation.render() ~ ': these tables refer to it by foreign keys, retire them first: ' ~ referring) -%}
    {%- endif -%}
    {%- set plan = [] -%}
    {%- set moves = [] -%}
    {%- if kind -%}
        {%- do plan.append('move ' ~ noun ~ ' ' ~ relation.render() ~ ' to schema ' ~ archive) -%}
        {%- do moves.append('alter ' ~ noun ~ ' ' ~ relation ~ ' set schema ' ~ archive ~ ';') -%}
        {%- for row in run_query(partitions_of(relation)) -%}
            {%- do plan.append('move its partition ' ~ row['name']) -%}
            {%- do moves.append('alter table ' ~ schema ~ '.' ~ row['name'] ~ ' set schema ' ~ archive ~ ';') -%}
        {%- endfor -%}
        {%- for dependant in read_dependants(relation) -%}
            {%- do plan.append(dependant.kind ~ ' ' ~ dependant.name ~ ' goes on reading it until the next dbt build') -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do run_operation(
        'retire_relation ' ~ model, plan,
        'create schema ' ~ archive ~ ';\n' ~ retry_locks(relation.render(), moves | join('\n            ')), dry_run
    ) -%}
{% endmacro %}
