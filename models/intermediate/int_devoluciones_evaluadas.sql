-- Grain: one row per return as delivered, each with what is wrong with it.
-- The fact takes the returns that no rule refuses, cuarentena.devoluciones the others with their
-- reasons.
-- A return is compared with its sale line in the fact; what was given back of a line adds up within
-- the month.

with

devoluciones as {{ pg_lifecycle.inlined_on_citus() }} (

    select * from {{ ref('stg_devoluciones') }}
    where {{ pg_lifecycle.partition_filter('fecha_devolucion') }}

),

-- The dates say which months to look at: without them every month is searched for every return.
ventas as (

    select * from {{ ref('fact_ventas') }}
    where
        fecha_venta >= (select min(devoluciones.fecha_venta) from devoluciones)
        and fecha_venta <= (select max(devoluciones.fecha_venta) from devoluciones)

),

-- A key is unique over all loads (a later load replaces it), so a duplicate lies within one load:
-- its first row counts.
claves_repetidas as (

    select
        devolucion_id,
        min(fila) as primera_fila
    from devoluciones
    group by devolucion_id
    having count(*) > 1

),

comparadas as (

    select
        devoluciones.*,
        ventas.descuento_pct,
        ventas.costo_unitario,
        ventas.ticket_id is null as es_sin_venta,
        coalesce(
            devoluciones.fila > claves_repetidas.primera_fila, false
        ) as es_clave_duplicada,
        coalesce(
            sum(devoluciones.unidades) over linea > ventas.unidades
            or sum(devoluciones.importe) over linea > ventas.total_linea,
            false
        ) as es_mas_que_la_venta
    from devoluciones
    left join ventas
        on
            devoluciones.ticket_id = ventas.ticket_id
            and devoluciones.linea = ventas.linea
            and devoluciones.fecha_venta = ventas.fecha_venta
            and devoluciones.tienda_id = ventas.tienda_id
            and devoluciones.producto_id = ventas.producto_id
            and devoluciones.fecha_devolucion >= ventas.fecha_venta
    left join claves_repetidas on devoluciones.devolucion_id = claves_repetidas.devolucion_id
    window linea as (
        partition by devoluciones.ticket_id, devoluciones.linea
        order by devoluciones.fecha_devolucion, devoluciones.devolucion_id, devoluciones.fila
    )

),

final as (

    select
        *,
        es_sin_venta or es_clave_duplicada or es_mas_que_la_venta as es_rechazada,
        concat_ws(
            ',',
            case when es_sin_venta then 'DEVOLUCION_SIN_VENTA' end,
            case when es_clave_duplicada then 'CLAVE_DUPLICADA' end,
            case when es_mas_que_la_venta then 'DEVOLUCION_EXCEDE_VENTA' end
        ) as motivos
    from comparadas

)

select * from final
