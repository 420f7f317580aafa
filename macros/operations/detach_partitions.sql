{#
    Takes partitions out of a model's table into the archive schema (var `archive_schema`), where they stay as plain
    tables until somebody drops them, and remembers the limit, so that a build does not make them again.

        dbt run-operation detach_partitions --args '{model: fact_ventas, before: 2022-01-01, dry_run: false}'

    before: ISO date; partitions that end at or before it go. drop: true drops them instead. Apply it to the whole lineage
    (raw table by the loader's retention, fact, aggregates), or totals along the lineage will differ.
    ACCESS EXCLUSIVE on the parent for an instant, by `retry_locks`.
#}
{% macro detach_partitions(model, before, drop=false, dry_run=true) %}
    {%- set node = operation_node(model, 'partitioned') -%}
    {%- set relation = operation_relation(node) -%}
    {%- set schema = relation.include(database=false, identifier=false) -%}
    {%- if not modules.re.fullmatch('\\d{4}-\\d{2}-\\d{2}', before | string) -%}
        {%- do exceptions.raise_compiler_error("before: got '" ~ before ~ "', expected a date such as 2022-01-01") -%}
    {%- endif -%}
    {%- set old_sql -%}
        select name, lower, upper from ({{ partitions_of(relation) }}) as partitions
        where upper::date <= '{{ before }}'::date
        order by lower
    {%- endset -%}
    {%- set plan = [] -%}
    {%- set statements = ['create schema if not exists ' ~ archive_schema() ~ ';'] -%}
    {%- for row in run_query(old_sql) -%}
        {%- set fate = 'drop' if drop else 'detach into schema ' ~ archive_schema() -%}
        {%- do plan.append(row['name'] ~ ', ' ~ row['lower'] ~ ' to ' ~ row['upper'] ~ ': ' ~ fate) -%}
        {%- set table = schema ~ '.' ~ row['name'] -%}
        {%- do statements.append(retry_locks(
            row['name'],
            'alter table ' ~ relation ~ ' detach partition ' ~ table ~ '; '
            ~ ('drop table ' ~ table if drop else 'alter table ' ~ table ~ ' set schema ' ~ archive_schema()) ~ ';'
        )) -%}
    {%- endfor -%}
    {%- if plan -%}
        {%- set kept = state_of("to_regclass('" ~ relation.render() ~ "')") -%}
        {%- do statements.append(comment_with_state(
            'table', relation, node.description, "coalesce(" ~ kept ~ ", '{}') || '{\"retained_from\": \"" ~ before ~ "\"}'"
        )) -%}
    {%- endif -%}
    {%- do run_operation('detach_partitions ' ~ model, plan, statements | join('\n'), dry_run) -%}
{% endmacro %}
