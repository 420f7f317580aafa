-- Grain: one row per order line as delivered, each with what is wrong with it.
-- The fact takes the lines that no rule refuses, cuarentena.pedidos the others with their reasons.

with

pedidos as (

    select * from {{ ref('stg_pedidos') }}
    where {{ pg_lifecycle.partition_filter('fecha_pedido') }}

),

productos as (

    select * from {{ ref('dim_producto') }}

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

-- A key is unique over all loads (a later load replaces it), so a duplicate lies within one load:
-- its first row counts. Lines are delivered in the order of their key, which makes sorting cheap.
evaluado as (

    select
        pedidos.*,
        productos.producto_id is null as es_producto_huerfano,
        tiendas.tienda_id is null as es_tienda_huerfana,
        row_number() over (
            partition by pedidos.pedido_id, pedidos.producto_id
            order by pedidos.fila
        ) > 1 as es_clave_duplicada
    from pedidos
    left join productos on pedidos.producto_id = productos.producto_id
    left join tiendas on pedidos.tienda_id = tiendas.tienda_id

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
