{#
    The schema that detached partitions are moved to; retired relations go to `<archive_schema>_<time>`. From the var
    `archive_schema`, through the project's own `generate_schema_name`, so a sandbox has an archive of its own.
#}
{% macro archive_schema() %}
    {{- return(generate_schema_name(var('archive_schema', 'archive'), none) | trim) -}}
{% endmacro %}
