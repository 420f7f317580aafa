-- How strongly do units react to promotions: elasticity by product and format? -2 means that one
-- percent off sells two percent more. Units of each depth of discount against what would have been
-- sold (as in efecto_promocion: weekday, season and events are in both), then ln(units / expected)
-- on ln(1 - discount) through the origin, weighted by what is expected; standard error as if units
-- were Poisson. Reads all of retail.fact_ventas: promotions are few. One row per product and format
-- with 30 or more days in promotion.

with

vendido as (

    select
        tiendas.formato,
        ventas.producto_id,
        ventas.fecha_venta as fecha,
        sum(ventas.unidades) as unidades
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
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

por_descuento as (

    select
        formato,
        producto_id,
        count(*) as dias,
        sum(unidades) as unidades,
        sum(esperadas) as esperadas,
        ln(1 - descuento_pct / 100) as ln_precio
    from con_esperadas
    where descuento_pct is not null and esperadas is not null
    group by formato, producto_id, descuento_pct
    having sum(unidades) > 0 and sum(esperadas) > 0

)

select
    productos.categoria,
    productos.nombre_producto,
    por_descuento.producto_id,
    por_descuento.formato,
    sum(por_descuento.dias) as dias_en_promocion,
    round(
        sum(
            por_descuento.esperadas
            * ln(por_descuento.unidades / por_descuento.esperadas) * por_descuento.ln_precio
        )
        / sum(por_descuento.esperadas * por_descuento.ln_precio * por_descuento.ln_precio), 2
    ) as elasticidad,
    round(
        1 / sqrt(
            sum(por_descuento.unidades * por_descuento.ln_precio * por_descuento.ln_precio)
        ), 2
    ) as error_estandar
from por_descuento
inner join
    {{ ref('dim_producto') }} as productos
    on por_descuento.producto_id = productos.producto_id
group by
    productos.categoria, productos.nombre_producto, por_descuento.producto_id, por_descuento.formato
having sum(por_descuento.dias) >= 30
order by productos.categoria, por_descuento.producto_id, por_descuento.formato
