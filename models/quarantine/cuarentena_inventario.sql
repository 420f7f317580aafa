{{ config(
    alias='inventario',
    partition_by={'fields': ['fecha'], 'granularity': 'month'},
) }}

-- Grain: one row per refused stock row as delivered.
-- Reads the fact, so it is built after the fact and whenever the fact is: a row is in one of the
-- two. The rules are
-- evaluated only for a month in which the fact holds fewer rows than were delivered.

with

conteo as (

    select
        (
            select count(*) from {{ ref('stg_inventario') }}
            where {{ partition_filter('fecha') }}
        )
        > (
            select count(*) from {{ ref('fact_inventario') }}
            where {{ partition_filter('fecha') }}
        ) as hay_rechazadas

),

inventario as (

    select *
    from {{ ref('int_inventario_evaluado') }}
    where (select conteo.hay_rechazadas from conteo)

),

final as (

    select
        fecha,
        tienda_id,
        producto_id,
        dias_periodo,
        stock_inicial,
        entradas,
        salidas,
        merma,
        stock_final,
        costo_unitario,
        carga_id,
        fila,
        string_to_array(motivos, ',') as motivos
    from inventario
    where es_rechazada

)

select * from final
