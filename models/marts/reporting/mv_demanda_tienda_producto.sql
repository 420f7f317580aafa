{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    on_dependants='rebuild',
    indexes=[{'columns': ['tienda_id', 'producto_id'], 'unique': true}],
) }}

-- Grain: one row per store and product with a stock row in the 91 days up to the cut-off date.
-- Not additive. The parts are kept, so readers divide unrounded: demand = unidades_con_stock /
-- dias_con_stock.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

demanda as (
    {{ pair_demand() }}
),

final as (

    select
        demanda.tienda_id,
        demanda.producto_id,
        demanda.tiene_ventas,
        demanda.unidades_28_dias,
        demanda.base_demanda,
        demanda.dias_con_stock,
        demanda.unidades_con_stock,
        demanda.cuadrados_unidades,
        round({{ demand_per_day('demanda') }}, 4) as demanda_diaria,
        round({{ demand_deviation('demanda') }}, 4) as desviacion_diaria,
        round(
            {{ demand_deviation('demanda') }} / sqrt(demanda.dias_con_stock::numeric), 4
        ) as error_demanda,
        demanda.precio_sin_iva
    from demanda

)

select * from final
order by tienda_id, producto_id
