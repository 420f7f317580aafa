{#
    SQL (query): days from order to delivery by supplier: mean, deviation and number of the order lines that were
    ordered and came in the 364 days up to `fecha_corte` of the CTE `corte`. Fewer than 10 say nothing: those suppliers
    are left out, and the seed politica_inventario holds.
#}
{% macro supplier_lead_times() -%}
    select
        proveedor,
        count(*) as entregas,
        avg(fecha_entrega - fecha_pedido) as dias,
        stddev_samp(fecha_entrega - fecha_pedido) as desviacion
    from {{ ref('fact_pedidos') }}
    where
        fecha_pedido > (select corte.fecha_corte from corte) - 364
        and fecha_pedido <= (select corte.fecha_corte from corte)
        and fecha_entrega <= (select corte.fecha_corte from corte)
    group by proveedor
    having count(*) >= 10
{%- endmacro %}
