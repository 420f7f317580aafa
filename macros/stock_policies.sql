{#
    SQL (query): what the stock of each pair of store and product is judged by: demand a day, lead time, reorder point,
    least and most stock, unrounded.

    Reorder point = demand * (lead time + review) + z * sqrt((lead time + review) * deviation^2 + demand^2 * lead-time
    deviation^2); z from the service level of the product's ABC class. Least stock: what the category needs on the
    shelf, and one case, which cannot be ordered in parts. Most: the category's days of supply, and never below that.
    A category that the seed lacks is judged as Otras.
    Args: demand: CTE with the columns of `pair_demand`; classes: CTE of producto_id and
    clase_abc; lead_times: CTE of `supplier_lead_times`.
#}
{% macro stock_policies(demand, classes, lead_times) -%}
    with

    partes as (

        select
            {{ demand }}.*,
            {{ demand_per_day(demand) }} as demanda,
            coalesce({{ demand_deviation(demand) }}, 0) as desviacion,
            productos.activo and tiendas.activo and {{ demand }}.tiene_ventas as es_activo,
            coalesce({{ classes }}.clase_abc, 'C') as clase_abc,
            coalesce({{ lead_times }}.dias, politica.plazo_dias) as plazo,
            coalesce({{ lead_times }}.desviacion, politica.desviacion_plazo) as desviacion_plazo,
            coalesce({{ lead_times }}.entregas, 0) as entregas,
            politica.dias_revision,
            politica.dias_maximos,
            greatest(politica.existencia_minima, productos.piezas_por_caja) as minima
        from {{ demand }}
        inner join {{ ref('dim_producto') }} as productos on {{ demand }}.producto_id = productos.producto_id
        inner join {{ ref('dim_tienda') }} as tiendas on {{ demand }}.tienda_id = tiendas.tienda_id
        left join {{ ref('ref_politica_inventario') }} as propias
            on productos.categoria = propias.categoria
        inner join {{ ref('ref_politica_inventario') }} as politica
            on politica.categoria = coalesce(propias.categoria, 'Otras')
        left join {{ classes }} on {{ demand }}.producto_id = {{ classes }}.producto_id
        left join {{ lead_times }} on productos.proveedor = {{ lead_times }}.proveedor

    )

    select
        partes.*,
        niveles.nivel_servicio_pct,
        partes.demanda * (partes.plazo + partes.dias_revision)
        + niveles.z * sqrt(
            (partes.plazo + partes.dias_revision) * partes.desviacion * partes.desviacion
            + partes.demanda * partes.demanda * partes.desviacion_plazo * partes.desviacion_plazo
        ) as reorden,
        greatest(
            partes.unidades_con_stock * partes.dias_maximos / partes.dias_con_stock, partes.minima
        ) as maxima
    from partes
    inner join {{ ref('ref_nivel_servicio') }} as niveles on partes.clase_abc = niveles.clase_abc
{%- endmacro %}
