-- The data dictionary's text of each published column, which dbt keeps as its comment.
select
    tabla.relname as relacion,
    columna.attname as columna,
    pg_catalog.col_description(tabla.oid, columna.attnum) as descripcion
from pg_catalog.pg_class as tabla
inner join pg_catalog.pg_namespace as esquema on tabla.relnamespace = esquema.oid
inner join pg_catalog.pg_attribute as columna on tabla.oid = columna.attrelid
where
    esquema.nspname = 'retail'
    and not tabla.relispartition
    and tabla.relkind in ('r', 'p', 'v', 'm')
    and columna.attnum > 0
    and not columna.attisdropped
