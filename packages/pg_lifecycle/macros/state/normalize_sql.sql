{#
    SQL without comments, with single spaces, and without the name of the database, so that neither reformatting a model
    nor a copy of the database under another name is a change. What stands in quotes stays: 'a--b' holds no comment.
#}
{% macro normalize_sql(text) %}
    {%- set quoted = "('[^']*'|\"[^\"]*\"|\\$\\$.*?\\$\\$)" -%}
    {%- set comment_or_space = '(?:/\\*(?!\\s*partition_filter).*?\\*/|--[^\n]*|\\s)+' -%}
    {%- set database = modules.re.escape(adapter.quote(target.database)) ~ '\\.(?="[^"]*"\\.)' -%}
    {%- set text = modules.re.sub(database, '', text) -%}
    {{- return(modules.re.sub(quoted ~ '|' ~ comment_or_space, '\\1 ', text, 0, modules.re.S).strip()) -}}
{% endmacro %}
