{#
    Validates the `indexes` config of a model and returns a list of {name, sql, hash} for `table`.

    Each index: `columns` (list, in order; 'fecha desc' is allowed), and optionally `unique` (bool), `type` (btree, brin,
    hash, gin, gist), `include` (list), `where` (SQL), `with` (storage parameters, SQL), `name` (the end of its name).
    `sql` lacks the name and table: `create_index` puts them in, so that a partition gets the same index as its parent.
#}
{% macro parse_indexes(indexes) %}
    {%- set allowed = ['columns', 'unique', 'type', 'include', 'where', 'with', 'name'] -%}
    {%- set types = ['btree', 'brin', 'hash', 'gin', 'gist'] -%}
    {%- set parsed = [] -%}
    {%- for index in indexes or [] -%}
        {%- for key in index if key not in allowed -%}
            {%- do exceptions.raise_compiler_error("indexes of " ~ model.name ~ ": unknown key '" ~ key ~ "', allowed are " ~ allowed | join(', ')) -%}
        {%- endfor -%}
        {%- if index.columns is string or not index.columns -%}
            {%- do exceptions.raise_compiler_error("indexes of " ~ model.name ~ ": columns must be a list such as ['tienda_id', 'fecha desc'], got " ~ index.columns) -%}
        {%- endif -%}
        {%- set type = index.get('type', 'btree') -%}
        {%- if type not in types -%}
            {%- do exceptions.raise_compiler_error("indexes of " ~ model.name ~ ": type '" ~ type ~ "', allowed are " ~ types | join(', ')) -%}
        {%- endif -%}
        {%- set sql = 'using ' ~ type ~ ' (' ~ index.columns | join(', ') ~ ')' -%}
        {%- set sql = sql ~ (' include (' ~ index.include | join(', ') ~ ')' if index.include else '') -%}
        {%- set sql = sql ~ (' with (' ~ index.with ~ ')' if index.with else '') -%}
        {%- set sql = sql ~ (' where ' ~ index.where if index.where else '') -%}
        {%- set unique = index.get('unique', false) -%}
        {%- set has_expression = modules.re.search('[^\\w\\s",]', index.columns | join(',')) is not none -%}
        {%- set ending = index.name or modules.re.sub('\\W+', '_', index.columns | join('_')) ~ ('_key' if unique else '_idx') -%}
        {%- do parsed.append({
            'ending': ending,
            'unique': unique,
            'sql': sql,
            'hash': local_md5(unique ~ sql),
            'serves_concurrent_refresh': unique and type == 'btree' and not index.where and not has_expression,
        }) -%}
    {%- endfor -%}
    {{- return(parsed) -}}
{% endmacro %}


{# The name of a parsed index on a table: `<table>_<columns>_idx`, or `_key` if it is unique. #}
{% macro index_name(table_name, index) %}
    {{- return(shorten_name(table_name ~ '_' ~ index.ending)) -}}
{% endmacro %}


{#
    SQL that creates a parsed index and marks it as owned by the project: `reconcile_indexes` drops only marked ones.
    Takes SHARE on the table: readers do not notice, writers wait.
#}
{% macro create_index(table, index, name) %}
create {{ 'unique ' if index.unique }}index {{ name }} on {{ table }} {{ index.sql }};
comment on index {{ table.include(database=false, identifier=false) }}.{{ name }} is 'dbt_index: {{ index.hash }}';
{% endmacro %}
