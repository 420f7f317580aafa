{#
    Where a model or seed wants its rows on a Citus cluster, {kind, column}: 'distributed' over the workers by a column
    (config `distributed_by`), 'reference', a copy on every node (config `reference`), else 'local', on the coordinator.
    Where the database is no cluster everything is local. The config is checked in any case: a mistake is to be found
    before the day of the move.
#}
{% macro placement_of(node) %}
    {%- set wanted = node.config or {} -%}
    {%- set column = wanted.get('distributed_by') -%}
    {%- set reference = wanted.get('reference', false) -%}
    {%- if column is none and reference is sameas false -%}
        {{- return({'kind': 'local', 'column': none}) -}}
    {%- endif -%}
    {%- if reference is not boolean -%}
        {%- do pg_lifecycle.refuse('reference', "'" ~ reference ~ "'", 'true or false', node) -%}
    {%- endif -%}
    {%- if column is not none and reference -%}
        {%- do pg_lifecycle.refuse(
            'distributed_by and reference', 'both',
            'one of them: rows are spread over the workers by a column, or copied to every node', node
        ) -%}
    {%- endif -%}
    {%- if column is not none and (column is not string or column not in node.columns) -%}
        {%- do pg_lifecycle.refuse(
            'distributed_by', "'" ~ column ~ "'", 'one of its columns: ' ~ node.columns.keys() | join(', '), node
        ) -%}
    {%- endif -%}
    {%- if node.resource_type != 'seed' and node.config.materialized not in ('partitioned', 'upsert') -%}
        {%- do pg_lifecycle.refuse(
            'distributed_by, reference', 'a ' ~ node.config.materialized ~ ' model',
            'partitioned and upsert models, seeds; anything else stays on the coordinator', node
        ) -%}
    {%- endif -%}
    {%- if reference and node.config.materialized == 'partitioned' -%}
        {%- do pg_lifecycle.refuse(
            'reference', 'true of a partitioned model', 'distributed_by; a reference table has no partitions', node
        ) -%}
    {%- endif -%}
    {%- if not pg_lifecycle.is_citus() -%}
        {{- return({'kind': 'local', 'column': none}) -}}
    {%- endif -%}
    {{- return({'kind': 'distributed' if column else 'reference', 'column': column}) -}}
{% endmacro %}
