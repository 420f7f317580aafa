{# SQL (query): what mv_inventory_alerts shows of its CTE `pairs`: only here numbers are rounded. #}
{% macro alert_columns(pairs) -%}
    select
        tienda_id,
        producto_id,
        fecha,
        stock_actual,
        round(unidades_28_dias / 28, 4) as venta_diaria_promedio,
        round(stock_actual * dias_con_stock / nullif(unidades_con_stock, 0), 1) as dias_inventario,
        estado as alerta_inventario,
        es_activo,
        base_demanda,
        dias_con_stock,
        demanda_diaria,
        desviacion_diaria,
        clase_abc,
        nivel_servicio_pct,
        en_camino,
        fecha_promesa as fecha_proxima_entrega,
        round(plazo, 2) as plazo_dias,
        round(desviacion_plazo, 2) as desviacion_plazo,
        entregas as entregas_observadas,
        round(reorden, 3) as punto_reorden,
        minima as existencia_minima,
        round(maxima, 3) as existencia_maxima,
        dias_en_estado,
        round(dias_sin_entrega, 2) as dias_sin_entrega,
        case
            when estado in ('SIN_STOCK', 'STOCK_BAJO')
                then round(unidades_con_stock * precio_sin_iva / dias_con_stock, 2)
        end as venta_perdida_diaria,
        case
            when estado in ('SIN_STOCK', 'STOCK_BAJO') then round(margen_diario, 2)
        end as margen_perdido_diario,
        round(dinero, 2) as dinero_en_riesgo,
        case
            when estado != 'NORMAL'
                then row_number() over (
                    partition by estado order by dinero desc, margen_diario desc, tienda_id, producto_id
                )
        end as posicion
    from {{ pairs }}
{%- endmacro %}
