{{ config(
    alias='ventas',
    partition_by={'fields': ['fecha_venta'], 'granularity': 'month'},
    ignores_changes_of=['dim_producto', 'dim_tienda'],
) }}

-- Grain: one row per refused ticket line as delivered.

{{ refused_rows(
    ref('stg_ventas'),
    ref('int_ventas_evaluadas'),
    ref('fact_ventas'),
    'fecha_venta',
    [
        'ticket_id',
        'linea',
        'fecha_venta',
        'hora',
        'tienda_id',
        'producto_id',
        'canal',
        'unidades',
        'precio_unitario',
        'descuento_pct',
        'costo_unitario',
        'total_linea',
    ],
) }}
