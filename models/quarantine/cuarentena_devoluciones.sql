{{ config(
    alias='devoluciones',
    partition_by={'fields': ['fecha_devolucion'], 'granularity': 'month'},
) }}

-- Grain: one row per refused return as delivered.
-- Reads the fact, so it is built after the fact and whenever the fact is: a return is in one of the
-- two. The rules are
-- evaluated only for a month in which the fact holds fewer returns than were delivered.

with

conteo as (

    select
        (
            select count(*) from {{ ref('stg_devoluciones') }}
            where {{ partition_filter('fecha_devolucion') }}
        )
        > (
            select count(*)
            from {{ ref('fact_devoluciones') }}
            where {{ partition_filter('fecha_devolucion') }}
        ) as hay_rechazadas

),

devoluciones as (

    select *
    from {{ ref('int_devoluciones_evaluadas') }}
    where (select conteo.hay_rechazadas from conteo)

),

final as (

    select
        devolucion_id,
        ticket_id,
        linea,
        fecha_venta,
        fecha_devolucion,
        tienda_id,
        producto_id,
        canal,
        unidades,
        importe,
        motivo,
        carga_id,
        fila,
        string_to_array(motivos, ',') as motivos
    from devoluciones
    where es_rechazada

)

select * from final
