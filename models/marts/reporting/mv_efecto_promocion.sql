{{ config(
    materialized='materialized_view',
    data_through='cutoff_date',
    indexes=[{'columns': ['promocion_id'], 'unique': true}],
) }}

-- Grain: one row per promotion that began in the 91 days up to the cut-off date.
-- Additive: days, units, expected units, amounts. Not additive: percentages; of several promotions
-- they are sum(unidades) / sum(unidades_esperadas) - 1.
-- Expected: units a store-day of the same weekdays in the 28 days before, without those of another
-- promotion and the week after it, times the change of the category's products without promotion
-- in the same stores. Beside it the change of the same product in the stores of other formats.
-- Where daily stock is known of all days, store-days without stock do not count on either side.

with

corte as (

    select {{ cutoff_date() }} as fecha_corte

),

productos as (

    select
        impuestos.*,
        coalesce(productos.fecha_lanzamiento, '-infinity') as vendido_desde,
        coalesce(productos.fecha_retiro, 'infinity') as vendido_hasta
    from ({{ product_taxes() }}) as impuestos
    inner join {{ ref('dim_producto') }} as productos
        on impuestos.producto_id = productos.producto_id

),

promociones as (

    select
        promociones.*,
        productos.categoria,
        promociones.fecha_fin + 7 > corte.fecha_corte as es_parcial
    from {{ ref('dim_promocion') }} as promociones
    inner join productos on promociones.producto_id = productos.producto_id
    cross join corte
    where
        promociones.fecha_inicio > corte.fecha_corte - 91
        and promociones.fecha_inicio <= corte.fecha_corte

),

vendido as (
    {{ promotion_sales() }}
),

-- media: what a store sells of the product on a day on which no promotion acts on it.
panel as (

    select
        *,
        sum(unidades) filter (where not es_movido) over producto
        / nullif(sum(tiendas) filter (where not es_movido) over producto, 0) as media
    from ({{ promotion_panel() }}) as dias_producto
    window producto as (partition by formato, producto_id)

),

niveles as (

    select
        panel.formato,
        productos.categoria,
        panel.fecha,
        sum(panel.unidades) as unidades,
        sum(panel.cuadrados) as cuadrados,
        sum(panel.tiendas * panel.media) as exposicion
    from panel
    inner join productos on panel.producto_id = productos.producto_id
    where not panel.es_movido
    group by panel.formato, productos.categoria, panel.fecha

),

-- A day's stock is known if it has at least half as many daily rows as the fullest day.
fotos as (

    select
        fecha,
        2 * sum(pares) >= max(sum(pares)) over () and sum(pares) > 0 as es_conocida
    from panel
    group by fecha

),

dias as materialized (

    select
        promociones.*,
        fotos.fecha,
        case
            when fotos.fecha < promociones.fecha_inicio then 0
            when fotos.fecha <= promociones.fecha_fin then 1
            else 2
        end as tramo,
        bool_and(fotos.es_conocida) over (partition by promociones.promocion_id) as conoce_stock
    from promociones
    inner join fotos
        on fotos.fecha between promociones.fecha_inicio - 28 and promociones.fecha_fin + 7

),

por_dia as (
    {{ promotion_days() }}
),

por_serie as (
    {{ promotion_sums() }}
),

montos as (

    select
        promociones.promocion_id,
        sum(vendido.rebajadas) as rebajadas,
        sum(vendido.descuento) as descuento,
        sum(vendido.margen_cedido) as margen_cedido,
        sum(vendido.margen) as margen
    from promociones
    inner join vendido
        on
            promociones.formato = vendido.formato
            and promociones.producto_id = vendido.producto_id
            and vendido.fecha between promociones.fecha_inicio and promociones.fecha_fin
    where vendido.rebajadas > 0
    group by promociones.promocion_id

),

final as (
    {{ promotion_columns() }}
)

select * from final
order by promocion_id
