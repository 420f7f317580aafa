{#
    Validates `partition_by` (the key names of the upstream proposal, dbt-adapters PR 2094) and returns
    {column, granularity, step, suffix, key_type}. Only range partitions over one date or timestamp column are offered:
    what facts need.
#}
{% macro parse_partition_by(partition_by) %}
    {%- set example = "{'fields': ['sold_on'], 'granularity': 'month'}" -%}
    {%- if partition_by is not mapping -%}
        {%- do pg_lifecycle.refuse('partition_by', partition_by, 'a mapping such as ' ~ example) -%}
    {%- endif -%}
    {%- for key in partition_by if key not in ('fields', 'granularity', 'method') -%}
        {%- do pg_lifecycle.refuse(
            'partition_by', "unknown key '" ~ key ~ "'", 'fields, granularity, method; for example ' ~ example
        ) -%}
    {%- endfor -%}
    {%- if partition_by.get('method', 'range') != 'range' -%}
        {%- do pg_lifecycle.refuse('partition_by.method', "'" ~ partition_by.method ~ "'", 'range') -%}
    {%- endif -%}
    {%- set fields = partition_by.get('fields') -%}
    {%- if fields is string or fields is not sequence or fields | length != 1 -%}
        {%- do pg_lifecycle.refuse('partition_by.fields', fields, 'a list of one date or timestamp column') -%}
    {%- endif -%}
    {%- set granularity = partition_by.get('granularity') -%}
    {%- set granularities = pg_lifecycle.partition_granularities() -%}
    {%- if granularity not in granularities -%}
        {%- do pg_lifecycle.refuse(
            'partition_by.granularity', "'" ~ granularity ~ "'", granularities.keys() | join(', ')
        ) -%}
    {%- endif -%}
    {%- set column = model.columns.get(fields[0]) -%}
    {%- if not column or not column.data_type -%}
        {%- do pg_lifecycle.refuse(
            'partition_by.fields', "'" ~ fields[0] ~ "'", 'a column that has a data_type in its yml'
        ) -%}
    {%- endif -%}
    {{- return(dict(pg_lifecycle.partition_steps(partition_by), key_type=column.data_type)) -}}
{% endmacro %}
