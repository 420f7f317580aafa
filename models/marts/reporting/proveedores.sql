{{ config(materialized='view') }}

-- Grain: one row per month of the order (mes), supplier and unit of measure: kilograms and pieces
-- are never added.
-- Additive over months and suppliers: counts, sums. Not additive: percentages, days, deviations.
-- A line counts in the month of its order, so the last months still change as deliveries come in.
-- All as on the cut-off date: a line is open until it is delivered, and overdue (vencida) if it was
-- promised up to then. A delivery of nothing is a delivery: of its day, and not complete.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

pedidos as (

    select
        date_trunc('month', pedidos.fecha_pedido)::date as mes,
        pedidos.proveedor,
        coalesce(productos.unidad_medida, 'pieza') as unidad_medida,
        pedidos.fecha_entrega is null or pedidos.fecha_entrega > corte.fecha_corte as es_abierta,
        pedidos.fecha_promesa,
        pedidos.fecha_promesa - pedidos.fecha_pedido as plazo_prometido,
        case
            when pedidos.fecha_entrega <= corte.fecha_corte
                then pedidos.fecha_entrega - pedidos.fecha_pedido
        end as plazo_real,
        pedidos.fecha_entrega <= least(pedidos.fecha_promesa, corte.fecha_corte) as es_a_tiempo,
        pedidos.unidades_pedidas,
        pedidos.unidades_recibidas
    from {{ ref('fact_pedidos') }} as pedidos
    inner join {{ ref('dim_producto') }} as productos on pedidos.producto_id = productos.producto_id
    inner join corte on pedidos.fecha_pedido <= corte.fecha_corte

),

sumas as (

    select
        pedidos.mes,
        pedidos.proveedor,
        pedidos.unidad_medida,
        count(*) as lineas,
        count(*) filter (where not pedidos.es_abierta) as lineas_entregadas,
        count(*) filter (
            where not pedidos.es_abierta and pedidos.unidades_recibidas = pedidos.unidades_pedidas
        ) as lineas_completas,
        count(*) filter (where pedidos.es_a_tiempo) as lineas_a_tiempo,
        count(*) filter (where pedidos.es_abierta) as lineas_abiertas,
        count(*) filter (
            where pedidos.es_abierta and pedidos.fecha_promesa <= corte.fecha_corte
        ) as lineas_vencidas,
        coalesce(sum(pedidos.unidades_pedidas) filter (where not pedidos.es_abierta), 0)
            as unidades_pedidas,
        coalesce(sum(pedidos.unidades_recibidas) filter (where not pedidos.es_abierta), 0)
            as unidades_recibidas,
        coalesce(sum(pedidos.unidades_pedidas) filter (where pedidos.es_abierta), 0)
            as unidades_abiertas,
        coalesce(sum(pedidos.plazo_prometido) filter (where not pedidos.es_abierta), 0)
            as suma_plazo_prometido,
        coalesce(sum(pedidos.plazo_real), 0) as suma_plazo_real,
        coalesce(sum(pedidos.plazo_real * pedidos.plazo_real), 0) as suma_plazo_real_cuadrado
    from pedidos
    cross join corte
    group by pedidos.mes, pedidos.proveedor, pedidos.unidad_medida

),

-- Sum of the squared deviations from the mean, from sums: whole numbers, so nothing is lost.
con_desviaciones as (

    select
        *,
        suma_plazo_real_cuadrado
        - suma_plazo_real * suma_plazo_real / nullif(lineas_entregadas, 0)::numeric as desviaciones
    from sumas

),

final as (

    select
        mes,
        proveedor,
        unidad_medida,
        lineas,
        lineas_entregadas,
        lineas_completas,
        lineas_a_tiempo,
        lineas_abiertas,
        lineas_vencidas,
        unidades_pedidas::numeric(16, 3) as unidades_pedidas,
        unidades_recibidas::numeric(16, 3) as unidades_recibidas,
        unidades_abiertas::numeric(16, 3) as unidades_abiertas,
        suma_plazo_prometido,
        suma_plazo_real,
        suma_plazo_real_cuadrado,
        (100 * unidades_recibidas / nullif(unidades_pedidas, 0))::numeric(12, 2) as surtido_pct,
        (100.0 * lineas_completas / nullif(lineas_entregadas, 0))::numeric(12, 2) as completas_pct,
        (100.0 * lineas_a_tiempo / nullif(lineas_entregadas, 0))::numeric(12, 2) as a_tiempo_pct,
        (suma_plazo_prometido::numeric / nullif(lineas_entregadas, 0))::numeric(12, 2)
            as plazo_prometido,
        (suma_plazo_real::numeric / nullif(lineas_entregadas, 0))::numeric(12, 2) as plazo_real,
        sqrt(desviaciones / nullif(lineas_entregadas - 1, 0))::numeric(12, 2) as desviacion_plazo,
        sqrt(desviaciones / nullif(lineas_entregadas - 1, 0) / lineas_entregadas)::numeric(12, 3)
            as error_plazo
    from con_desviaciones

)

select * from final
