-- The same question as q4_alertas_inventario, asked of the facts: what the view saves.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

ultima_foto as (

    select max(inventario.fecha) as fecha
    from {{ ref('fact_inventario') }} as inventario
    inner join ultimo_dia on inventario.fecha <= ultimo_dia.fecha

),

existencias as (

    select inventario.*
    from {{ ref('fact_inventario') }} as inventario
    inner join ultima_foto on inventario.fecha = ultima_foto.fecha

),

ventas as (

    select
        tienda_id,
        producto_id,
        sum(unidades) as unidades
    from {{ ref('fact_ventas') }}
    where
        fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 28
        and fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
    group by tienda_id, producto_id

),

medidas as (

    select
        existencias.tienda_id,
        existencias.producto_id,
        existencias.stock_final as stock_actual,
        coalesce(ventas.unidades, 0) as unidades
    from existencias
    left join ventas on
        existencias.tienda_id = ventas.tienda_id
        and existencias.producto_id = ventas.producto_id

)

select
    tiendas.nombre_tienda,
    productos.nombre_producto,
    medidas.stock_actual,
    round(medidas.unidades / 28, 4) as venta_diaria_promedio,
    round(28 * medidas.stock_actual / nullif(medidas.unidades, 0), 1) as dias_inventario,
    case when medidas.stock_actual <= 0 then 'SIN_STOCK' else 'STOCK_BAJO' end as alerta_inventario
from medidas
inner join {{ ref('dim_tienda') }} as tiendas on medidas.tienda_id = tiendas.tienda_id
inner join {{ ref('dim_producto') }} as productos on medidas.producto_id = productos.producto_id
inner join
    {{ ref('ref_umbral_inventario') }} as umbrales
    on productos.categoria = umbrales.categoria
where
    tiendas.cadena = 'Supermercado'
    and (
        (medidas.stock_actual <= 0 and productos.activo)
        or (
            medidas.stock_actual > 0
            and 28 * medidas.stock_actual < umbrales.dias_minimos * medidas.unidades
        )
    )
order by
    venta_diaria_promedio desc,
    medidas.tienda_id,
    medidas.producto_id
limit 20
