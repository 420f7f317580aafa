{#
    SQL (query): units of each product in a format on each day between its first and its last sale, beside what it would
    have sold without a promotion (`esperadas`): its share of its category in the format, times the level of the
    category on the day, so weekday, season, holidays and paydays are in both. For analyses, on both engines.

    A day without sales is zero. es_ordinario: neither in promotion nor in the week after one, when pantries are full.
    The level of a day is told by its ordinary products, weighed by their mean; the share is then found from the levels
    of the days on which the product was ordinary. Stacked and added up, which is quicker than joins by day.
    Args: sold: CTE of formato, producto_id, fecha and unidades, one row for each.
#}
{% macro expected_units(sold) -%}
    with

    panel as (

        select
            filas.formato,
            filas.producto_id,
            productos.categoria,
            filas.fecha,
            sum(filas.unidades) as unidades,
            max(filas.descuento_pct) as descuento_pct,
            bool_or(filas.tras_promocion) as tras_promocion,
            not bool_or(filas.tras_promocion or filas.descuento_pct is not null) as es_ordinario
        from (
            select
                formato,
                producto_id,
                fecha,
                unidades,
                null::numeric as descuento_pct,
                false as tras_promocion,
                true as en_surtido
            from {{ sold }}
            union all
            select
                surtido.formato,
                surtido.producto_id,
                surtido.desde + dias.n::integer as fecha,
                0 as unidades,
                null as descuento_pct,
                false as tras_promocion,
                true as en_surtido
            from (
                select
                    formato,
                    producto_id,
                    min(fecha) as desde,
                    max(fecha) as hasta
                from {{ sold }}
                group by formato, producto_id
            ) as surtido
            cross join lateral generate_series(0, surtido.hasta - surtido.desde) as dias (n)
            union all
            select
                promociones.formato,
                promociones.producto_id,
                promociones.fecha_inicio + dias.n::integer as fecha,
                0 as unidades,
                case
                    when promociones.fecha_inicio + dias.n::integer <= promociones.fecha_fin
                        then promociones.descuento_pct
                end as descuento_pct,
                promociones.fecha_inicio + dias.n::integer > promociones.fecha_fin as tras_promocion,
                false as en_surtido
            from {{ ref('dim_promocion') }} as promociones
            cross join lateral generate_series(
                0, promociones.fecha_fin + 7 - promociones.fecha_inicio
            ) as dias (n)
        ) as filas
        inner join {{ ref('dim_producto') }} as productos on filas.producto_id = productos.producto_id
        group by filas.formato, filas.producto_id, productos.categoria, filas.fecha
        having bool_or(filas.en_surtido)

    ),

    con_media as (

        select
            *,
            avg(unidades) filter (where es_ordinario) over (
                partition by formato, producto_id
            ) as media
        from panel

    ),

    con_nivel as (

        select
            *,
            sum(unidades) filter (where es_ordinario) over dia
            / nullif(sum(media) filter (where es_ordinario) over dia, 0) as nivel
        from con_media
        window dia as (partition by formato, categoria, fecha)

    )

    select
        *,
        nivel * sum(unidades) filter (where es_ordinario and nivel is not null) over producto
        / nullif(sum(nivel) filter (where es_ordinario) over producto, 0) as esperadas
    from con_nivel
    window producto as (partition by formato, producto_id)
{%- endmacro %}
