{# A name that fits PostgreSQL's 63 bytes: longer ones end in a hash of the whole, so that they stay unique and stable. #}
{% macro shorten_name(name) %}
    {{- return(name if name.encode() | length <= 63 else name.encode()[:54].decode('utf-8', 'ignore') ~ '_' ~ local_md5(name)[:8]) -}}
{% endmacro %}
