-- What do promotions bring and cost: units against what would have been sold, the week after
-- included, by category over two years? Expected: the product's share of its category and format on
-- ordinary days, times what the category's products without promotion sold on the day, so weekday,
-- season, holidays and paydays are in both. Lift = units / expected. error_pct: standard error of
-- the lift, as if units were Poisson. Reads retail.fact_ventas. One row per category.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

vendido as (

    select
        tiendas.formato,
        ventas.producto_id,
        ventas.fecha_venta as fecha,
        sum(ventas.unidades) as unidades
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 2 * 364
        and ventas.fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
    group by tiendas.formato, ventas.producto_id, ventas.fecha_venta

),

-- A day without sales is zero. Ordinary: neither in promotion nor in the week after one, when
-- pantries are full. Stacked and added up, which is quicker than joins by day.
panel as (

    select
        filas.formato,
        filas.producto_id,
        productos.categoria,
        filas.fecha,
        sum(filas.unidades) as unidades,
        max(filas.descuento_pct) as descuento_pct,
        bool_or(filas.tras_promocion) as tras_promocion,
        not bool_or(filas.tras_promocion or filas.descuento_pct is not null) as es_ordinario
    from (
        select
            formato,
            producto_id,
            fecha,
            unidades,
            null::numeric as descuento_pct,
            false as tras_promocion,
            true as en_surtido
        from vendido
        union all
        select
            surtido.formato,
            surtido.producto_id,
            surtido.desde + dias.n::integer as fecha,
            0 as unidades,
            null as descuento_pct,
            false as tras_promocion,
            true as en_surtido
        from (
            select
                formato,
                producto_id,
                min(fecha) as desde,
                max(fecha) as hasta
            from vendido
            group by formato, producto_id
        ) as surtido
        cross join lateral generate_series(0, surtido.hasta - surtido.desde) as dias (n)
        union all
        select
            promociones.formato,
            promociones.producto_id,
            promociones.fecha_inicio + dias.n::integer as fecha,
            0 as unidades,
            case
                when promociones.fecha_inicio + dias.n::integer <= promociones.fecha_fin
                    then promociones.descuento_pct
            end as descuento_pct,
            promociones.fecha_inicio + dias.n::integer > promociones.fecha_fin as tras_promocion,
            false as en_surtido
        from {{ ref('dim_promocion') }} as promociones
        cross join lateral generate_series(
            0, promociones.fecha_fin + 7 - promociones.fecha_inicio
        ) as dias (n)
    ) as filas
    inner join {{ ref('dim_producto') }} as productos on filas.producto_id = productos.producto_id
    group by filas.formato, filas.producto_id, productos.categoria, filas.fecha
    having bool_or(filas.en_surtido)

),

-- What a product would have sold: its share of the category in the format, times the level of the
-- category on the day, which its ordinary products tell. The level weighs products by their mean;
-- the share is then found from the levels of the days on which the product was ordinary.
con_media as (

    select
        *,
        avg(unidades) filter (where es_ordinario) over (
            partition by formato, producto_id
        ) as media
    from panel

),

con_nivel as (

    select
        *,
        sum(unidades) filter (where es_ordinario) over dia
        / nullif(sum(media) filter (where es_ordinario) over dia, 0) as nivel
    from con_media
    window dia as (partition by formato, categoria, fecha)

),

con_esperadas as (

    select
        *,
        nivel * sum(unidades) filter (where es_ordinario and nivel is not null) over producto
        / nullif(sum(nivel) filter (where es_ordinario) over producto, 0) as esperadas
    from con_nivel
    window producto as (partition by formato, producto_id)

),

esperado as (

    select
        categoria,
        descuento_pct is not null as en_promocion,
        unidades,
        esperadas
    from con_esperadas
    where not es_ordinario and esperadas is not null

),

costo as (

    select
        productos.categoria,
        sum(ventas.descuento) as descuento
    from {{ ref('agg_ventas_dia_region_producto') }} as ventas
    inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    where
        ventas.es_promocion
        and ventas.fecha > (select ultimo_dia.fecha from ultimo_dia) - 2 * 364
        and ventas.fecha <= (select ultimo_dia.fecha from ultimo_dia)
    group by productos.categoria

)

select
    esperado.categoria,
    count(*) filter (where esperado.en_promocion) as dias_producto,
    round(sum(esperado.unidades) filter (where esperado.en_promocion), 0) as unidades,
    round(sum(esperado.esperadas) filter (where esperado.en_promocion), 0) as unidades_esperadas,
    round(
        100 * (
            sum(esperado.unidades) filter (where esperado.en_promocion)
            / sum(esperado.esperadas) filter (where esperado.en_promocion) - 1
        ), 1
    ) as efecto_pct,
    round(
        100 * sqrt(sum(esperado.unidades) filter (where esperado.en_promocion))
        / sum(esperado.esperadas) filter (where esperado.en_promocion), 1
    ) as error_pct,
    round(
        100 * (
            sum(esperado.unidades) filter (where not esperado.en_promocion)
            / sum(esperado.esperadas) filter (where not esperado.en_promocion) - 1
        ), 1
    ) as semana_siguiente_pct,
    max(costo.descuento) as descuento
from esperado
inner join costo on esperado.categoria = costo.categoria
group by esperado.categoria
order by esperado.categoria
