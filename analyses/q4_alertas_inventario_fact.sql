-- The same question as q4_alertas_inventario, asked of the facts: what the view saves.

with

corte as (

    select fecha_corte from {{ ref('corte') }}

),

existencias as (
    {{ last_stock() }}
),

fotos as (

    select distinct
        tienda_id,
        fecha
    from existencias

),

demanda as (
    {{ pair_demand() }}
),

por_producto as (

    select
        ventas.producto_id,
        sum(ventas.ventas_netas) as ventas_netas
    from {{ ref('agg_ventas_dia_region_producto') }} as ventas
    where
        ventas.fecha > (select corte.fecha_corte from corte) - 364
        and ventas.fecha <= (select corte.fecha_corte from corte)
    group by ventas.producto_id

),

acumuladas as (

    select
        producto_id,
        100 * (
            sum(ventas_netas) over (order by ventas_netas desc, producto_id) - ventas_netas
        ) as antes,
        sum(ventas_netas) over () as todas
    from por_producto

),

clases as (

    select
        producto_id,
        case
            when antes < 80 * todas then 'A'
            when antes < 95 * todas then 'B'
            else 'C'
        end as clase_abc
    from acumuladas

),

plazos as (
    {{ supplier_lead_times() }}
),

politicas as (
    {{ stock_policies('demanda', 'clases', 'plazos') }}
),

pedidos as (
    {{ open_orders() }}
),

pendientes as (
    {{ orders_on_the_way('pedidos', 'fotos') }}
),

medidas as (

    select
        politicas.*,
        existencias.stock_final as stock_actual,
        {{ inventory_state(
            'existencias.stock_final', 'coalesce(pendientes.unidades, 0)', 'politicas'
        ) }} as alerta_inventario
    from existencias
    inner join politicas
        on
            existencias.tienda_id = politicas.tienda_id
            and existencias.producto_id = politicas.producto_id
    left join pendientes
        on
            existencias.tienda_id = pendientes.tienda_id
            and existencias.producto_id = pendientes.producto_id

)

select
    tiendas.nombre_tienda,
    productos.nombre_producto,
    medidas.stock_actual,
    round(medidas.unidades_28_dias / 28, 4) as venta_diaria_promedio,
    round(
        medidas.stock_actual * medidas.dias_con_stock / nullif(medidas.unidades_con_stock, 0), 1
    ) as dias_inventario,
    medidas.alerta_inventario
from medidas
inner join {{ ref('dim_tienda') }} as tiendas on medidas.tienda_id = tiendas.tienda_id
inner join {{ ref('dim_producto') }} as productos on medidas.producto_id = productos.producto_id
where
    tiendas.cadena = 'Supermercado'
    and medidas.alerta_inventario in ('SIN_STOCK', 'STOCK_BAJO')
order by
    venta_diaria_promedio desc,
    medidas.tienda_id,
    medidas.producto_id
limit 20
