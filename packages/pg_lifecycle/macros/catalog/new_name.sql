{# The name that a relation has while it is built beside the published one. #}
{% macro new_name(name) %}
    {{- return(pg_lifecycle.shorten_name(name ~ '__new')) -}}
{% endmacro %}
