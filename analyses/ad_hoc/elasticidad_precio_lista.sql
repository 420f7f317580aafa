-- How strongly do units react to list prices: elasticity by product and format? Promotions apart:
-- those are elasticidad_precio. Weeks of a region's stores of the format, without those of a
-- promotion and the seven days after it. Units are taken as Poisson with mean share * level * price
-- ^ elasticity * others ^ cross effect: the share is the product's in the format of the region, the
-- level that of its category there in that week (season, events, openings are in it), the price is
-- over the category's mean price, the others are those of its subcategory. One step of Newton from
-- -2 towards the likeliest value; standard error with the dispersion seen. Days without stock are
-- not left out. Reads retail.dim_promocion, all whole weeks of retail.fact_ventas (at full scale
-- half a minute) and, for the first day, retail.agg_ventas_dia_tienda. One row per product and
-- format with 52 or more observations (observaciones: weeks of regions).

with

limites as (
    {{ whole_periods('week') }}
),

vendido as (

    select
        tiendas.region,
        tiendas.formato,
        ventas.producto_id,
        date_trunc('week', ventas.fecha_venta::timestamp)::date as semana,
        sum(ventas.unidades)::float8 as unidades,
        avg(ln(ventas.precio_unitario::float8)) as ln_precio
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha_venta >= (select limites.desde from limites)
        and ventas.fecha_venta < (select limites.hasta from limites)
        and ventas.precio_unitario > 0
    group by
        tiendas.region, tiendas.formato, ventas.producto_id,
        date_trunc('week', ventas.fecha_venta::timestamp)

),

-- A week without sales is zero, and has the price of the last sale. Stacked and added up, which is
-- quicker than a join by week. The weeks of the first and the last sale may be parts of one.
semanas as (

    select
        region,
        formato,
        producto_id,
        semana,
        sum(unidades) as unidades,
        max(ln_precio) as ln_precio,
        bool_and(es_entera) as es_entera
    from (
        select
            region,
            formato,
            producto_id,
            semana,
            unidades,
            ln_precio,
            true as es_entera
        from vendido
        union all
        select
            surtido.region,
            surtido.formato,
            surtido.producto_id,
            surtido.desde + dias.n::integer as semana,
            0 as unidades,
            null as ln_precio,
            dias.n > 0 and dias.n < surtido.hasta - surtido.desde as es_entera
        from (
            select
                region,
                formato,
                producto_id,
                min(semana) as desde,
                max(semana) as hasta
            from vendido
            group by region, formato, producto_id
        ) as surtido
        cross join lateral generate_series(0, surtido.hasta - surtido.desde, 7) as dias (n)
    ) as filas
    group by region, formato, producto_id, semana

),

con_tramo as (

    select
        *,
        count(ln_precio) over (
            partition by region, formato, producto_id order by semana
        ) as tramo
    from semanas

),

con_precio as (

    select
        region,
        formato,
        producto_id,
        semana,
        es_entera,
        unidades,
        max(ln_precio) over (partition by region, formato, producto_id, tramo) as ln_precio
    from con_tramo

),

promovidas as (

    select distinct
        promociones.formato,
        promociones.producto_id,
        date_trunc('week', (promociones.fecha_inicio + dias.n::integer)::timestamp)::date as semana
    from {{ ref('dim_promocion') }} as promociones
    cross join lateral generate_series(
        0, promociones.fecha_fin + 7 - promociones.fecha_inicio
    ) as dias (n)

),

panel as (

    select
        con_precio.region,
        con_precio.formato,
        con_precio.producto_id,
        con_precio.semana,
        con_precio.unidades,
        productos.categoria,
        productos.subcategoria,
        avg(con_precio.unidades) over serie as media,
        con_precio.ln_precio - avg(con_precio.ln_precio) over serie as ln_precio
    from con_precio
    inner join
        {{ ref('dim_producto') }} as productos
        on con_precio.producto_id = productos.producto_id
    left join promovidas
        on
            con_precio.formato = promovidas.formato
            and con_precio.producto_id = promovidas.producto_id
            and con_precio.semana = promovidas.semana
    where con_precio.es_entera and promovidas.semana is null
    window serie as (
        partition by con_precio.region, con_precio.formato, con_precio.producto_id
    )

),

