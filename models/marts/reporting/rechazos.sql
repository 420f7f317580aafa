{{ config(materialized='view') }}

-- Grain: one row per raw table, month and reason.
-- Additive: filas_sin_repetir, which counts a row under its first reason; filas not over reasons,
-- because a row can have several.
-- Runs with its owner's rights, so readers need none in schema cuarentena.

with

motivos as (

    select * from {{ ref('motivos_rechazo') }}

),

rechazadas as (
    {% for name, date in [
        ('ventas', 'fecha_venta'),
        ('devoluciones', 'fecha_devolucion'),
        ('inventario', 'fecha'),
        ('pedidos', 'fecha_pedido'),
        ('productos', 'fecha_lanzamiento'),
        ('tiendas', 'fecha_apertura'),
        ('promociones', 'fecha_inicio'),
    ] %}
        select
            'raw_{{ name }}' as tabla,
            entregadas.{{ date }} as dia,
            razones.motivo,
            razones.lugar
        from {{ ref('cuarentena_' ~ name) }} as entregadas
        cross join lateral unnest(entregadas.motivos) with ordinality as razones (motivo, lugar)
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (

    select
        rechazadas.tabla,
        date_trunc('month', rechazadas.dia)::date as mes,
        rechazadas.motivo,
        motivos.descripcion,
        count(*) as filas,
        count(*) filter (where rechazadas.lugar = 1) as filas_sin_repetir
    from rechazadas
    left join motivos on rechazadas.motivo = motivos.motivo
    group by 1, 2, 3, 4

)

select * from final
