{# Names of the measures that are not counts. #}
{% macro additive_amounts() %}
    {{- return([
        'unidades', 'venta_bruta', 'descuento', 'total_ventas', 'ventas_sin_iva', 'devoluciones',
        'devoluciones_sin_iva', 'ventas_netas', 'costo_ventas', 'costo_devuelto', 'margen',
    ]) -}}
{% endmacro %}
