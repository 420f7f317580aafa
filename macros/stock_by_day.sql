{#
    SQL (query): stock rows of the 364 days up to `fecha_corte` of the CTE `corte`, added up by day, length of the
    period, region and product.

    Stock-outs are counted on daily rows only. Closing: nothing left in the evening. Whole day: nothing in the morning
    and nothing came. A day on which the shelf ran empty counts the part of the format's sale lines that fall after
    the hour of the last sale (`hora`); without a sale the hour is not known and it counts nothing.
    Lost units = that part of a day * demand of the pair (mv_demanda_tienda_producto).
#}
{% macro stock_by_day() -%}
    with

    sin_stock as (

        select
            fecha,
            tienda_id,
            producto_id,
            stock_inicial <= 0 and entradas <= 0 as es_dia_completo
        from {{ ref('fact_inventario') }}
        where
            fecha > (select corte.fecha_corte from corte) - 364
            and fecha <= (select corte.fecha_corte from corte)
            and dias_periodo = 1
            and stock_final <= 0

    ),

    ultimas_ventas as (

        select
            ventas.fecha_venta as fecha,
            ventas.tienda_id,
            ventas.producto_id,
            extract(hour from max(ventas.hora)) as hora
        from {{ ref('fact_ventas') }} as ventas
        inner join sin_stock
            on
                ventas.fecha_venta = sin_stock.fecha
                and ventas.tienda_id = sin_stock.tienda_id
                and ventas.producto_id = sin_stock.producto_id
        where
            not sin_stock.es_dia_completo
            and ventas.fecha_venta >= (select min(sin_stock.fecha) from sin_stock)
            and ventas.fecha_venta <= (select corte.fecha_corte from corte)
        group by ventas.fecha_venta, ventas.tienda_id, ventas.producto_id

    ),

    lineas_por_hora as (

        select
            tiendas.formato,
            extract(hour from ventas.hora) as hora,
            count(*) as lineas
        from {{ ref('fact_ventas') }} as ventas
        inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
        where
            ventas.fecha_venta > (select corte.fecha_corte from corte) - 28
            and ventas.fecha_venta <= (select corte.fecha_corte from corte)
        group by 1, 2

    ),

    partes_del_dia as (

        select
            formato,
            hora,
            1 - sum(lineas) over (partition by formato order by hora)
            / sum(lineas) over (partition by formato) as parte_despues
        from lineas_por_hora

    ),

    partes as (

        select
            sin_stock.fecha,
            tiendas.region,
            sin_stock.producto_id,
            case
                when sin_stock.es_dia_completo then 1
                else coalesce(partes_del_dia.parte_despues, 0)
            end as parte_sin_stock,
            {{ demand_per_day('demanda') }} as demanda_diaria,
            demanda.precio_sin_iva
        from sin_stock
        inner join {{ ref('dim_tienda') }} as tiendas on sin_stock.tienda_id = tiendas.tienda_id
        left join {{ ref('mv_demanda_tienda_producto') }} as demanda
            on
                sin_stock.tienda_id = demanda.tienda_id
                and sin_stock.producto_id = demanda.producto_id
        left join ultimas_ventas
            on
                sin_stock.fecha = ultimas_ventas.fecha
                and sin_stock.tienda_id = ultimas_ventas.tienda_id
                and sin_stock.producto_id = ultimas_ventas.producto_id
        left join partes_del_dia
            on
                tiendas.formato = partes_del_dia.formato
                and ultimas_ventas.hora = partes_del_dia.hora

    ),

    perdidas as (

        select
            fecha,
            region,
            producto_id,
            sum(parte_sin_stock) as dias_equivalentes_sin_stock,
            coalesce(sum(parte_sin_stock * demanda_diaria), 0) as unidades_perdidas,
            coalesce(sum(parte_sin_stock * demanda_diaria * precio_sin_iva), 0) as ventas_perdidas
        from partes
        group by fecha, region, producto_id

    ),

    por_dia as (

        select
            inventario.fecha,
            inventario.dias_periodo,
            tiendas.region,
            inventario.producto_id,
            sum(inventario.stock_inicial) as stock_inicial,
            sum(inventario.entradas) as entradas,
            sum(inventario.salidas) as salidas,
            sum(inventario.merma) as merma,
            coalesce(
                sum(inventario.merma * inventario.costo_unitario) filter (where not {{ _delisted() }}), 0
            ) as merma_costo,
            coalesce(
                sum(inventario.merma * inventario.costo_unitario) filter (where {{ _delisted() }}), 0
            ) as castigo_costo,
            sum(inventario.stock_final) as stock_final,
            sum(
                inventario.dias_periodo * inventario.costo_unitario
                * (inventario.stock_inicial + inventario.stock_final) / 2
            ) as valor_por_dias,
            count(*) as filas,
            count(*) filter (
                where inventario.stock_inicial > 0 or inventario.entradas > 0
            ) as con_stock,
            coalesce(
                sum(inventario.salidas) filter (where inventario.stock_inicial > 0 or inventario.entradas > 0), 0
            ) as salidas_con_stock,
            count(*) filter (where inventario.stock_final <= 0) as cierres_sin_stock
        from {{ ref('fact_inventario') }} as inventario
        inner join {{ ref('dim_tienda') }} as tiendas on inventario.tienda_id = tiendas.tienda_id
        inner join {{ ref('dim_producto') }} as productos on inventario.producto_id = productos.producto_id
        where
            inventario.fecha > (select corte.fecha_corte from corte) - 364
            and inventario.fecha <= (select corte.fecha_corte from corte)
        group by inventario.fecha, inventario.dias_periodo, tiendas.region, inventario.producto_id

    )

    select
        por_dia.fecha,
        por_dia.dias_periodo,
        por_dia.region,
        por_dia.producto_id,
        por_dia.stock_inicial,
        por_dia.entradas,
        por_dia.salidas,
        por_dia.merma,
        por_dia.merma_costo,
        por_dia.castigo_costo,
        por_dia.stock_final,
        por_dia.valor_por_dias,
        case when por_dia.dias_periodo = 1 then por_dia.filas else 0 end as dias_observados,
        case when por_dia.dias_periodo = 1 then por_dia.salidas else 0 end as salidas_observadas,
        case when por_dia.dias_periodo = 1 then por_dia.con_stock else 0 end as dias_con_stock,
        case when por_dia.dias_periodo = 1 then por_dia.salidas_con_stock else 0 end as unidades_con_stock,
        case when por_dia.dias_periodo = 1 then por_dia.cierres_sin_stock else 0 end as dias_cierre_sin_stock,
        case when por_dia.dias_periodo = 1 then por_dia.filas - por_dia.con_stock else 0 end
            as dias_completos_sin_stock,
        coalesce(perdidas.dias_equivalentes_sin_stock, 0) as dias_equivalentes_sin_stock,
        coalesce(perdidas.unidades_perdidas, 0) as unidades_perdidas,
        coalesce(perdidas.ventas_perdidas, 0) as ventas_perdidas
    from por_dia
    left join perdidas
        on
            por_dia.dias_periodo = 1
            and por_dia.fecha = perdidas.fecha
            and por_dia.region = perdidas.region
            and por_dia.producto_id = perdidas.producto_id
{%- endmacro %}


{# SQL (boolean): the product was delisted in the period of the stock row: what is left is written off (castigo). #}
{% macro _delisted() -%}
    coalesce(
        productos.fecha_retiro > inventario.fecha - inventario.dias_periodo
        and productos.fecha_retiro <= inventario.fecha,
        false
    )
{%- endmacro %}
