{{ config(
    alias='ventas',
    partition_by={'fields': ['fecha_venta'], 'granularity': 'month'},
) }}

-- Grain: one row per refused ticket line as delivered.
-- Reads the fact, so it is built after the fact and whenever the fact is: a line is in one of the
-- two. The rules are
-- evaluated only for a month in which the fact holds fewer lines than were delivered.

with

conteo as (

    select
        (
            select count(*) from {{ ref('stg_ventas') }}
            where {{ partition_filter('fecha_venta') }}
        )
        > (
            select count(*) from {{ ref('fact_ventas') }}
            where {{ partition_filter('fecha_venta') }}
        ) as hay_rechazadas

),

ventas as (

    select *
    from {{ ref('int_ventas_evaluadas') }}
    where (select conteo.hay_rechazadas from conteo)

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
        string_to_array(motivos, ',') as motivos
    from ventas
    where es_rechazada

)

select * from final
