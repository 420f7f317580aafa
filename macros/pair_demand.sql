{#
    SQL (query): demand of each pair of store and product that had stock rows in the last 91 days up to `fecha_corte`
    of the CTE `corte`, in parts: days, sum and sum of squares of the units of a day.

    Only days count on which the pair began with stock or received some: an empty shelf says nothing about demand. Of
    the last 28 days; where fewer than 7 of them have stock, of the last 91; then of all pairs of the product in the
    format, 91 days; where no day is known, because stock is delivered by longer periods, the units of 28 calendar days.
    Units are the `salidas` of the stock rows: those of the sale lines of the day. The price is the mean paid for the
    product in the format in 28 days.
#}
{% macro pair_demand() -%}
    with

    precios as (

        select
            ventas.tienda_id,
            ventas.producto_id,
            sum(ventas.unidades) as unidades,
            sum(round(ventas.total_linea / productos.factor_iva, 2)) as ventas_sin_iva
        from {{ ref('fact_ventas') }} as ventas
        inner join ({{ product_taxes() }}) as productos on ventas.producto_id = productos.producto_id
        where
            ventas.fecha_venta > (select corte.fecha_corte from corte) - 28
            and ventas.fecha_venta <= (select corte.fecha_corte from corte)
        group by ventas.tienda_id, ventas.producto_id

    ),

    dias as (

        select
            tienda_id,
            producto_id,
            salidas,
            dias_periodo = 1 and (stock_inicial > 0 or entradas > 0) as tiene_stock,
            fecha > (select corte.fecha_corte from corte) - 28 as es_reciente
        from {{ ref('fact_inventario') }}
        where
            fecha > (select corte.fecha_corte from corte) - 91
            and fecha <= (select corte.fecha_corte from corte)

    ),

    pares as (

        select
            tienda_id,
            producto_id,
            sum(salidas) as salidas,
            {% for name, days in [('28', 'tiene_stock and es_reciente'), ('91', 'tiene_stock')] -%}
            count(*) filter (where {{ days }}) as dias_{{ name }},
            sum(salidas) filter (where {{ days }}) as unidades_{{ name }},
            sum(salidas * salidas) filter (where {{ days }}) as cuadrados_{{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        from dias
        group by tienda_id, producto_id

    ),

    con_formato as (

        select
            pares.*,
            tiendas.formato,
            coalesce(precios.unidades, 0) as unidades_28_dias,
            (sum(pares.dias_91) over formato)::bigint as dias_formato,
            sum(pares.unidades_91) over formato as unidades_formato,
            sum(pares.cuadrados_91) over formato as cuadrados_formato,
            sum(precios.ventas_sin_iva) over formato as ventas_sin_iva_formato,
            sum(precios.unidades) over formato as unidades_vendidas_formato
        from pares
        inner join {{ ref('dim_tienda') }} as tiendas on pares.tienda_id = tiendas.tienda_id
        left join precios on
            pares.tienda_id = precios.tienda_id
            and pares.producto_id = precios.producto_id
        window formato as (partition by tiendas.formato, pares.producto_id)

    ),

    vendidos as (

        select
            tienda_id,
            producto_id
        from {{ ref('agg_ventas_mes_tienda_producto') }}
        where
            mes >= date_trunc('month', (select corte.fecha_corte from corte)) - interval '12 months'
            and mes < date_trunc('month', (select corte.fecha_corte from corte))
            and lineas > 0
        group by tienda_id, producto_id

    )

    select
        con_formato.tienda_id,
        con_formato.producto_id,
        con_formato.salidas > 0
        or con_formato.unidades_28_dias > 0
        or vendidos.tienda_id is not null as tiene_ventas,
        con_formato.unidades_28_dias,
        bases.base_demanda,
        bases.dias_con_stock,
        bases.unidades_con_stock,
        bases.cuadrados_unidades,
        round(
            coalesce(
                con_formato.ventas_sin_iva_formato / nullif(con_formato.unidades_vendidas_formato, 0),
                productos.precio_lista / (1 + productos.iva_pct / 100)
            ), 4
        ) as precio_sin_iva
    from con_formato
    inner join {{ ref('dim_producto') }} as productos on con_formato.producto_id = productos.producto_id
    left join vendidos
        on
            con_formato.tienda_id = vendidos.tienda_id
            and con_formato.producto_id = vendidos.producto_id
    cross join
        lateral (
            select *
            from (
                values
                (1, 'ultimos_28', dias_28, unidades_28, cuadrados_28, 7),
                (2, 'ultimos_91', dias_91, unidades_91, cuadrados_91, 7),
                (3, 'formato', dias_formato, unidades_formato, cuadrados_formato, 1),
                (4, 'calendario', 28, unidades_28_dias, null, 28)
            ) as posibles (
                orden, base_demanda, dias_con_stock, unidades_con_stock, cuadrados_unidades, minimo
            )
            where posibles.dias_con_stock >= posibles.minimo
            order by posibles.orden
            limit 1
        ) as bases
{%- endmacro %}
