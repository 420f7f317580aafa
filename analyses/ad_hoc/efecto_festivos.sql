-- What does a holiday bring: lines sold on each holiday, against ordinary days? Ordinary: no
-- holiday nor day around one, no payday (dim_calendario.es_dia_ordinario). Promotions come and go
-- with a holiday or without: lines sold on promotion count for what would have been sold without
-- it, by the uplift of their category. The lines of ordinary days, freed of their weekday, are laid
-- on a straight line through the 75 days before and after, so season and growth are in it; its
-- value on the holiday, with its weekday, is what is expected. A holiday on a payday is first freed
-- of the payday: what that day of the month brings where there is no holiday. Short hours and
-- closed stores (24, 25, 31 December, 1 January) are part of the effect. error_pct: how far an
-- ordinary day lies from it; bad weather lasts for days, so five years tell an effect to about two
-- points. Reads retail.agg_ventas_dia_region_producto and retail.mv_efecto_promocion. One row per
-- holiday and year.

with

promociones as (

    select
        categoria,
        sum(unidades) / sum(unidades_esperadas) as factor
    from {{ ref('mv_efecto_promocion') }}
    group by categoria

),

dias as (

    select
        calendario.fecha,
        calendario.nombre_festivo,
        calendario.dia_semana,
        calendario.es_ventana_festivo,
        calendario.es_dia_ordinario,
        case
            when extract(day from calendario.fecha + 1) = 1 then 0
            when extract(day from calendario.fecha) in (1, 2, 15, 16, 17)
                then extract(day from calendario.fecha)
        end as dia_quincena,
        sum(ventas.lineas) as lineas,
        sum(
            case
                when ventas.es_promocion then ventas.lineas / coalesce(promociones.factor, 1)
                else ventas.lineas
            end
        ) as lineas_sin_promocion
    from {{ ref('agg_ventas_dia_region_producto') }} as ventas
    inner join {{ ref('dim_calendario') }} as calendario on ventas.fecha = calendario.fecha
    inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    left join promociones on productos.categoria = promociones.categoria
    group by
        calendario.fecha, calendario.nombre_festivo, calendario.dia_semana,
        calendario.es_ventana_festivo, calendario.es_dia_ordinario

),

semana as (

    select
        dia_semana,
        avg(lineas_sin_promocion) / (
            select avg(todos.lineas_sin_promocion) from dias as todos where todos.es_dia_ordinario
        ) as factor
    from dias
    where es_dia_ordinario
    group by dia_semana

),

ordinarios as (

    select
        dias.fecha,
        dias.lineas_sin_promocion / semana.factor as lineas
    from dias
    inner join semana on dias.dia_semana = semana.dia_semana
    where dias.es_dia_ordinario

),

comparados as (

    select
        dias.fecha,
        dias.nombre_festivo,
        dias.dia_quincena,
        dias.es_ventana_festivo,
        dias.lineas,
        dias.lineas_sin_promocion,
        count(*) as dias_ordinarios,
        max(semana.factor)
        * regr_intercept(ordinarios.lineas, ordinarios.fecha - dias.fecha)::numeric
            as lineas_ordinarias,
        -- Spread of an ordinary day around the line.
        max(semana.factor) * sqrt(
            regr_syy(ordinarios.lineas, ordinarios.fecha - dias.fecha)
            * (1 - regr_r2(ordinarios.lineas, ordinarios.fecha - dias.fecha))
            / nullif(count(*) - 2, 0)
        )::numeric as desviacion
    from dias
    inner join semana on dias.dia_semana = semana.dia_semana
    inner join ordinarios on ordinarios.fecha between dias.fecha - 75 and dias.fecha + 75
    where dias.nombre_festivo is not null or dias.dia_quincena is not null
    group by
        dias.fecha, dias.nombre_festivo, dias.dia_quincena, dias.es_ventana_festivo, dias.lineas,
        dias.lineas_sin_promocion

),

quincenas as (

    select
        dia_quincena,
        sum(lineas_sin_promocion) / sum(lineas_ordinarias) as factor
    from comparados
    where not es_ventana_festivo
    group by dia_quincena

)

select
    festivos.fecha,
    festivos.nombre_festivo,
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
left join quincenas on festivos.dia_quincena = quincenas.dia_quincena
where festivos.nombre_festivo is not null
order by festivos.fecha
