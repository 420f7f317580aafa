{#
    A relation has a valid unique index on exactly these plain columns, so PostgreSQL itself keeps them unique (and can
    refresh a materialized view CONCURRENTLY). Fails with one row if there is none. Reads the catalog only.
#}
{% test unique_index_on(model, columns) %}

select '{{ model.render() }}' as relation, '{{ columns | join(", ") }}' as missing_unique_index
where
    not exists (
        select 1
        from pg_catalog.pg_index
        where
            indrelid = to_regclass('{{ model.render() }}')
            and indisunique and indisvalid and indpred is null and indexprs is null
            and (
                select string_agg(attname, ',' order by position)
                from unnest(indkey::smallint[]) with ordinality as key_column (attnum, position)
                inner join pg_catalog.pg_attribute on attrelid = indrelid and pg_attribute.attnum = key_column.attnum
                where position <= indnkeyatts
            ) = '{{ columns | join(",") }}'
    )

{% endtest %}
