-- Does payday show: daily sales on paydays and the two days after, against other days?
-- Reads retail.mv_ticket_formato. One row per format.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

por_dia as (

    select
        fecha,
        formato,
        sum(total_ventas) as total_ventas
    from {{ ref('mv_ticket_formato') }}
    where
        fecha > (select ultimo_dia.fecha from ultimo_dia) - 364
        and fecha <= (select ultimo_dia.fecha from ultimo_dia)
    group by fecha, formato

),

marcados as (

    select
        por_dia.formato,
        por_dia.total_ventas,
        exists(
            select 1
            from {{ ref('dim_calendario') }} as calendario
            where
                calendario.fecha between por_dia.fecha - 2 and por_dia.fecha
                and calendario.es_quincena
        ) as tras_quincena
    from por_dia

)

select
    formato,
    round(avg(total_ventas) filter (where tras_quincena), 2) as ventas_quincena,
    round(avg(total_ventas) filter (where not tras_quincena), 2) as ventas_otros_dias,
    round(
        100
        * (
            avg(total_ventas) filter (where tras_quincena)
            / avg(total_ventas) filter (where not tras_quincena)
            - 1
        ),
        1
    ) as efecto_pct
from marcados
group by formato
order by formato
