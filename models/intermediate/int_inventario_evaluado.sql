-- Grain: one row per store, product and snapshot date as delivered, each with what is wrong with
-- it.
-- The fact takes the rows that no rule refuses, cuarentena.inventario the others with their
-- reasons.

with

inventario as (

    select * from {{ ref('stg_inventario') }}
    where {{ pg_lifecycle.partition_filter('fecha') }}

),

productos as (

    select * from {{ ref('dim_producto') }}

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

-- A key is unique over all loads (a later load replaces it), so a duplicate lies within one load:
-- its first row counts. Rows are delivered in the order of their key, which makes sorting cheap.
evaluado as (

    select
        inventario.*,
        productos.producto_id is null as es_producto_huerfano,
        tiendas.tienda_id is null as es_tienda_huerfana,
        row_number() over (
            partition by inventario.fecha, inventario.tienda_id, inventario.producto_id
            order by inventario.fila
        ) > 1 as es_clave_duplicada
    from inventario
    left join productos on inventario.producto_id = productos.producto_id
    left join tiendas on inventario.tienda_id = tiendas.tienda_id

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
