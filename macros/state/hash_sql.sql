{#
    The md5 of SQL without comments and with single spaces, so that reformatting a model is not a change. What stands in
    quotes counts as it is: 'a--b' holds no comment.
#}
{% macro hash_sql(text) %}
    {%- set quoted = "('[^']*'|\"[^\"]*\"|\\$\\$.*?\\$\\$)" -%}
    {%- set comment_or_space = '(?:/\\*(?!\\s*partition_filter).*?\\*/|--[^\n]*|\\s)+' -%}
    {{- return(local_md5(modules.re.sub(quoted ~ '|' ~ comment_or_space, '\\1 ', text, 0, modules.re.S).strip())) -}}
{% endmacro %}
