-- Grain: one row per ticket line as delivered, each with what is wrong with it.
-- The fact takes the lines that no rule refuses, cuarentena.ventas the others with their reasons
-- (codes of the seed
-- motivos_rechazo): one definition for both. The fact does not read motivos, so it does not pay for
-- them.
-- Rules that need other rows look within the partition: the lines of a ticket have one date.

with

-- Not materialized: reading the month again costs less than keeping it, and lets workers help.
ventas as not materialized (

    select * from {{ ref('stg_ventas') }}
    where {{ pg_lifecycle.partition_filter('fecha_venta') }}

),

-- One pass over the tickets finds those that may be wrong, which are few, so that the common case
-- pays for one
-- aggregation. A ticket that has a line number twice has more lines than distinct numbers; the
-- numbers are counted as
-- bits of a word (modulo 64, so a very long ticket may be looked at in vain).
tickets_sospechosos as {{ pg_lifecycle.inlined_on_citus() }} (

    select
        ticket_id,
        min(tienda_id) != max(tienda_id)
        or min(fecha_venta) != max(fecha_venta)
        or min(canal) != max(canal) as es_incoherente
    from ventas
    group by ticket_id
    having
        min(tienda_id) != max(tienda_id)
        or min(fecha_venta) != max(fecha_venta)
        or min(canal) != max(canal)
        or count(*) != bit_count(bit_or(1::bigint << (linea & 63))::bit(64))

),

-- A key is unique over all loads (a later load replaces it), so a duplicate lies within one load:
-- its first row counts.
lineas_repetidas as (

    select
        ventas.ticket_id,
        ventas.linea,
        min(ventas.fila) as primera_fila
    from ventas
    inner join tickets_sospechosos on ventas.ticket_id = tickets_sospechosos.ticket_id
    group by ventas.ticket_id, ventas.linea
    having count(*) > 1

),

productos as (

    select * from {{ ref('dim_producto') }}

),

tiendas as (

    select * from {{ ref('dim_tienda') }}

),

canales as (

    select * from {{ ref('canales') }}

),

evaluadas as (

    select
        ventas.*,
        productos.producto_id is null as es_producto_huerfano,
        tiendas.tienda_id is null as es_tienda_huerfana,
        canales.canal is null as es_canal_desconocido,
        lineas_repetidas.primera_fila is not null
        and ventas.fila > lineas_repetidas.primera_fila as es_linea_duplicada,
        coalesce(tickets_sospechosos.es_incoherente, false) as es_ticket_incoherente,
        coalesce(
            ventas.fecha_venta < tiendas.fecha_apertura
            or ventas.fecha_venta > tiendas.fecha_cierre,
            false
        ) as es_fuera_de_tienda,
        coalesce(
            ventas.fecha_venta < productos.fecha_lanzamiento
            or ventas.fecha_venta > productos.fecha_retiro,
            false
        ) as es_fuera_de_producto
    from ventas
    left join productos on ventas.producto_id = productos.producto_id
    left join tiendas on ventas.tienda_id = tiendas.tienda_id
    left join canales on ventas.canal = canales.canal
    left join lineas_repetidas
        on
            ventas.ticket_id = lineas_repetidas.ticket_id
            and ventas.linea = lineas_repetidas.linea
    left join tickets_sospechosos on ventas.ticket_id = tickets_sospechosos.ticket_id

),

final as (

    select
        *,
        es_producto_huerfano
        or es_tienda_huerfana
        or es_canal_desconocido
        or es_linea_duplicada
        or es_ticket_incoherente
        or es_fuera_de_tienda
        or es_fuera_de_producto as es_rechazada,
        concat_ws(
            ',',
            case when es_producto_huerfano then 'PRODUCTO_HUERFANO' end,
            case when es_tienda_huerfana then 'TIENDA_HUERFANA' end,
            case when es_canal_desconocido then 'CANAL_DESCONOCIDO' end,
            case when es_linea_duplicada then 'LINEA_DUPLICADA' end,
            case when es_ticket_incoherente then 'TICKET_INCOHERENTE' end,
            case when es_fuera_de_tienda then 'FUERA_DE_VIDA_DE_TIENDA' end,
            case when es_fuera_de_producto then 'FUERA_DE_VIDA_DE_PRODUCTO' end
        ) as motivos
    from evaluadas

)

select * from final
