{#
    SQL: measures and ratios of mv_desempeno_producto, of its CTEs `vendido`, `en_existencia` and `periodos`. Ratios
    are sums divided once, unrounded; where nothing was sold or stored they are null.
#}
{% macro scorecard_columns() -%}
    coalesce(vendido.lineas, 0) as lineas,
        {%- for measure in [
            'unidades', 'total_ventas', 'ventas_promocion', 'descuento', 'devoluciones', 'ventas_netas',
            'costo_ventas', 'margen',
        ] %}
        coalesce(vendido.{{ measure }}, 0) as {{ measure }},
        {%- endfor %}
        {%- for name, part, whole in [
            ('margen_pct', 'margen', 'ventas_netas'),
            ('promocion_pct', 'ventas_promocion', 'total_ventas'),
            ('devolucion_pct', 'devoluciones', 'total_ventas'),
        ] %}
        round(100 * vendido.{{ part }} / nullif(vendido.{{ whole }}, 0), 2) as {{ name }},
        {%- endfor %}
        periodos.stock_desde as existencia_desde,
        {%- for sum in ['existencia_inicial', 'entradas', 'salidas', 'merma', 'existencia_final'] %}
        coalesce(en_existencia.{{ sum }}, 0) as {{ sum }},
        {%- endfor %}
        round(coalesce(en_existencia.merma_costo, 0), 2) as merma_costo,
        round(coalesce(en_existencia.castigo_costo, 0), 2) as castigo_costo,
        round(coalesce(en_existencia.valor_medio, 0), 2) as valor_inventario_medio,
        round(
            100 * en_existencia.salidas / nullif(en_existencia.existencia_inicial + en_existencia.entradas, 0), 2
        ) as sell_through_pct,
        {%- for name, measure in [('rotacion', 'costo_ventas'), ('gmroi', 'margen')] %}
        round(
            364 * coalesce(vendido.{{ measure }}, 0) / nullif(periodos.dias * en_existencia.valor_medio, 0), 2
        ) as {{ name }},
        {%- endfor %}
        round(
            periodos.dias * coalesce(en_existencia.existencia_final, 0) / nullif(vendido.unidades, 0), 1
        ) as dias_inventario,
        {%- for days in ['dias_observados', 'dias_cierre_sin_stock', 'dias_completos_sin_stock'] %}
        coalesce(en_existencia.{{ days }}, 0) as {{ days }},
        {%- endfor %}
        {%- for name, part in [
            ('cierre_sin_stock_pct', 'dias_cierre_sin_stock'),
            ('dia_completo_sin_stock_pct', 'dias_completos_sin_stock'),
        ] %}
        round(100.0 * en_existencia.{{ part }} / nullif(en_existencia.dias_observados, 0), 2) as {{ name }},
        {%- endfor %}
        coalesce(en_existencia.salidas_observadas, 0) as salidas_observadas,
        round(coalesce(en_existencia.dias_equivalentes_sin_stock, 0), 2) as dias_equivalentes_sin_stock,
        round(coalesce(en_existencia.unidades_perdidas, 0), 3) as unidades_perdidas,
        round(coalesce(en_existencia.ventas_perdidas, 0), 2) as ventas_perdidas
{%- endmacro %}
