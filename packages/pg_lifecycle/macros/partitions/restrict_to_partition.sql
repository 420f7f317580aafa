{# The model's SQL with each marker of `partition_filter` replaced by `column >= lower and column < upper`. #}
{% macro restrict_to_partition(model_sql, lower, upper) %}
    {{- return(modules.re.sub(
        '\\(true /\\* partition_filter: (.+?) \\*/\\)',
        "(\\1 >= '" ~ lower ~ "' and \\1 < '" ~ upper ~ "')",
        model_sql
    )) -}}
{% endmacro %}