-- precio: over the category's mean; otros: mean of the others of the subcategory.
precios as (

    select
        region,
        formato,
        producto_id,
        categoria,
        semana,
        unidades,
        media,
        ln_precio - sum(media * ln_precio) over nivel / nullif(sum(media) over nivel, 0) as precio,
        coalesce(
            (sum(media * ln_precio) over cercanos - media * ln_precio)
            / nullif(sum(media) over cercanos - media, 0), 0
        ) as otros
    from panel
    window
        nivel as (partition by region, formato, categoria, semana),
        cercanos as (partition by region, formato, categoria, subcategoria, semana)

),

-- What an elasticity of -2 makes of share and level.
con_nivel as (

    select
        *,
        exp(-2 * precio) * sum(unidades) over nivel
        / nullif(sum(media * exp(-2 * precio)) over nivel, 0) as nivel
    from precios
    window nivel as (partition by region, formato, categoria, semana)

),

con_parte as (

    select
        *,
        nivel * sum(unidades) over serie / nullif(sum(nivel) over serie, 0) as sin_nivel
    from con_nivel
    window serie as (partition by region, formato, producto_id)

),

con_esperadas as (

    select
        *,
        sin_nivel * sum(unidades) over nivel / nullif(sum(sin_nivel) over nivel, 0) as esperadas
    from con_parte
    window nivel as (partition by region, formato, categoria, semana)

),

-- Prices without what level and share explain of them.
sin_nivel as (

    select
        region,
        formato,
        producto_id,
        unidades,
        esperadas,
        precio - sum(esperadas * precio) over nivel / sum(esperadas) over nivel as precio,
        otros - sum(esperadas * otros) over nivel / sum(esperadas) over nivel as otros
    from con_esperadas
    where esperadas > 0
    window nivel as (partition by region, formato, categoria, semana)

),

centrados as (

    select
        formato,
        producto_id,
        unidades,
        esperadas,
        precio - sum(esperadas * precio) over serie / sum(esperadas) over serie as precio,
        otros - sum(esperadas * otros) over serie / sum(esperadas) over serie as otros
    from sin_nivel
    window serie as (partition by region, formato, producto_id)

),

sumas as (

    select
        formato,
        producto_id,
        count(*) as observaciones,
        sum((unidades - esperadas) * precio) as y_precio,
        sum((unidades - esperadas) * otros) as y_otros,
        sum(esperadas * precio * precio) as precio_precio,
        sum(esperadas * precio * otros) as precio_otros,
        nullif(sum(esperadas * otros * otros), 0) as otros_otros,
        sum((unidades - esperadas) * (unidades - esperadas) / esperadas) / (count(*) - 2)
            as dispersion
    from centrados
    group by formato, producto_id
    having count(*) >= 52

),

con_informacion as (

    select
        *,
        y_precio - coalesce(y_otros * precio_otros / otros_otros, 0) as puntaje,
        precio_precio - coalesce(precio_otros * precio_otros / otros_otros, 0) as informacion
    from sumas

)

select
    productos.categoria,
    productos.nombre_producto,
    con_informacion.producto_id,
    con_informacion.formato,
    con_informacion.observaciones,
    round((con_informacion.puntaje / con_informacion.informacion - 2)::numeric, 2) as elasticidad,
    round(sqrt(con_informacion.dispersion / con_informacion.informacion)::numeric, 3)
        as error_estandar
from con_informacion
inner join
    {{ ref('dim_producto') }} as productos
    on con_informacion.producto_id = productos.producto_id
-- Of a price that hardly changed nothing can be told.
where con_informacion.informacion > 0.01
order by productos.categoria, con_informacion.producto_id, con_informacion.formato
