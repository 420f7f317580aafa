{#
    Compares the constraints of an existing table with the contract; returns sentences for what differs. Keys are
    compared by their columns. PostgreSQL prints expressions in its own way, so a CHECK is compared by its name only.
#}
{% macro compare_constraints(relation, constraints) %}
    {%- set constraints_query -%}
        select
            conname as name,
            pg_get_constraintdef(pg_constraint.oid) as definition,
            (
                select json_agg(attname order by position)::text
                from unnest(conkey) with ordinality as key_column (attnum, position)
                inner join pg_catalog.pg_attribute on attrelid = conrelid and pg_attribute.attnum = key_column.attnum
            ) as columns
        from pg_catalog.pg_constraint
        where conrelid = {{ pg_lifecycle.oid_of(relation) }}
    {%- endset -%}
    {%- set existing = {} -%}
    {%- for row in run_query(constraints_query) -%}
        {%- do existing.update({
            row['name']: {'columns': fromjson(row['columns'] or '[]'), 'definition': row['definition']}
        }) -%}
    {%- endfor -%}
    {%- set differences = [] -%}
    {%- for constraint in constraints if constraint.kind != 'not_null' -%}
        {%- set held = existing.get(constraint.name) -%}
        {%- if held is none -%}
            {%- do differences.append('constraint ' ~ constraint.name ~ ' is missing: ' ~ constraint.sql) -%}
        {%- elif constraint.kind != 'check' and held.columns != constraint.columns -%}
            {%- do differences.append(
                'constraint ' ~ constraint.name ~ ' is ' ~ held.definition ~ ', the model wants ' ~ constraint.sql
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(differences) -}}
{% endmacro %}
