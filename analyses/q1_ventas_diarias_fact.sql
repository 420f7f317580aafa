-- The same question as q1_ventas_diarias, asked of the fact: what the view saves.

with

ultimo_dia as (

    select fecha_corte as fecha from {{ ref('corte') }}

),

dias as (

    select distinct
        calendario.fecha,
        tiendas.cadena
    from {{ ref('dim_calendario') }} as calendario
    inner join {{ ref('dim_tienda') }} as tiendas
        on
            calendario.fecha >= tiendas.fecha_apertura
            and calendario.fecha <= coalesce(tiendas.fecha_cierre, 'infinity')
    where
        calendario.fecha > (select ultimo_dia.fecha from ultimo_dia) - 8
        and calendario.fecha <= (select ultimo_dia.fecha from ultimo_dia)

),

vendido as (

    select
        ventas.fecha_venta as fecha,
        tiendas.cadena,
        sum(ventas.total_linea) as total_ventas,
        count(distinct ventas.ticket_id) as numero_tickets
    from {{ ref('fact_ventas') }} as ventas
    inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        ventas.fecha_venta > (select ultimo_dia.fecha from ultimo_dia) - 8
        and ventas.fecha_venta <= (select ultimo_dia.fecha from ultimo_dia)
    group by ventas.fecha_venta, tiendas.cadena

),

-- A day without sales is zero.
ventas as (

    select
        dias.fecha,
        dias.cadena,
        coalesce(vendido.total_ventas, 0.00) as total_ventas,
        coalesce(vendido.numero_tickets, 0) as numero_tickets
    from dias
    left join vendido on dias.fecha = vendido.fecha and dias.cadena = vendido.cadena

)

select
    hoy.fecha,
    hoy.cadena,
    hoy.total_ventas,
    hoy.numero_tickets,
    round(hoy.total_ventas / nullif(hoy.numero_tickets, 0), 2) as ticket_promedio,
    ayer.total_ventas as ventas_dia_anterior,
    round(100 * (hoy.total_ventas - ayer.total_ventas) / nullif(ayer.total_ventas, 0), 2)
        as cambio_pct
from ventas as hoy
left join ventas as ayer
    on
        hoy.fecha = ayer.fecha + 1
        and hoy.cadena = ayer.cadena
where hoy.fecha > (select ultimo_dia.fecha from ultimo_dia) - 7
order by hoy.fecha desc, hoy.cadena
