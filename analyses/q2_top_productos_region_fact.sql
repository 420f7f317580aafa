-- The same question as q2_top_productos_region, asked of the fact: what the view saves.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

por_producto as (

    select
        ventas.producto_id,
        sum(ventas.unidades) as total_unidades_vendidas,
        sum(ventas.total_linea) as total_ingresos
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 30
        and ventas.fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
        and tiendas.region = 'Norte'
    group by ventas.producto_id

),

con_ranking as (

    select
        productos.nombre_producto,
        productos.marca,
        por_producto.total_unidades_vendidas,
        por_producto.total_ingresos,
        row_number() over (
            order by por_producto.total_ingresos desc, por_producto.producto_id
        ) as ranking_categoria_region
    from por_producto
    inner join
        {{ ref('dim_producto') }} as productos
        on por_producto.producto_id = productos.producto_id
    where productos.categoria = 'Electrónica'

)

select * from con_ranking
where ranking_categoria_region <= 5
order by ranking_categoria_region
