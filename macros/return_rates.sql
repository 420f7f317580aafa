{#
    SQL (query): the published columns of retornos, from what was sold (`vendido_por_producto`, `vendido_por_tienda`)
    and `devuelto`, one arm for each dimension, so that PostgreSQL leaves out those that are not asked for. The standard
    error is that of a share of lines: a line comes back or does not.
#}
{% macro return_rates() -%}
    select
        sumas.mes,
        sumas.dimension,
        sumas.valor,
        (sumas.mes + interval '1 month')::date - 1 > corte.fecha_corte
        or sumas.mes < (select min(primero.fecha) from {{ ref('agg_ventas_dia_tienda') }} as primero) as es_parcial,
        sumas.lineas,
        sumas.lineas_devueltas,
        sumas.articulos,
        sumas.articulos_devueltos,
        sumas.articulos_reingresados,
        sumas.total_ventas::numeric(16, 2) as total_ventas,
        sumas.devoluciones::numeric(16, 2) as devoluciones,
        (100.0 * sumas.articulos_devueltos / nullif(sumas.articulos, 0))::numeric(12, 3) as tasa_pct,
        (100.0 * sumas.lineas_devueltas / nullif(sumas.lineas, 0))::numeric(12, 3) as tasa_lineas_pct,
        cast(
            case
                when sumas.lineas_devueltas between 1 and sumas.lineas
                    then
                        100 * sqrt(sumas.lineas_devueltas::numeric * (sumas.lineas - sumas.lineas_devueltas))
                        / (sumas.lineas * sqrt(sumas.lineas::numeric))
            end as numeric(12, 3)
        ) as error_pct,
        (100 * sumas.devoluciones / nullif(sumas.total_ventas, 0))::numeric(12, 3) as tasa_importe_pct
    from (
        {%- for dimension, member, sold in [
            ('total', "'Total'", 'vendido_por_tienda'),
            ('categoria', 'categoria', 'vendido_por_producto'),
            ('producto', 'producto_id::text', 'vendido_por_producto'),
            ('formato', 'formato', 'vendido_por_tienda'),
            ('tienda', 'tienda_id::text', 'vendido_por_tienda'),
        ] %}
        select
            mes,
            '{{ dimension }}' as dimension,
            valor,
            coalesce(sum(lineas), 0)::bigint as lineas,
            sum(lineas_devueltas)::bigint as lineas_devueltas,
            coalesce(sum(articulos), 0)::bigint as articulos,
            sum(devueltos)::bigint as articulos_devueltos,
            coalesce(sum(devueltos) filter (where reingresa), 0)::bigint as articulos_reingresados,
            coalesce(sum(total_ventas), 0) as total_ventas,
            sum(importe) as devoluciones
        from (
            select
                mes, {{ member }} as valor, lineas, articulos, total_ventas,
                0 as lineas_devueltas, 0 as devueltos, false as reingresa, 0 as importe
            from {{ sold }}
            union all
            select mes, {{ member }}, 0, 0, 0, 1, articulos, reingresa, importe from devuelto
        ) as filas
        group by mes, valor
        union all
        {%- endfor %}
        select
            por_motivo.mes,
            'motivo',
            por_motivo.motivo,
            coalesce(todas.lineas, 0),
            por_motivo.lineas_devueltas,
            coalesce(todas.articulos, 0),
            por_motivo.articulos_devueltos,
            por_motivo.articulos_reingresados,
            coalesce(todas.total_ventas, 0),
            por_motivo.devoluciones
        from (
            select
                mes,
                motivo,
                count(*) as lineas_devueltas,
                sum(articulos)::bigint as articulos_devueltos,
                coalesce(sum(articulos) filter (where reingresa), 0)::bigint as articulos_reingresados,
                sum(importe) as devoluciones
            from devuelto
            group by mes, motivo
        ) as por_motivo
        left join (
            select
                mes,
                sum(lineas)::bigint as lineas,
                sum(articulos)::bigint as articulos,
                sum(total_ventas) as total_ventas
            from vendido_por_tienda
            group by mes
        ) as todas on por_motivo.mes = todas.mes
    ) as sumas
    cross join corte
{%- endmacro %}

