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
    {{ orders_on_the_way('pedidos', 'fotos') }}
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
