{# ACCESS EXCLUSIVE on the parent for an instant per partition, by `retry_locks`. #}
{% macro detach_partitions(model=none, before=none, drop=false, dry_run=true) %}
    {%- set node = pg_lifecycle.operation_node('detach_partitions', model, 'partitioned') -%}
    {%- set relation = pg_lifecycle.relation_of(node) -%}
    {%- set archive = pg_lifecycle.archive_schema() -%}
    {%- if not modules.re.fullmatch('\\d{4}-\\d{2}-\\d{2}', before | string) -%}
        {%- do pg_lifecycle.refuse_operation(
            "detach_partitions, before: got '" ~ before ~ "', expected a date such as 2022-01-01"
        ) -%}
    {%- endif -%}
    {%- set old_query -%}
        select name, lower, upper from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
        where upper::date <= '{{ before }}'::date
        order by lower
    {%- endset -%}
    {%- set plan = [] -%}
    {%- set statements = ['create schema if not exists ' ~ adapter.quote(archive) ~ ';'] -%}
    {%- for row in run_query(old_query) -%}
        {%- set fate = 'drop' if drop else 'detach into schema ' ~ archive -%}
        {%- do plan.append(row['name'] ~ ', ' ~ row['lower'] ~ ' to ' ~ row['upper'] ~ ': ' ~ fate) -%}
        {%- set table = pg_lifecycle.beside(relation, row['name']) -%}
        {%- do statements.append(pg_lifecycle.retry_locks(
            row['name'],
            'alter table ' ~ relation ~ ' detach partition ' ~ table ~ '; '
            ~ ('drop table ' ~ table if drop
                else 'alter table ' ~ table ~ ' set schema ' ~ adapter.quote(archive)) ~ ';'
        )) -%}
    {%- endfor -%}
    {%- if plan -%}
        {%- set kept = pg_lifecycle.state_of(pg_lifecycle.oid_of(relation)) -%}
        {%- do statements.append(pg_lifecycle.comment_with_state(
            'table', relation, node.description,
            'coalesce(' ~ kept ~ ", '{}') || '{\"retained_from\": \"" ~ before ~ "\"}'"
        )) -%}
    {%- endif -%}
    {%- do pg_lifecycle.run_operation('detach_partitions ' ~ model, plan, statements | join('\n'), dry_run) -%}
{% endmacro %}
