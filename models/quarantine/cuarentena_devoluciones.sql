{{ config(
    alias='devoluciones',
    partition_by={'fields': ['fecha_devolucion'], 'granularity': 'month'},
) }}

-- Grain: one row per refused return as delivered.

{{ refused_rows(
    ref('stg_devoluciones'),
    ref('int_devoluciones_evaluadas'),
    ref('fact_devoluciones'),
    'fecha_devolucion',
    [
        'devolucion_id',
        'ticket_id',
        'linea',
        'fecha_venta',
        'fecha_devolucion',
        'tienda_id',
        'producto_id',
        'canal',
        'unidades',
        'importe',
        'motivo',
        'reingresa',
    ],
) }}
