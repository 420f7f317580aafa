{#
    The column is gone at once from the table and every partition; its values stay in the files until the partitions are
    built again. ACCESS EXCLUSIVE for an instant, by `retry_locks`.
#}
{% macro drop_column(model=none, column=none, dry_run=true) %}
    {%- set node = pg_lifecycle.operation_node('drop_column', model) -%}
    {%- set relation = pg_lifecycle.relation_of(node) -%}
    {%- set kind = pg_lifecycle.kind_of(relation) -%}
    {%- if kind not in ('r', 'p') -%}
        {%- do pg_lifecycle.refuse_operation(
            'drop_column, model: ' ~ relation.render() ~ ' is no table; a view follows its model by itself'
        ) -%}
    {%- endif -%}
    {%- set spare = adapter.get_columns_in_relation(relation) | map(attribute='name')
        | reject('in', node.columns.keys() | list) | sort -%}
    {%- if column not in spare -%}
        {%- do pg_lifecycle.refuse_operation(
            "drop_column, column: got '" ~ column ~ "', allowed are the columns of " ~ relation.render()
            ~ ' that its model no longer has: ' ~ (spare | join(', ') or 'none')
        ) -%}
    {%- endif -%}
    {%- do pg_lifecycle.run_operation(
        'drop_column ' ~ model, ['drop column ' ~ column ~ ' of ' ~ relation.render() ~ ' and of its partitions'],
        pg_lifecycle.retry_locks(
            relation.render() ~ ', column ' ~ column,
            'alter table ' ~ relation ~ ' drop column ' ~ adapter.quote(column) ~ ';'
        ), dry_run
    ) -%}
{% endmacro %}
