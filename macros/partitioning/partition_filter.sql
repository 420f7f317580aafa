{#
    Marks where a partitioned model is restricted to one partition: `where {{ partition_filter('fecha_venta') }}`.

    Renders to valid SQL that is true, so unit tests, `dbt show` and `dbt compile` need nothing special; the
    materialization replaces it by the bounds of the partition it builds. The column may be qualified, and the marker
    may stand several times, best at every table that is read.
#}
{% macro partition_filter(column) %}
    {{- return("(true /* partition_filter: " ~ column ~ " */)") -}}
{% endmacro %}


{# The model's SQL with each marker replaced by `column >= lower and column < upper`. #}
{% macro restrict_to_partition(model_sql, lower, upper) %}
    {{- return(modules.re.sub(
        '\\(true /\\* partition_filter: ([\\w."]+) \\*/\\)',
        "(\\1 >= '" ~ lower ~ "' and \\1 < '" ~ upper ~ "')",
        model_sql
    )) -}}
{% endmacro %}
