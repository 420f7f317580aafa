{#
    Validates `partition_by` (the key names of the upstream proposal, dbt-adapters PR 2094) and returns
    {column, granularity, step, suffix, key_type}. Only range partitions over one date or timestamp column are offered:
    what a fact of this platform needs.
#}
{% macro parse_partition_by(partition_by) %}
    {%- set example = "{'fields': ['fecha_venta'], 'granularity': 'month'}" -%}
    {%- if partition_by is not mapping -%}
        {%- do exceptions.raise_compiler_error("partition_by: got " ~ partition_by ~ ", expected a mapping such as " ~ example) -%}
    {%- endif -%}
    {%- for key in partition_by if key not in ('fields', 'granularity', 'method') -%}
        {%- do exceptions.raise_compiler_error("partition_by: unknown key '" ~ key ~ "', allowed are fields, granularity, method; for example " ~ example) -%}
    {%- endfor -%}
    {%- if partition_by.get('method', 'range') != 'range' -%}
        {%- do exceptions.raise_compiler_error("partition_by.method: got '" ~ partition_by.method ~ "', allowed is range") -%}
    {%- endif -%}
    {%- set fields = partition_by.get('fields') -%}
    {%- if fields is string or fields is not sequence or fields | length != 1 -%}
        {%- do exceptions.raise_compiler_error("partition_by.fields: got " ~ fields ~ ", expected a list of one date or timestamp column") -%}
    {%- endif -%}
    {%- set granularity = partition_by.get('granularity') -%}
    {%- if granularity not in partition_granularities() -%}
        {%- do exceptions.raise_compiler_error("partition_by.granularity: got '" ~ granularity ~ "', allowed are " ~ partition_granularities().keys() | join(', ')) -%}
    {%- endif -%}
    {%- set column = model.columns.get(fields[0]) -%}
    {%- if not column or not column.data_type -%}
        {%- do exceptions.raise_compiler_error("partition_by.fields: column '" ~ fields[0] ~ "' needs a data_type in the yml of model " ~ model.name) -%}
    {%- endif -%}
    {{- return(dict(partition_steps(partition_by), key_type=column.data_type)) -}}
{% endmacro %}


{# {column, granularity, step, suffix} of a valid `partition_by`: the length of a period and the end of its name. #}
{% macro partition_steps(partition_by) %}
    {{- return(dict(
        partition_granularities()[partition_by.granularity], column=partition_by.fields[0], granularity=partition_by.granularity
    )) -}}
{% endmacro %}


{# The granularities on offer: the length of a period as an interval, and the end of a partition's name (to_char). #}
{% macro partition_granularities() %}
    {{- return({
        'day': {'step': '1 day', 'suffix': 'YYYYMMDD'},
        'week': {'step': '1 week', 'suffix': 'IYYY"w"IW'},
        'month': {'step': '1 month', 'suffix': 'YYYYMM'},
        'quarter': {'step': '3 months', 'suffix': 'YYYY"q"Q'},
        'year': {'step': '1 year', 'suffix': 'YYYY'},
    }) -}}
{% endmacro %}
