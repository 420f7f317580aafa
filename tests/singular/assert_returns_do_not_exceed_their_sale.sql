-- What came back of a sale line, over all months, is at most what was sold of it, in units and in
-- money. The quarantine compares within a month; this looks at the whole.

with

devoluciones as (

    select
        ticket_id,
        linea,
        fecha_venta,
        sum(unidades) as unidades,
        sum(importe) as importe
    from {{ ref('fact_devoluciones') }}
    where {{ pg_lifecycle.untested_periods(ref('fact_devoluciones'), 'fecha_devolucion') }}
    group by ticket_id, linea, fecha_venta

)

select
    devoluciones.*,
    ventas.unidades as unidades_vendidas,
    ventas.total_linea
from devoluciones
inner join {{ ref('fact_ventas') }} as ventas
    on
        devoluciones.ticket_id = ventas.ticket_id
        and devoluciones.linea = ventas.linea
        and devoluciones.fecha_venta = ventas.fecha_venta
where
    devoluciones.unidades > ventas.unidades
    or devoluciones.importe > ventas.total_linea
