{# Reads the catalog only. #}
{% test unique_index_on(model, columns) %}

select {{ pg_lifecycle.literal(model.render()) }} as relation,
    {{ pg_lifecycle.literal(columns | join(', ')) }} as missing_unique_index
where
    not exists (
        select 1
        from pg_catalog.pg_index
        where
            indrelid = {{ pg_lifecycle.oid_of(model) }}
            and indisunique and indisvalid and indpred is null and indexprs is null
            and (
                select string_agg(attname, ',' order by position)
                from unnest(indkey::smallint[]) with ordinality as key_column (attnum, position)
                inner join pg_catalog.pg_attribute on attrelid = indrelid and pg_attribute.attnum = key_column.attnum
                where position <= indnkeyatts
            ) = {{ pg_lifecycle.literal(columns | join(',')) }}
    )

{% endtest %}
