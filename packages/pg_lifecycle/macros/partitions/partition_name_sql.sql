{#
    SQL (text) of the name of the partition that begins at `lower_sql`: `<table>_p202401`. The table's part is shortened
    where the longest ending, with the `__new` of a partition under construction, would not fit into 63 bytes.
#}
{% macro partition_name_sql(relation, partitioning, lower_sql) %}
    {%- set table_part = pg_lifecycle.shorten_name(relation.identifier, 63 - '_p20240131__new' | length) -%}
    {{- return(
        pg_lifecycle.literal(table_part ~ '_p') ~ ' || to_char(' ~ lower_sql ~ ", '" ~ partitioning.suffix ~ "')"
    ) -}}
{% endmacro %}
