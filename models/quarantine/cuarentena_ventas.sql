{{ config(
    alias='ventas',
    partition_by={'fields': ['fecha_venta'], 'granularity': 'month'},
) }}

-- depends_on: {{ ref('fact_ventas') }}
-- Built after the fact and whenever the fact's partition is, so that a line is in one of the two.
-- Grain: one row per refused ticket line as delivered.

with

ventas as (

    select * from {{ ref('int_ventas_evaluadas') }}

),

evaluadas as (

    select
        *,
        array_remove(array[
            case when es_producto_huerfano then 'PRODUCTO_HUERFANO' end,
            case when es_tienda_huerfana then 'TIENDA_HUERFANA' end,
            case when es_canal_desconocido then 'CANAL_DESCONOCIDO' end,
            case when es_linea_duplicada then 'LINEA_DUPLICADA' end,
            case when es_ticket_incoherente then 'TICKET_INCOHERENTE' end,
            case when es_fuera_de_tienda then 'FUERA_DE_VIDA_DE_TIENDA' end,
            case when es_fuera_de_producto then 'FUERA_DE_VIDA_DE_PRODUCTO' end
        ], null) as motivos
    from ventas
    where
        es_producto_huerfano
        or es_tienda_huerfana
        or es_canal_desconocido
        or es_linea_duplicada
        or es_ticket_incoherente
        or es_fuera_de_tienda
        or es_fuera_de_producto

),

final as (

    select
        ticket_id,
        linea,
        fecha_venta,
        hora,
        tienda_id,
        producto_id,
        canal,
        unidades,
        precio_unitario,
        descuento_pct,
        costo_unitario,
        total_linea,
        carga_id,
        fila,
        motivos
    from evaluadas

)

select * from final
