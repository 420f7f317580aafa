{#
    Compares the columns of an existing table with the contract. Returns {statements, differences}: SQL that adds new
    nullable columns (a partitioned table passes them on to each partition; ACCESS EXCLUSIVE for an instant, by
    `retry_locks`), and sentences for what cannot be changed in place: a new NOT NULL column, another type, a column
    gone.
#}
{% macro compare_columns(relation) %}
    {%- set existing = pg_lifecycle._read_columns(relation) -%}
    {%- set base_types = pg_lifecycle._read_base_types() -%}
    {%- set result = {'statements': [], 'differences': []} -%}
    {%- for column in model.columns.values() -%}
        {%- set type = existing.get(column.name) -%}
        {%- if type is none -%}
            {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
                {%- do result.differences.append(
                    'column ' ~ column.name ~ ' is new and NOT NULL: existing rows have no value for it'
                ) -%}
            {%- else -%}
                {%- do pg_lifecycle.log_decision(relation, 'new column ' ~ column.name) -%}
                {%- do result.statements.append(pg_lifecycle.retry_locks(
                    relation.render() ~ ', new column ' ~ column.name,
                    'alter table ' ~ relation ~ ' add column ' ~ adapter.quote(column.name) ~ ' '
                    ~ column.data_type ~ ';'
                )) -%}
            {%- endif -%}
        {%- elif pg_lifecycle._split_type(type) != (
            pg_lifecycle._split_type(base_types['type_' ~ loop.index])[0], pg_lifecycle._split_type(column.data_type)[1]
        ) -%}
            {%- do result.differences.append(
                'column ' ~ column.name ~ ' has type ' ~ type ~ ', the model wants ' ~ column.data_type
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in existing if name not in model.columns -%}
        {%- do result.differences.append('column ' ~ name ~ ' is in the table but not in the model') -%}
    {%- endfor -%}
    {{- return(result) -}}
{% endmacro %}


{# The columns of a table as {name: type}. #}
{% macro _read_columns(relation) %}
    {%- set columns_query -%}
        select attname as name, format_type(atttypid, atttypmod) as type
        from pg_catalog.pg_attribute
        where attrelid = {{ pg_lifecycle.oid_of(relation) }} and attnum > 0 and not attisdropped
        order by attnum
    {%- endset -%}
    {%- set columns = {} -%}
    {%- for row in run_query(columns_query) -%}
        {%- do columns.update({row['name']: row['type']}) -%}
    {%- endfor -%}
    {{- return(columns) -}}
{% endmacro %}


{# PostgreSQL's own names for the types of the contract, {type_1: ...}: `int` and `integer` are one type. #}
{% macro _read_base_types() %}
    {%- set types_query -%}
        select
        {%- for column in model.columns.values() %}
            format_type(to_regtype({{ pg_lifecycle.literal(column.data_type) }}), null) as type_{{ loop.index }}
            {{- ',' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {{- return(run_query(types_query)[0]) -}}
{% endmacro %}


{# A type as (name, modifier): `numeric(12, 2)` is ('numeric', '(12,2)'). #}
{% macro _split_type(type) %}
    {%- set modifier = (modules.re.findall('\\([^)]*\\)', type) or [''])[0] -%}
    {{- return((modules.re.sub('\\(.*\\)', '', type), modules.re.sub('\\s', '', modifier))) -}}
{% endmacro %}
