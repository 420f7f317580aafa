{{ config(
    alias='pedidos',
    partition_by={'fields': ['fecha_pedido'], 'granularity': 'month'},
    ignores_changes_of=['dim_producto', 'dim_tienda'],
) }}

-- Grain: one row per refused order line as delivered.

{{ refused_rows(
    ref('stg_pedidos'),
    ref('int_pedidos_evaluados'),
    ref('fact_pedidos'),
    'fecha_pedido',
    [
        'pedido_id',
        'tienda_id',
        'producto_id',
        'proveedor',
        'fecha_pedido',
        'fecha_promesa',
        'fecha_entrega',
        'unidades_pedidas',
        'unidades_recibidas',
    ],
) }}
