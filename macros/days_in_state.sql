{#
    SQL (query): for how many days in a row, up to the snapshot, each pair that is an alarm would have been in its
    state: the stock of each evening and what was on order then, by today's demand and limits. Looks back 91 days;
    needs daily stock rows.
    Args: pairs, the CTE of mv_inventory_alerts with `estado`; orders, the CTE of `open_orders`.
#}
{% macro days_in_state(pairs, orders) -%}
    with

    pendientes as (

        select
            {{ orders }}.tienda_id,
            {{ orders }}.producto_id,
            dias.fecha::date as fecha,
            sum({{ orders }}.unidades_pedidas) as unidades
        from {{ orders }}
        cross join
            lateral generate_series(
                greatest({{ orders }}.desde, (select corte.fecha_corte from corte) - 90)::timestamp,
                {{ orders }}.hasta::timestamp,
                interval '1 day'
            ) as dias (fecha)
        group by 1, 2, 3

    ),

    dias as (

        select
            {{ pairs }}.tienda_id,
            {{ pairs }}.producto_id,
            {{ pairs }}.fecha as hasta,
            inventario.fecha,
            {{ pairs }}.estado != {{ inventory_state(
                'inventario.stock_final', 'coalesce(pendientes.unidades, 0)', pairs
            ) }} as es_otro
        from {{ pairs }}
        inner join {{ ref('fact_inventario') }} as inventario
            on
                {{ pairs }}.tienda_id = inventario.tienda_id
                and {{ pairs }}.producto_id = inventario.producto_id
        left join pendientes
            on
                inventario.fecha = pendientes.fecha
                and inventario.tienda_id = pendientes.tienda_id
                and inventario.producto_id = pendientes.producto_id
        where
            {{ pairs }}.estado != 'NORMAL'
            and inventario.dias_periodo = 1
            and inventario.fecha > (select corte.fecha_corte from corte) - 91
            and inventario.fecha <= (select corte.fecha_corte from corte)

    )

    select
        tienda_id,
        producto_id,
        max(hasta) - coalesce(max(fecha) filter (where es_otro), min(fecha) - 1) as dias_en_estado
    from dias
    group by tienda_id, producto_id
{%- endmacro %}
