{#
    SQL (query): each product in the stores of a format on each day of its life, sold or not: units, open stores, pairs
    with a daily stock row and those of them with something to sell, whether a promotion is in force, or acts
    (es_movido: in force, or over for a week at most). Stacked and added up, which is quicker than joins.
#}
{% macro promotion_panel() -%}
    {%- set days = 'fecha > (select corte.fecha_corte from corte) - 91 - 28'
        ~ ' and fecha <= (select corte.fecha_corte from corte)' -%}
    select
        formato,
        producto_id,
        fecha,
        sum(unidades) as unidades,
        sum(cuadrados) as cuadrados,
        sum(tiendas) as tiendas,
        sum(pares) as pares,
        sum(con_stock) as con_stock,
        coalesce(bool_or(en_promocion), false) as en_promocion,
        bool_or(en_promocion is not null) as es_movido
    from (
        select
            formato,
            producto_id,
            fecha,
            unidades,
            cuadrados,
            0::float8 as tiendas,
            0::float8 as pares,
            0::float8 as con_stock,
            null::boolean as en_promocion
        from vendido
        union all
        select abiertas.formato, productos.producto_id, abiertas.fecha, 0, 0, abiertas.tiendas, 0, 0, null
        from (
            select tiendas.formato, ventas.fecha, count(*) as tiendas
            from {{ ref('agg_ventas_dia_tienda') }} as ventas
            inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
            where ventas.es_dia_abierto and {{ days }}
            group by tiendas.formato, ventas.fecha
        ) as abiertas
        inner join productos on abiertas.fecha between productos.vendido_desde and productos.vendido_hasta
        union all
        select
            tiendas.formato, inventario.producto_id, inventario.fecha, 0, 0, 0,
            count(*),
            count(*) filter (where inventario.stock_inicial > 0 or inventario.entradas > 0),
            null
        from {{ ref('fact_inventario') }} as inventario
        inner join {{ ref('dim_tienda') }} as tiendas on inventario.tienda_id = tiendas.tienda_id
        where inventario.dias_periodo = 1 and {{ days }}
        group by tiendas.formato, inventario.producto_id, inventario.fecha
        union all
        select
            promociones.formato, promociones.producto_id, promociones.fecha_inicio + pasos.n, 0, 0, 0, 0, 0,
            promociones.fecha_inicio + pasos.n <= promociones.fecha_fin
        from {{ ref('dim_promocion') }} as promociones
        cross join lateral generate_series(0, promociones.fecha_fin + 7 - promociones.fecha_inicio) as pasos (n)
        where promociones.fecha_fin + 7 > (select corte.fecha_corte from corte) - 91 - 28
    ) as filas
    group by formato, producto_id, fecha
    having sum(tiendas) > 0
{%- endmacro %}
