{# A name that fits PostgreSQL's 63 bytes: longer ones end in a hash of the whole, so that they stay unique and stable. #}
{% macro shorten_name(name) %}
    {{- return(name if name | length <= 63 else name[:54] ~ '_' ~ local_md5(name)[:8]) -}}
{% endmacro %}
