{#
    SQL (query): units on order and the first day promised by store and product, on the day of the store's snapshot:
    what came later is not in its stock.
    Args: orders, the CTE of `open_orders`; snapshots, a CTE with tienda_id and fecha.
#}
{% macro orders_on_the_way(orders, snapshots) -%}
    select
        {{ orders }}.tienda_id,
        {{ orders }}.producto_id,
        sum({{ orders }}.unidades_pedidas) as unidades,
        min({{ orders }}.fecha_promesa) as fecha_promesa
    from {{ orders }}
    inner join {{ snapshots }}
        on
            {{ orders }}.tienda_id = {{ snapshots }}.tienda_id
            and {{ orders }}.desde <= {{ snapshots }}.fecha
            and {{ orders }}.hasta >= {{ snapshots }}.fecha
    group by {{ orders }}.tienda_id, {{ orders }}.producto_id
{%- endmacro %}
