{#
    Validates the `indexes` config of a model and returns a list of {ending, unique, sql, hash,
    serves_concurrent_refresh}.

    Each index: `columns` (list, in order; columns of the yml, also with an order such as 'sold_on desc', or SQL
    expressions), and optionally `unique` (bool), `type` (btree, brin, hash, gin, gist), `include` (list), `where`
    (SQL), `with` (storage parameters, SQL), `name` (the end of its name). `sql` lacks the name and table:
    `create_index` puts them in, so that a partition gets the same index as its parent. `hash` is of the config: it says
    whether an index is still what is wanted.
#}
{% macro parse_indexes(indexes) %}
    {%- set allowed = ['columns', 'unique', 'type', 'include', 'where', 'with', 'name'] -%}
    {%- set types = ['btree', 'brin', 'hash', 'gin', 'gist'] -%}
    {%- set parsed = [] -%}
    {%- for index in indexes or [] -%}
        {%- for key in index if key not in allowed -%}
            {%- do pg_lifecycle.refuse('indexes', "unknown key '" ~ key ~ "'", allowed | join(', ')) -%}
        {%- endfor -%}
        {%- if index.columns is string or not index.columns -%}
            {%- do pg_lifecycle.refuse(
                'indexes, columns', index.columns, "a list such as ['store_id', 'sold_on desc']"
            ) -%}
        {%- endif -%}
        {%- set type = index.get('type', 'btree') -%}
        {%- if type not in types -%}
            {%- do pg_lifecycle.refuse('indexes, type', "'" ~ type ~ "'", types | join(', ')) -%}
        {%- endif -%}
        {%- set unique = index.get('unique', false) -%}
        {%- set ending = modules.re.sub('\\W+', '_', index.columns | join('_')) ~ ('_key' if unique else '_idx') -%}
        {%- set as_written = pg_lifecycle._index_parts(
            index, type, index.columns | join(', '), index.include | join(', ')
        ) -%}
        {%- do parsed.append({
            'ending': index.name or ending,
            'unique': unique,
            'sql': pg_lifecycle._index_parts(
                index, type, pg_lifecycle._index_columns(index.columns),
                pg_lifecycle._index_columns(index.include or [])
            ),
            'hash': local_md5(unique ~ as_written),
            'serves_concurrent_refresh': unique and type == 'btree' and not index.where
                and pg_lifecycle._are_plain_columns(index.columns),
        }) -%}
    {%- endfor -%}
    {{- return(parsed) -}}
{% endmacro %}


{% macro _index_parts(index, type, columns, include) %}
    {{- return(
        'using ' ~ type ~ ' (' ~ columns ~ ')' ~ (' include (' ~ include ~ ')' if index.include else '')
        ~ (' with (' ~ index.with ~ ')' if index.with else '') ~ (' where ' ~ index.where if index.where else '')
    ) -}}
{% endmacro %}


{#
    The entries of an index as SQL: the name of a column is quoted, also before its order; anything else is SQL already.
#}
{% macro _index_columns(entries) %}
    {%- set columns = [] -%}
    {%- for entry in entries -%}
        {%- set order = modules.re.search('(?i)(\\s+(asc|desc))?(\\s+nulls\\s+(first|last))?$', entry).group(0) -%}
        {%- set name = entry[:entry | length - order | length] -%}
        {%- do columns.append(
            adapter.quote(entry) if entry in model.columns
            else adapter.quote(name) ~ order if name in model.columns else entry
        ) -%}
    {%- endfor -%}
    {{- return(columns | join(', ')) -}}
{% endmacro %}


{#
    Whether entries are columns and no expressions; a name that the yml does not know is taken for a column if it reads
    so.
#}
{% macro _are_plain_columns(entries) %}
    {%- for entry in entries if entry not in model.columns and modules.re.search('[^\\w\\s",]', entry) -%}
        {{- return(false) -}}
    {%- endfor -%}
    {{- return(true) -}}
{% endmacro %}
