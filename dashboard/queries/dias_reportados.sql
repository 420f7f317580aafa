-- How complete the last 28 days with sales are. Grain: day.
with

ultimo as (

    select
        ultimo_dia_con_ventas as fecha,
        ultimo_dia_completo
    from {{ ref('corte') }}

),

ventas as (

    select
        fecha,
        count(*) as tiendas_con_venta,
        sum(numero_tickets) as numero_tickets
    from {{ ref('agg_ventas_dia_tienda') }}
    where
        fecha > (select corte.ultimo_dia_con_ventas from {{ ref('corte') }} as corte) - 28
        and numero_tickets > 0
    group by fecha

)

select
    calendario.fecha,
    calendario.nombre_dia,
    calendario.nombre_festivo,
    coalesce(ventas.tiendas_con_venta, 0) as tiendas_con_venta,
    coalesce(ventas.numero_tickets, 0) as numero_tickets,
    coalesce(calendario.fecha <= ultimo.ultimo_dia_completo, false) as completo,
    (
        select count(*)
        from {{ ref('tiendas') }} as tiendas
        where
            tiendas.fecha_apertura <= calendario.fecha
            and coalesce(tiendas.fecha_cierre, 'infinity') >= calendario.fecha
            -- As in retail.corte: what is closed without a date, or in works, is not expected.
            and (tiendas.activo or tiendas.fecha_cierre is not null)
            and not coalesce(
                calendario.fecha >= tiendas.fecha_inicio_remodelacion
                and calendario.fecha < coalesce(tiendas.fecha_remodelacion, 'infinity'), false
            )
    ) as tiendas_abiertas
from {{ ref('calendario') }} as calendario
inner join ultimo on calendario.fecha <= ultimo.fecha
left join ventas on calendario.fecha = ventas.fecha
where calendario.fecha > ultimo.fecha - 28
order by calendario.fecha desc
