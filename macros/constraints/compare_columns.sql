{#
    Compares the columns of an existing table with the contract. Returns {statements, differences}: SQL that adds new
    nullable columns (a partitioned table passes them on to each partition; ACCESS EXCLUSIVE for an instant, by
    `retry_locks`), and sentences for what cannot be changed in place: a new NOT NULL column, another type, a column gone.
#}
{% macro compare_columns(relation) %}
    {%- set columns_sql -%}
        select attname as name, format_type(atttypid, atttypmod) as type
        from pg_catalog.pg_attribute
        where attrelid = to_regclass('{{ relation.render() }}') and attnum > 0 and not attisdropped
        order by attnum
    {%- endset -%}
    {%- set types_sql -%}
        select
        {%- for column in model.columns.values() %}
            format_type(to_regtype('{{ column.data_type | replace("'", "''") }}'), null) as type_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- set existing = {} -%}
    {%- for row in run_query(columns_sql) -%}
        {%- do existing.update({row['name']: row['type']}) -%}
    {%- endfor -%}
    {%- set base_types = run_query(types_sql)[0] -%}
    {%- set result = {'statements': [], 'differences': []} -%}
    {%- for column in model.columns.values() -%}
        {%- set modifier = modules.re.sub('\\s', '', (modules.re.findall('\\([^)]*\\)', column.data_type) or [''])[0]) -%}
        {%- set base = base_types['type_' ~ loop.index] -%}
        {%- if column.name not in existing -%}
            {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
                {%- do result.differences.append("column " ~ column.name ~ " is new and NOT NULL: existing rows have no value for it") -%}
            {%- else -%}
                {%- do log_decision(relation, 'new column ' ~ column.name) -%}
                {%- do result.statements.append(retry_locks(
                    'new column ' ~ column.name,
                    'alter table ' ~ relation ~ ' add column ' ~ adapter.quote(column.name) ~ ' ' ~ column.data_type ~ ';'
                )) -%}
            {%- endif -%}
        {%- elif modules.re.sub('\\(.*\\)', '', existing[column.name]) != modules.re.sub('\\(.*\\)', '', base)
            or modules.re.sub('\\s', '', (modules.re.findall('\\([^)]*\\)', existing[column.name]) or [''])[0]) != modifier -%}
            {%- do result.differences.append("column " ~ column.name ~ " has type " ~ existing[column.name] ~ ", the model wants " ~ column.data_type) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in existing if name not in model.columns -%}
        {%- do result.differences.append("column " ~ name ~ " is in the table but not in the model") -%}
    {%- endfor -%}
    {{- return(result) -}}
{% endmacro %}


{#
    Compares the constraints of an existing table with the contract, by kind and definition; returns sentences for what
    differs. PostgreSQL prints expressions in its own way, so a CHECK is compared by its name only.
#}
{% macro compare_constraints(relation, constraints) %}
    {%- set constraints_sql -%}
        select conname as name, contype::text as kind, pg_get_constraintdef(oid) as definition
        from pg_catalog.pg_constraint
        where conrelid = to_regclass('{{ relation.render() }}')
    {%- endset -%}
    {%- set definitions = {} -%}
    {%- for row in run_query(constraints_sql) -%}
        {%- do definitions.update({row['name']: row['definition']}) -%}
    {%- endfor -%}
    {%- set differences = [] -%}
    {%- for constraint in constraints if constraint.kind in ('primary_key', 'unique', 'check', 'foreign_key') -%}
        {%- if constraint.name not in definitions -%}
            {%- do differences.append("constraint " ~ constraint.name ~ " is missing: " ~ constraint.sql) -%}
        {%- elif constraint.kind in ('primary_key', 'unique') and definitions[constraint.name] | lower != constraint.sql -%}
            {%- do differences.append("constraint " ~ constraint.name ~ " is " ~ definitions[constraint.name] ~ ", the model wants " ~ constraint.sql) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(differences) -}}
{% endmacro %}
