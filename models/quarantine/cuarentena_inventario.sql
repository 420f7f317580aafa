{{ config(
    alias='inventario',
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
    ignores_changes_of=['dim_producto', 'dim_tienda'],
) }}

-- Grain: one row per refused stock row as delivered.

{{ refused_rows(
    ref('stg_inventario'),
    ref('int_inventario_evaluado'),
    ref('fact_inventario'),
    'fecha',
    [
        'fecha',
        'tienda_id',
        'producto_id',
        'dias_periodo',
        'stock_inicial',
        'entradas',
        'reingresos',
        'salidas',
        'merma',
        'stock_final',
        'costo_unitario',
    ],
) }}
