-- Grain: one row per ticket line as delivered, each with what is wrong with it.
-- Every rule is a boolean column, so that the fact and the quarantine share one definition and the fact pays only for
-- the comparison. Rules that need other rows look within the partition: lines of a ticket have one date.

with

ventas as (

    select * from {{ ref('stg_ventas') }} where {{ partition_filter('fecha_venta') }}

),

-- A key is unique over all loads (a later load replaces it), so a duplicate lies within one load: its first row counts.
lineas_repetidas as (

    select
        ticket_id,
        linea,
        min(fila) as primera_fila
    from ventas
    group by ticket_id, linea
    having count(*) > 1

),

tickets_incoherentes as (

    select ticket_id
    from ventas
    group by ticket_id
    having
        min(tienda_id) != max(tienda_id)
        or min(fecha_venta) != max(fecha_venta)
        or min(canal) != max(canal)

),

productos as (

    select * from {{ ref('stg_productos') }}

),

tiendas as (

    select * from {{ ref('stg_tiendas') }}

),

canales as (

    select * from {{ ref('canales') }}

),

final as (

    select
        ventas.*,
        productos.producto_id is null as es_producto_huerfano,
        tiendas.tienda_id is null as es_tienda_huerfana,
        canales.canal is null as es_canal_desconocido,
        lineas_repetidas.primera_fila is not null and ventas.fila > lineas_repetidas.primera_fila as es_linea_duplicada,
        tickets_incoherentes.ticket_id is not null as es_ticket_incoherente,
        coalesce(
            ventas.fecha_venta < tiendas.fecha_apertura or ventas.fecha_venta > tiendas.fecha_cierre, false
        ) as es_fuera_de_tienda,
        coalesce(
            ventas.fecha_venta < productos.fecha_lanzamiento or ventas.fecha_venta > productos.fecha_retiro, false
        ) as es_fuera_de_producto
    from ventas
    left join productos on ventas.producto_id = productos.producto_id
    left join tiendas on ventas.tienda_id = tiendas.tienda_id
    left join canales on ventas.canal = canales.canal
    left join lineas_repetidas on
        ventas.ticket_id = lineas_repetidas.ticket_id
        and ventas.linea = lineas_repetidas.linea
    left join tickets_incoherentes on ventas.ticket_id = tickets_incoherentes.ticket_id

)

select * from final
