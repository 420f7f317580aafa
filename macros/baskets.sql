{#
    SQL (query): one row per ticket and product of the last days up to `fecha_corte` of the CTE `corte`, with the format
    of its store and the class of its size (tamano): the number of products of the ticket, 15 or more in one class.
    Args: days: how many.
#}
{% macro baskets(days) -%}
    select
        *,
        least(count(*) over (partition by ticket_id), 15) as tamano
    from (
        select distinct
            ventas.ticket_id,
            ventas.producto_id,
            tiendas.formato
        from {{ ref('fact_ventas') }} as ventas
        inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
        where
            ventas.fecha_venta > (select corte.fecha_corte from corte) - {{ days }}
            and ventas.fecha_venta <= (select corte.fecha_corte from corte)
    ) as lineas
{%- endmacro %}
