{#
    The constraints of a model's contract, ready for ALTER TABLE: a list of {kind, name, sql, columns, to, expression}.

    kind: not_null, check, unique, primary_key, foreign_key. A name of the yml is kept; the others follow PostgreSQL's
    own style (`<table>_pkey`, `<table>_<columns>_fkey`). Foreign keys are sorted by the table they point to, so that
    two builds lock those tables in the same order. dbt's yml has no place for the key of a snapshot: it is its
    `unique_key`. Keys of a distributed table are as `key_columns` has them.
#}
{% macro contract_constraints(table_name, node=none) %}
    {%- set node = node or model -%}
    {%- set found = [] -%}
    {%- for column in node.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- do found.append(pg_lifecycle._constraint(node, table_name, constraint, [column.name])) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if node.resource_type == 'snapshot' -%}
        {%- set key = node.config.unique_key -%}
        {%- set key = [key] if key is string else key | list -%}
        {%- do found.append(pg_lifecycle._constraint(node, table_name, {'type': 'primary_key'}, key)) -%}
    {%- endif -%}
    {%- for constraint in node.constraints or [] -%}
        {%- do found.append(pg_lifecycle._constraint(node, table_name, constraint, constraint.columns | list)) -%}
    {%- endfor -%}
    {{- return(found | sort(attribute='to')) -}}
{% endmacro %}


{% macro _constraint(node, table_name, constraint, columns) %}
    {%- set kind = constraint.type.value if constraint.type.value is defined else constraint.type -%}
    {%- set endings = {
        'not_null': '', 'primary_key': '_pkey', 'check': '_' ~ columns | join('_') ~ '_check',
        'unique': '_' ~ columns | join('_') ~ '_key', 'foreign_key': '_' ~ columns | join('_') ~ '_fkey',
    } -%}
    {%- if kind not in endings -%}
        {%- do pg_lifecycle.refuse('constraint', "type '" ~ kind ~ "'", endings.keys() | join(', '), node) -%}
    {%- endif -%}
    {%- for column in columns if column not in node.columns -%}
        {%- do pg_lifecycle.refuse(
            kind ~ ' of the contract', "column '" ~ column ~ "'",
            'its columns: ' ~ node.columns.keys() | join(', '), node
        ) -%}
    {%- endfor -%}
    {%- set columns = pg_lifecycle.key_columns(kind, columns, pg_lifecycle.placement_of(node)) -%}
    {%- set column_list = pg_lifecycle.quote_columns(columns) -%}
    {%- set to_columns = pg_lifecycle.quote_columns(constraint.to_columns or []) -%}
    {%- set sql = {
        'not_null': 'alter column ' ~ column_list ~ ' set not null',
        'check': 'check (' ~ constraint.expression ~ ')',
        'primary_key': 'primary key (' ~ column_list ~ ')',
        'unique': 'unique (' ~ column_list ~ ')',
        'foreign_key': 'foreign key (' ~ column_list ~ ') references ' ~ constraint.to ~ ' (' ~ to_columns ~ ')',
    }[kind] -%}
    {{- return({
        'kind': kind,
        'name': constraint.name or pg_lifecycle.shorten_name(table_name ~ endings[kind]),
        'sql': sql,
        'columns': columns,
        'to': constraint.to if kind == 'foreign_key' else '',
        'expression': constraint.expression,
    }) -}}
{% endmacro %}
