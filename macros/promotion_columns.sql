{#
    SQL (query): the published columns of mv_efecto_promocion. Expected units are those of the days before times the
    change of a control; the relative variances of the four sums add up. What has no sales to tell it is null.

    Extra margin: that of the promoted lines, without what the expected units would have earned at the full price, and
    with what the week after sold more or less.
#}
{% macro promotion_columns() -%}
    select
        estimadas.promocion_id,
        estimadas.producto_id,
        estimadas.categoria,
        estimadas.formato,
        estimadas.fecha_inicio,
        estimadas.fecha_fin,
        estimadas.descuento_pct,
        estimadas.es_parcial,
        coalesce(estimadas.dias_propia, 0)::smallint as dias,
        coalesce(estimadas.exposicion_propia, 0)::integer as dias_tienda,
        estimadas.sin_stock_propia::integer as dias_tienda_sin_stock,
        coalesce(estimadas.conoce_stock and estimadas.sin_stock_propia is not null, false)
            as conoce_stock,
        round(coalesce(estimadas.unidades_propia, 0)::numeric, 3) as unidades,
        {{ _compared('esperadas', 'unidades_propia', 'varianza_relativa') }},
        {{ _compared('esperadas_control', 'unidades_propia', 'varianza_control', '_control') }},
        round(estimadas.unidades_siguientes::numeric, 3) as unidades_siguientes,
        {{ _compared('esperadas_siguientes', 'unidades_siguientes', 'varianza_siguientes', '_siguientes') }},
        coalesce(montos.descuento, 0) as descuento,
        coalesce(montos.margen_cedido, 0) as margen_cedido,
        montos.margen + round(
            (
                coalesce(estimadas.unidades_siguientes - estimadas.esperadas_siguientes, 0) - estimadas.esperadas
            )::numeric * (montos.margen + montos.margen_cedido) / montos.rebajadas, 2
        ) as margen_incremental
    from (
        select
            promociones.*,
            propia.dias_1 as dias_propia,
            propia.exposicion_1 as exposicion_propia,
            propia.sin_stock_1 as sin_stock_propia,
            propia.unidades_1 as unidades_propia,
            propia.unidades_2 as unidades_siguientes,
            conocidas.conoce_stock,
            {{ _expected('categoria', 1) }} as esperadas,
            {{ _expected('control', 1) }} as esperadas_control,
            {{ _expected('categoria', 2) }} as esperadas_siguientes,
            {{ _relative_variance('categoria', 1) }} as varianza_relativa,
            {{ _relative_variance('control', 1) }} as varianza_control,
            {{ _relative_variance('categoria', 2) }} as varianza_siguientes
        from promociones
        left join (
            select promocion_id, bool_and(conoce_stock) as conoce_stock from dias group by promocion_id
        ) as conocidas on promociones.promocion_id = conocidas.promocion_id
        {%- for series in ['propia', 'categoria', 'control'] %}
        left join por_serie as {{ series }}
            on promociones.promocion_id = {{ series }}.promocion_id and {{ series }}.serie = '{{ series }}'
        {%- endfor %}
    ) as estimadas
    left join montos on estimadas.promocion_id = montos.promocion_id
{%- endmacro %}


{# SQL: the units expected of the promoted product, from its base and the change of the control. #}
{% macro _expected(control, days) -%}
    propia.base_{{ days }} * {{ control }}.unidades_{{ days }} / nullif({{ control }}.base_{{ days }}, 0)
{%- endmacro %}


{# SQL: the relative variance of its units over what is expected. #}
{% macro _relative_variance(control, days) -%}
    {%- for series in ['propia', control] %}
            {{ series }}.varianza_{{ days }} / nullif({{ series }}.unidades_{{ days }}, 0) ^ 2
            + {{ series }}.varianza_base_{{ days }} / nullif({{ series }}.base_{{ days }}, 0) ^ 2
            {{- ' +' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# SQL: expected units, the effect in percent and its standard error. #}
{% macro _compared(expected, units, variance, suffix='') -%}
    round(estimadas.{{ expected }}::numeric, 3) as unidades_esperadas{{ suffix }},
        round((100 * ({{ _ratio(units, expected) }} - 1))::numeric, 2) as efecto{{ suffix }}_pct,
        round((100 * {{ _ratio(units, expected) }} * sqrt(estimadas.{{ variance }}))::numeric, 2)
            as error{{ suffix }}_pct
{%- endmacro %}


{# SQL: units over what was expected. #}
{% macro _ratio(units, expected) -%}
    estimadas.{{ units }} / nullif(estimadas.{{ expected }}, 0)
{%- endmacro %}
