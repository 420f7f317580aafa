{#
    SQL (query): order lines that were open on one of the 91 days up to `fecha_corte` of the CTE `corte`, with the
    first and the last day on which they were, up to that date: a line that comes later is still open on it. What did
    not come in half a year (182 days) is expected no more.
#}
{% macro open_orders() -%}
    select
        tienda_id,
        producto_id,
        fecha_pedido as desde,
        least(fecha_entrega - 1, fecha_pedido + 181, (select corte.fecha_corte from corte)) as hasta,
        fecha_promesa,
        unidades_pedidas
    from {{ ref('fact_pedidos') }}
    where
        fecha_pedido > (select corte.fecha_corte from corte) - 91 - 182
        and fecha_pedido <= (select corte.fecha_corte from corte)
{%- endmacro %}
