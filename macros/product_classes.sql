{#
    SQL (query): ABC and XYZ class of each product within each member of a dimension, over 364 days.

    A: the products that make the first 80 % of net sales, B: up to 95 %, C: the rest; the product that crosses a limit
    belongs to the higher class, ties go to the smaller producto_id. X, Y, Z: by the coefficient of variation of weekly
    units, below 0.5, below 1, above; units per day with stock, so an empty shelf is no change of demand. Whole weeks of
    daily stock rows only; fewer than 4 say nothing.
    Args: sold, a CTE with ventas_netas by periodo, dimension, valor and producto_id; stock, the CTE of `stock_by_day`.
#}
{% macro product_classes(sold, stock) -%}
    with

    acumuladas as (

        select
            dimension,
            valor,
            producto_id,
            ventas_netas,
            sum(ventas_netas) over (
                partition by dimension, valor order by ventas_netas desc, producto_id
            ) - ventas_netas as antes,
            sum(ventas_netas) over (partition by dimension, valor) as todas
        from {{ sold }}
        where periodo = 'ultimos_364'

    ),

    semanas as (

        select
            miembros.dimension,
            miembros.valor,
            {{ stock }}.producto_id,
            sum({{ stock }}.unidades_con_stock) / sum({{ stock }}.dias_con_stock) as unidades
        from {{ stock }}
        {{ scorecard_members(stock) }}
        where {{ stock }}.dias_observados > 0
        group by 1, 2, 3, ((select corte.fecha_corte from corte) - {{ stock }}.fecha) / 7
        having max({{ stock }}.fecha) - min({{ stock }}.fecha) = 6 and sum({{ stock }}.dias_con_stock) > 0

    ),

    variaciones as (

        select
            dimension,
            valor,
            producto_id,
            count(*) as semanas_observadas,
            case
                when count(*) >= 4 then stddev_samp(unidades) / nullif(avg(unidades), 0)
            end as coeficiente
        from semanas
        group by dimension, valor, producto_id

    )

    select
        coalesce(acumuladas.dimension, variaciones.dimension) as dimension,
        coalesce(acumuladas.valor, variaciones.valor) as valor,
        coalesce(acumuladas.producto_id, variaciones.producto_id) as producto_id,
        case
            when 100 * acumuladas.antes < 80 * acumuladas.todas then 'A'
            when 100 * acumuladas.antes < 95 * acumuladas.todas then 'B'
            else 'C'
        end as clase_abc,
        case
            when variaciones.coeficiente < 0.5 then 'X'
            when variaciones.coeficiente < 1 then 'Y'
            when variaciones.coeficiente is not null then 'Z'
        end as clase_xyz,
        round(variaciones.coeficiente, 4) as coeficiente_variacion,
        variaciones.semanas_observadas
    from acumuladas
    full join variaciones
        on
            acumuladas.dimension = variaciones.dimension
            and acumuladas.valor = variaciones.valor
            and acumuladas.producto_id = variaciones.producto_id
{%- endmacro %}
