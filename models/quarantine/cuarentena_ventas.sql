{{ config(
    alias='ventas',
    partition_by={'fields': ['fecha_venta'], 'granularity': 'month'},
) }}

-- Grain: one row per refused ticket line as delivered.
-- Reads the fact, so it is built after the fact and whenever the fact is: a line is in one of the two. The rules are
-- evaluated only for a month in which the fact holds fewer lines than were delivered.

with

conteo as (

    select
        (select count(*) from {{ ref('stg_ventas') }} where {{ partition_filter('fecha_venta') }})
        > (select count(*) from {{ ref('fact_ventas') }} where {{ partition_filter('fecha_venta') }}) as hay_rechazadas

),

ventas as (

    select *
    from {{ ref('int_ventas_evaluadas') }}
    where (select hay_rechazadas from conteo)

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
