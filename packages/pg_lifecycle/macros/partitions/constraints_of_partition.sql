{#
    The constraints of a model under the names that they have on one partition. Keys own an index, whose name is unique
    in the schema, and which is packed full: a partition is written once. A CHECK or FOREIGN KEY keeps its name: ATTACH
    finds the parent's CHECK by it.
#}
{% macro constraints_of_partition(table, constraints) %}
    {%- set named = [] -%}
    {%- for constraint in constraints -%}
        {%- if constraint.kind in ('primary_key', 'unique') -%}
            {%- set ending = '_pkey' if constraint.kind == 'primary_key'
                else '_' ~ constraint.columns | join('_') ~ '_key' -%}
            {%- do named.append(dict(
                constraint, name=pg_lifecycle.shorten_name(table.identifier ~ ending),
                sql=constraint.sql ~ ' with (fillfactor = 100)'
            )) -%}
        {%- else -%}
            {%- do named.append(constraint) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(named) -}}
{% endmacro %}
