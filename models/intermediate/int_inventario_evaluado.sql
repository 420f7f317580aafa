-- Grain: one row per store, product and snapshot date as delivered, each with what is wrong with
-- it.
-- The fact takes the rows that no rule refuses, cuarentena.inventario the others with their
-- reasons.

with

-- Not materialized: reading the month again costs less than keeping it, and lets workers help.
inventario as not materialized (

    select * from {{ ref('stg_inventario') }}
    where {{ partition_filter('fecha') }}

),

-- A key is unique over all loads (a later load replaces it), so a duplicate lies within one load:
-- its first row counts.
claves_repetidas as (

    select
        fecha,
        tienda_id,
        producto_id,
        min(fila) as primera_fila
    from inventario
    group by fecha, tienda_id, producto_id
    having count(*) > 1

),

productos as (

    select * from {{ ref('stg_productos') }}

),

tiendas as (

    select * from {{ ref('stg_tiendas') }}

),

evaluado as (

    select
        inventario.*,
        productos.producto_id is null as es_producto_huerfano,
        tiendas.tienda_id is null as es_tienda_huerfana,
        claves_repetidas.primera_fila is not null
        and inventario.fila > claves_repetidas.primera_fila as es_clave_duplicada
    from inventario
    left join productos on inventario.producto_id = productos.producto_id
    left join tiendas on inventario.tienda_id = tiendas.tienda_id
    left join claves_repetidas on
        inventario.fecha = claves_repetidas.fecha
        and inventario.tienda_id = claves_repetidas.tienda_id
        and inventario.producto_id = claves_repetidas.producto_id

),

final as (

    select
        *,
        es_producto_huerfano or es_tienda_huerfana or es_clave_duplicada as es_rechazada,
        concat_ws(
            ',',
            case when es_producto_huerfano then 'PRODUCTO_HUERFANO' end,
            case when es_tienda_huerfana then 'TIENDA_HUERFANA' end,
            case when es_clave_duplicada then 'CLAVE_DUPLICADA' end
        ) as motivos
    from evaluado

)

select * from final
