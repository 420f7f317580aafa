-- What does a holiday bring: lines sold on each holiday, against ordinary days, by format?
-- Ordinary: no holiday nor day around one, no payday (dim_calendario.es_dia_ordinario). Promotions
-- come and go with a holiday or without: lines sold on promotion count for what would have been
-- sold without it, by the uplift of their category. The lines of ordinary days, freed of their
-- weekday, are laid on a straight line through the 75 days before and after, so season and growth
-- are in it; its value on the holiday, with its weekday, is what is expected. A holiday on a payday
-- is first freed of the payday: what that day of the month brings where there is no holiday. Short
-- hours and closed stores (24, 25, 31 December, 1 January), which differ by format, are part of the
-- effect. error_pct: how far an ordinary day lies from it; bad weather lasts for days, so five
-- years tell an effect to about two points. Up to the cut-off date. Reads all of
-- retail.fact_ventas, since no aggregate has format and product, retail.mv_efecto_promocion and,
-- for days without sales, retail.agg_ventas_dia_tienda. One row per holiday, year and format.

with

corte as (

    select fecha_corte from {{ ref('corte') }}

),

-- A category of which nothing was expected or sold tells no uplift.
promociones as (

    select
        categoria,
        nullif(sum(unidades) / nullif(sum(unidades_esperadas), 0), 0) as factor
    from {{ ref('mv_efecto_promocion') }}
    group by categoria

),

vendido as (

    select
        ventas.fecha_venta as fecha,
        tiendas.formato,
        productos.categoria,
        ventas.descuento_pct > 0 as es_promocion,
        count(*) as lineas
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    where ventas.fecha_venta <= (select corte.fecha_corte from corte)
    group by
        ventas.fecha_venta, tiendas.formato, productos.categoria, ventas.descuento_pct > 0

),

por_dia as (

    select
        vendido.fecha,
        vendido.formato,
        vendido.lineas,
        case
            when vendido.es_promocion then vendido.lineas / coalesce(promociones.factor, 1)
            else vendido.lineas
        end as lineas_sin_promocion
    from vendido
    left join promociones on vendido.categoria = promociones.categoria
    union all
    select distinct
        ventas.fecha,
        tiendas.formato,
        0 as lineas,
        0 as lineas_sin_promocion
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where ventas.es_dia_abierto and ventas.fecha <= (select corte.fecha_corte from corte)

),

dias as (

    select
        calendario.fecha,
        por_dia.formato,
        calendario.nombre_festivo,
        calendario.dia_semana,
        calendario.es_ventana_festivo,
        calendario.es_dia_ordinario,
        case
            when extract(day from calendario.fecha + 1) = 1 then 0
            when extract(day from calendario.fecha) in (1, 2, 15, 16, 17)
                then extract(day from calendario.fecha)
        end as dia_quincena,
        sum(por_dia.lineas) as lineas,
        sum(por_dia.lineas_sin_promocion) as lineas_sin_promocion
    from por_dia
    inner join {{ ref('dim_calendario') }} as calendario on por_dia.fecha = calendario.fecha
    group by
        calendario.fecha, por_dia.formato, calendario.nombre_festivo, calendario.dia_semana,
        calendario.es_ventana_festivo, calendario.es_dia_ordinario

),

medias as (

    select
        formato,
        avg(lineas_sin_promocion) as lineas
    from dias
    where es_dia_ordinario
    group by formato

),

semana as (

    select
        dias.formato,
        dias.dia_semana,
        nullif(avg(dias.lineas_sin_promocion), 0) / max(medias.lineas) as factor
    from dias
    inner join medias on dias.formato = medias.formato
    where dias.es_dia_ordinario
    group by dias.formato, dias.dia_semana

),

ordinarios as (

    select
        dias.fecha,
        dias.formato,
        dias.lineas_sin_promocion / semana.factor as lineas
    from dias
    inner join semana on dias.formato = semana.formato and dias.dia_semana = semana.dia_semana
    where dias.es_dia_ordinario

),

comparados as (

    select
        dias.fecha,
        dias.formato,
        dias.nombre_festivo,
        dias.dia_quincena,
        dias.es_ventana_festivo,
        dias.lineas,
        dias.lineas_sin_promocion,
        count(*) as dias_ordinarios,
        nullif(
            max(semana.factor)
            * regr_intercept(ordinarios.lineas, ordinarios.fecha - dias.fecha)::numeric, 0
        ) as lineas_ordinarias,
        -- Spread of an ordinary day around the line.
        max(semana.factor) * sqrt(
            regr_syy(ordinarios.lineas, ordinarios.fecha - dias.fecha)
            * (1 - regr_r2(ordinarios.lineas, ordinarios.fecha - dias.fecha))
            / nullif(count(*) - 2, 0)
        )::numeric as desviacion
    from dias
    inner join semana on dias.formato = semana.formato and dias.dia_semana = semana.dia_semana
    inner join ordinarios
        on
            dias.formato = ordinarios.formato
            and ordinarios.fecha between dias.fecha - 75 and dias.fecha + 75
    where dias.nombre_festivo is not null or dias.dia_quincena is not null
    group by
        dias.fecha, dias.formato, dias.nombre_festivo, dias.dia_quincena, dias.es_ventana_festivo,
        dias.lineas, dias.lineas_sin_promocion

),

quincenas as (

    select
        formato,
        dia_quincena,
        nullif(sum(lineas_sin_promocion) / sum(lineas_ordinarias), 0) as factor
    from comparados
    where not es_ventana_festivo
    group by formato, dia_quincena

)

select
    festivos.fecha,
    festivos.nombre_festivo,
    festivos.formato,
    festivos.lineas,
    round(festivos.lineas_sin_promocion, 1) as lineas_sin_promocion,
    round(festivos.lineas_ordinarias, 1) as lineas_ordinarias,
    festivos.dias_ordinarios,
    round(100 * (coalesce(quincenas.factor, 1) - 1), 1) as efecto_quincena_pct,
    round(
        100 * (
            festivos.lineas_sin_promocion / festivos.lineas_ordinarias
            / coalesce(quincenas.factor, 1) - 1
        ), 1
    ) as efecto_pct,
    round(100 * festivos.desviacion / festivos.lineas_ordinarias, 1) as error_pct
from comparados as festivos
left join quincenas
    on
        festivos.formato = quincenas.formato
        and festivos.dia_quincena = quincenas.dia_quincena
where festivos.nombre_festivo is not null
order by festivos.fecha, festivos.formato
