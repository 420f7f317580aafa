{# {column, granularity, step, suffix} of a valid `partition_by`: the length of a period and the end of its name. #}
{% macro partition_steps(partition_by) %}
    {{- return(dict(
        pg_lifecycle.partition_granularities()[partition_by.granularity],
        column=partition_by.fields[0], granularity=partition_by.granularity
    )) -}}
{% endmacro %}
