{#
    SQL (query): sums of mv_kpi_periodos by store or category and stretch (tramo) between the limits of all periods.
    The sales of last year's event days stand in the stretch of the day that compares with them. By category there
    are no tickets, and no like-for-like: no relation holds stores, products and days together.
#}
{% macro kpi_sums() -%}
    select
        ventas.tienda_id,
        null::text as categoria,
        width_bucket(ventas.fecha, tramos.limites) as tramo,
        count(*) filter (where ventas.es_dia_abierto) as dias_tienda,
        count(*) filter (where ventas.en_remodelacion) as dias_obra,
        {{ _sales_of_stretch() }},
        sum(ventas.numero_tickets) as numero_tickets,
        0::numeric as ventas_evento,
        0::bigint as dias_mismas,
        0::numeric as ventas_mismas,
        0::numeric as ventas_mismas_anterior,
        0::numeric as tickets_mismas,
        0::numeric as tickets_mismas_anterior
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join tramos on ventas.fecha >= tramos.limites[1]
    where ventas.fecha <= (select corte.fecha_corte from corte)
    group by ventas.tienda_id, width_bucket(ventas.fecha, tramos.limites)
    union all
    select
        ventas.tienda_id,
        null::text,
        width_bucket(calendario.fecha, tramos.limites),
        0, 0, 0, 0, 0, 0, 0, 0, 0,
        sum(ventas.total_ventas),
        0, 0, 0, 0, 0
    from {{ ref('agg_ventas_dia_tienda') }} as ventas
    inner join {{ ref('dim_calendario') }} as calendario on ventas.fecha = calendario.fecha_comparable_evento
    inner join tramos on calendario.fecha >= tramos.desde
    where calendario.fecha <= (select corte.fecha_corte from corte)
    group by ventas.tienda_id, width_bucket(calendario.fecha, tramos.limites)
    union all
    select
        tienda_id,
        null::text,
        width_bucket(fecha, tramos.limites),
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        count(*),
        sum(total_ventas),
        sum(ventas_anno_anterior),
        sum(numero_tickets),
        sum(tickets_anno_anterior)
    from {{ ref('mv_daily_store_sales') }}
    inner join tramos on fecha >= tramos.desde
    where es_mismas_tiendas and fecha <= (select corte.fecha_corte from corte)
    group by tienda_id, width_bucket(fecha, tramos.limites)
    union all
    select
        null::integer,
        productos.categoria,
        width_bucket(ventas.fecha, tramos.limites),
        0, 0,
        {{ _sales_of_stretch() }},
        0, 0, 0, 0, 0, 0, 0
    from {{ ref('agg_ventas_dia_region_producto') }} as ventas
    inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    inner join tramos on ventas.fecha >= tramos.limites[1]
    where ventas.fecha <= (select corte.fecha_corte from corte)
    group by productos.categoria, width_bucket(ventas.fecha, tramos.limites)
    union all
    select
        null::integer,
        productos.categoria,
        width_bucket(calendario.fecha, tramos.limites),
        0, 0, 0, 0, 0, 0, 0, 0, 0,
        sum(ventas.total_ventas),
        0, 0, 0, 0, 0
    from {{ ref('agg_ventas_dia_region_producto') }} as ventas
    inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    inner join {{ ref('dim_calendario') }} as calendario on ventas.fecha = calendario.fecha_comparable_evento
    inner join tramos on calendario.fecha >= tramos.desde
    where calendario.fecha <= (select corte.fecha_corte from corte)
    group by productos.categoria, width_bucket(calendario.fecha, tramos.limites)
{%- endmacro %}


{# SQL: sums of one stretch. #}
{% macro _sales_of_stretch() -%}
        sum(ventas.lineas) as lineas,
        sum(ventas.articulos) as articulos,
        sum(ventas.unidades) as unidades,
        sum(ventas.total_ventas) as total_ventas,
        sum(ventas.ventas_netas) as ventas_netas,
        sum(ventas.margen) as margen
{%- endmacro %}
