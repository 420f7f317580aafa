{#
    A name of at most `max_bytes` bytes (PostgreSQL cuts at 63); a longer one ends in a hash of the whole: unique,
    stable.
#}
{% macro shorten_name(name, max_bytes=63) %}
    {%- set bytes = name.encode() -%}
    {{- return(
        name if bytes | length <= max_bytes
        else bytes[:max_bytes - 9].decode('utf-8', 'ignore') ~ '_' ~ local_md5(name)[:8]
    ) -}}
{% endmacro %}
