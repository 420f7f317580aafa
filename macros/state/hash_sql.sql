{# The md5 of SQL without comments and with single spaces, so that reformatting a model is not a change. #}
{% macro hash_sql(text) %}
    {%- set without_comments = modules.re.sub('/\*(?!\s*partition_filter).*?\*/', ' ', text, 0, modules.re.S) -%}
    {%- set without_comments = modules.re.sub("--[^\n]*", ' ', without_comments) -%}
    {{- return(local_md5(modules.re.sub('\s+', ' ', without_comments).strip())) -}}
{% endmacro %}
