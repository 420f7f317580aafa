{#
    SQL (query): order lines of the 182 days up to `fecha_corte` of the CTE `corte`, with the last day (`hasta`) on
    which they were open, up to that date: a line that comes later is still open on it. What did not come in half a
    year is expected no more.
#}
{% macro open_orders() -%}
    select
        tienda_id,
        producto_id,
        fecha_pedido as desde,
        least(fecha_entrega - 1, (select corte.fecha_corte from corte)) as hasta,
        fecha_entrega is null
        or fecha_entrega > (select corte.fecha_corte from corte) as esta_abierto,
        fecha_promesa,
        unidades_pedidas
    from {{ ref('fact_pedidos') }}
    where
        fecha_pedido > (select corte.fecha_corte from corte) - 182
        and fecha_pedido <= (select corte.fecha_corte from corte)
{%- endmacro %}
