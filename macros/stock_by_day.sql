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

    agotados as (

        select
            fecha,
            tienda_id,
            producto_id
        from {{ ref('fact_inventario') }}
        where
            fecha > (select corte.fecha_corte from corte) - 364
            and fecha <= (select corte.fecha_corte from corte)
            and dias_periodo = 1
            and stock_final <= 0
            and (stock_inicial > 0 or entradas > 0)

    ),

    ultimas_ventas as (

        select
            ventas.fecha_venta as fecha,
            ventas.tienda_id,
            ventas.producto_id,
            extract(hour from max(ventas.hora)) as hora
        from {{ ref('fact_ventas') }} as ventas
        inner join agotados
            on
                ventas.fecha_venta = agotados.fecha
                and ventas.tienda_id = agotados.tienda_id
                and ventas.producto_id = agotados.producto_id
        where
            ventas.fecha_venta >= (select min(agotados.fecha) from agotados)
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

    fotos as (

        select
            inventario.fecha,
            inventario.dias_periodo,
            tiendas.region,
            inventario.producto_id,
            inventario.stock_inicial,
            inventario.entradas,
            inventario.salidas,
            inventario.merma,
            inventario.stock_final,
            inventario.costo_unitario,
            inventario.dias_periodo = 1 as es_diaria,
            inventario.stock_inicial > 0 or inventario.entradas > 0 as tiene_stock,
            case
                when inventario.dias_periodo > 1 then 0
                when inventario.stock_inicial <= 0 and inventario.entradas <= 0 then 1
                else coalesce(partes_del_dia.parte_despues, 0)
            end as parte_sin_stock,
            {{ demand_per_day('demanda') }} as demanda_diaria,
            demanda.precio_sin_iva
        from {{ ref('fact_inventario') }} as inventario
        inner join {{ ref('dim_tienda') }} as tiendas on inventario.tienda_id = tiendas.tienda_id
        left join {{ ref('mv_demanda_tienda_producto') }} as demanda
            on
                inventario.tienda_id = demanda.tienda_id
                and inventario.producto_id = demanda.producto_id
        left join ultimas_ventas
            on
                inventario.fecha = ultimas_ventas.fecha
                and inventario.tienda_id = ultimas_ventas.tienda_id
                and inventario.producto_id = ultimas_ventas.producto_id
        left join partes_del_dia
            on
                tiendas.formato = partes_del_dia.formato
                and ultimas_ventas.hora = partes_del_dia.hora
        where
            inventario.fecha > (select corte.fecha_corte from corte) - 364
            and inventario.fecha <= (select corte.fecha_corte from corte)

    )

    select
        fecha,
        dias_periodo,
        region,
        producto_id,
        sum(stock_inicial) as stock_inicial,
        sum(entradas) as entradas,
        sum(salidas) as salidas,
        sum(merma) as merma,
        sum(stock_final) as stock_final,
        sum(dias_periodo * costo_unitario * (stock_inicial + stock_final) / 2) as valor_por_dias,
        count(*) filter (where es_diaria) as dias_observados,
        coalesce(sum(salidas) filter (where es_diaria), 0) as salidas_observadas,
        count(*) filter (where es_diaria and tiene_stock) as dias_con_stock,
        coalesce(sum(salidas) filter (where es_diaria and tiene_stock), 0) as unidades_con_stock,
        count(*) filter (where es_diaria and stock_final <= 0) as dias_cierre_sin_stock,
        count(*) filter (where es_diaria and not tiene_stock) as dias_completos_sin_stock,
        sum(parte_sin_stock) as dias_equivalentes_sin_stock,
        coalesce(sum(parte_sin_stock * demanda_diaria) filter (where parte_sin_stock > 0), 0)
            as unidades_perdidas,
        coalesce(
            sum(parte_sin_stock * demanda_diaria * precio_sin_iva) filter (where parte_sin_stock > 0), 0
        ) as ventas_perdidas
    from fotos
    group by fecha, dias_periodo, region, producto_id
{%- endmacro %}
