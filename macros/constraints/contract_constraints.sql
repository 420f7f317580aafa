{#
    The constraints of the model's contract, ready for ALTER TABLE: a list of {kind, name, sql, columns, to}.

    kind: not_null, check, unique, primary_key, foreign_key. Names follow PostgreSQL's own style (`<table>_pkey`,
    `<table>_<columns>_fkey`), unless the yml gives one. Foreign keys are sorted by the table they point to, so that two
    builds lock those tables in the same order.
#}
{% macro contract_constraints(table_name) %}
    {%- set found = [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- do found.append(_constraint(table_name, constraint, [column.name])) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in model.constraints -%}
        {%- do found.append(_constraint(table_name, constraint, constraint.columns)) -%}
    {%- endfor -%}
    {{- return(found | sort(attribute='to')) -}}
{% endmacro %}


{% macro _constraint(table_name, constraint, columns) %}
    {%- set kind = constraint.type.value if constraint.type.value is defined else constraint.type -%}
    {%- set column_list = columns | join(', ') -%}
    {%- set result = {'kind': kind, 'columns': columns, 'to': '', 'name': '', 'sql': ''} -%}
    {%- if kind == 'not_null' -%}
        {%- do result.update(sql='alter column ' ~ columns[0] ~ ' set not null') -%}
    {%- elif kind == 'check' -%}
        {%- do result.update(
            name=constraint.name or shorten_name(table_name ~ '_' ~ columns | join('_') ~ '_check'),
            sql='check (' ~ constraint.expression ~ ')', expression=constraint.expression
        ) -%}
    {%- elif kind == 'primary_key' -%}
        {%- do result.update(name=shorten_name(table_name ~ '_pkey'), sql='primary key (' ~ column_list ~ ')') -%}
    {%- elif kind == 'unique' -%}
        {%- do result.update(
            name=shorten_name(table_name ~ '_' ~ columns | join('_') ~ '_key'), sql='unique (' ~ column_list ~ ')'
        ) -%}
    {%- elif kind == 'foreign_key' -%}
        {%- do result.update(
            name=shorten_name(table_name ~ '_' ~ columns | join('_') ~ '_fkey'), to=constraint.to,
            sql='foreign key (' ~ column_list ~ ') references ' ~ constraint.to ~ ' (' ~ constraint.to_columns | join(', ') ~ ')'
        ) -%}
    {%- else -%}
        {%- do exceptions.raise_compiler_error(
            "constraint of type '" ~ kind ~ "' in model " ~ model.name ~ ": allowed are not_null, check, unique, primary_key, foreign_key"
        ) -%}
    {%- endif -%}
    {{- return(result) -}}
{% endmacro %}


{# One ALTER TABLE with the constraints of the given kinds, empty if there are none. #}
{% macro add_constraints(table, constraints, kinds) %}
    {%- set actions = [] -%}
    {%- for constraint in constraints if constraint.kind in kinds -%}
        {%- do actions.append(constraint.sql if constraint.kind == 'not_null' else 'add constraint ' ~ constraint.name ~ ' ' ~ constraint.sql) -%}
    {%- endfor -%}
    {%- if actions -%}
        alter table {{ table }} {{ actions | join(', ') }};
    {%- endif -%}
{% endmacro %}
