{#
    SQL (query): the published columns of mv_pares_canasta: its counts, and what follows of them. The variance is that
    of a sum over classes in which a and b are independent, so z compares with a standard normal, and the standard
    error of lift is the one it has if they are.
#}
{% macro pair_columns() -%}
    select
        observados.formato,
        observados.producto_a,
        observados.producto_b,
        corte.fecha_corte - 27 as desde,
        corte.fecha_corte as hasta,
        con_formato.tickets::bigint as tickets_total,
        observados.tickets,
        con_a.tickets::bigint as tickets_a,
        con_b.tickets::bigint as tickets_b,
        round(esperados.esperados::numeric, 4) as esperados,
        round(esperados.varianza::numeric, 4) as varianza,
        round((100 * observados.tickets / con_formato.tickets)::numeric, 4) as soporte_pct,
        round((100 * observados.tickets / con_a.tickets)::numeric, 2) as confianza_ab_pct,
        round((100 * observados.tickets / con_b.tickets)::numeric, 2) as confianza_ba_pct,
        round((observados.tickets / esperados.esperados)::numeric, 3) as lift,
        round((sqrt(esperados.varianza) / esperados.esperados)::numeric, 3) as error_lift,
        round(((observados.tickets - esperados.esperados) / nullif(sqrt(esperados.varianza), 0))::numeric, 2) as z,
        row_number() over (
            partition by observados.formato
            -- Rounded: pairs with the same counts tie, whatever the order of their sums.
            order by
                round(
                    ((observados.tickets - esperados.esperados) / nullif(sqrt(esperados.varianza), 0))::numeric, 6
                ) desc nulls last,
                observados.producto_a,
                observados.producto_b
        )::integer as ranking
    from observados
    cross join corte
    inner join esperados
        on
            observados.formato = esperados.formato
            and observados.producto_a = esperados.producto_a
            and observados.producto_b = esperados.producto_b
    inner join con_formato on observados.formato = con_formato.formato
    inner join con_producto as con_a
        on observados.formato = con_a.formato and observados.producto_a = con_a.producto_id
    inner join con_producto as con_b
        on observados.formato = con_b.formato and observados.producto_b = con_b.producto_id
{%- endmacro %}
