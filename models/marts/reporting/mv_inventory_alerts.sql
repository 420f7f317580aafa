{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[
        {'columns': ['tienda_id', 'producto_id'], 'unique': true},
        {'columns': ['venta_diaria_promedio'], 'where': "alerta_inventario in ('SIN_STOCK', 'STOCK_BAJO')"},
    ],
) }}

-- Grain: one row per store and product in the store's last stock snapshot up to the cut-off date.
-- A store whose stock is late keeps its snapshot for a week; one that has closed since has none.
-- Additive over stores and products: en_camino, the sales and margin lost a day, dinero_en_riesgo
-- within one state. Not additive: days, points, ranks; stock over dates.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

ultima_foto as (

    select max(fecha) as fecha
    from {{ ref('fact_inventario') }}
    where fecha <= (select corte.fecha_corte from corte)

),

-- Stores that sent nothing of that day, apart: so the planner knows how many rows the others have.
atrasadas as (

    select
        inventario.tienda_id,
        max(inventario.fecha) as fecha
    from {{ ref('fact_inventario') }} as inventario
    inner join {{ ref('dim_tienda') }} as tiendas on inventario.tienda_id = tiendas.tienda_id
    where
        inventario.fecha > (select ultima_foto.fecha from ultima_foto) - 7
        and inventario.fecha < (select ultima_foto.fecha from ultima_foto)
        and (
            tiendas.fecha_cierre >= (select ultima_foto.fecha from ultima_foto)
            or tiendas.fecha_cierre is null and tiendas.activo
        )
        and inventario.tienda_id not in (
            select puntuales.tienda_id from {{ ref('fact_inventario') }} as puntuales
            where puntuales.fecha = (select ultima_foto.fecha from ultima_foto)
        )
    group by inventario.tienda_id

),

existencias as (

    select * from {{ ref('fact_inventario') }}
    where fecha = (select ultima_foto.fecha from ultima_foto)
    union all
    select inventario.*
    from {{ ref('fact_inventario') }} as inventario
    inner join atrasadas
        on
            inventario.tienda_id = atrasadas.tienda_id
            and inventario.fecha = atrasadas.fecha
    where
        inventario.fecha > (select ultima_foto.fecha from ultima_foto) - 7
        and inventario.fecha < (select ultima_foto.fecha from ultima_foto)

),

fotos as (

    select distinct
        tienda_id,
        fecha
    from existencias

),

demanda as (

    select * from {{ ref('mv_demanda_tienda_producto') }}

),

clases as (

    select
        producto_id,
        clase_abc
    from {{ ref('mv_desempeno_producto') }}
    where periodo = 'ultimos_364' and dimension = 'total'

),

plazos as (
    {{ supplier_lead_times() }}
),

pedidos as materialized (
    {{ open_orders() }}
),

politicas as (
    {{ stock_policies('demanda', 'clases', 'plazos') }}
),

pendientes as (

    -- On the day of the snapshot: what came later is not in its stock.
    select
        pedidos.tienda_id,
        pedidos.producto_id,
        sum(pedidos.unidades_pedidas) as unidades,
        min(pedidos.fecha_promesa) as fecha_promesa
    from pedidos
    inner join fotos
        on
            pedidos.tienda_id = fotos.tienda_id
            and pedidos.desde <= fotos.fecha
            and pedidos.hasta >= fotos.fecha
    group by pedidos.tienda_id, pedidos.producto_id

),

medidas as (

    select
        politicas.*,
        existencias.fecha,
        existencias.stock_final as stock_actual,
        existencias.costo_unitario,
        coalesce(pendientes.unidades, 0) as en_camino,
        pendientes.fecha_promesa,
        case
            when pendientes.fecha_promesa is not null
                then greatest(pendientes.fecha_promesa - (select corte.fecha_corte from corte), 1)
            else politicas.plazo + politicas.dias_revision
        end as dias_sin_entrega,
        {{ inventory_state(
            'existencias.stock_final', 'coalesce(pendientes.unidades, 0)', 'politicas'
        ) }} as estado
    from existencias
    inner join politicas
        on
            existencias.tienda_id = politicas.tienda_id
            and existencias.producto_id = politicas.producto_id
    left join pendientes
        on
            existencias.tienda_id = pendientes.tienda_id
            and existencias.producto_id = pendientes.producto_id

),

duraciones as (
    {{ days_in_state('medidas', 'pedidos') }}
),

con_dinero as (

    select
        medidas.*,
        duraciones.dias_en_estado,
        medidas.unidades_con_stock
        * greatest(medidas.precio_sin_iva - medidas.costo_unitario, 0)
        / medidas.dias_con_stock as margen_diario,
        case
            when medidas.estado = 'SOBRESTOCK'
                then (medidas.stock_actual - medidas.maxima) * medidas.costo_unitario
            when medidas.estado != 'NORMAL'
                then
                    -- Divided last: a quotient cut off before rounds a half cent down.
                    greatest(
                        medidas.dias_sin_entrega * medidas.unidades_con_stock
                        - medidas.stock_actual * medidas.dias_con_stock, 0
                    )
                    * greatest(medidas.precio_sin_iva - medidas.costo_unitario, 0)
                    / medidas.dias_con_stock
        end as dinero
    from medidas
    left join duraciones
        on
            medidas.tienda_id = duraciones.tienda_id
            and medidas.producto_id = duraciones.producto_id

),

final as (
    {{ alert_columns('con_dinero') }}
)

select * from final
order by tienda_id, producto_id
