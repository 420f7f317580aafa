{#
    SQL (query): of each promotion and series its units, and its base, on the promotion's days (1) and in the week after
    (2): what the same weekdays before sold by exposure, times the exposure. Variances are those of sums of independent
    purchases: the sum of the squares of the lines.
#}
{% macro promotion_sums() -%}
    select
        promocion_id,
        serie
        {%- for days in [1, 2] %},
        sum(dias_{{ days }}) as dias_{{ days }},
        sum(exposicion_{{ days }}) as exposicion_{{ days }},
        sum(sin_stock_{{ days }}) as sin_stock_{{ days }},
        sum(unidades_{{ days }}) as unidades_{{ days }},
        sum(cuadrados_{{ days }}) as varianza_{{ days }},
        sum(unidades_0 * exposicion_{{ days }} / exposicion_0) as base_{{ days }},
        sum(cuadrados_0 * (exposicion_{{ days }} / exposicion_0) ^ 2) as varianza_base_{{ days }}
        {%- endfor %}
    from (
        select
            promocion_id,
            serie,
            extract(isodow from fecha) as dia_semana
            {%- for days in [0, 1, 2] %},
            count(*) filter (where tramo = {{ days }}) as dias_{{ days }}
            {%- for name in ['exposicion', 'sin_stock', 'unidades', 'cuadrados'] %},
            sum({{ name }}) filter (where tramo = {{ days }}) as {{ name }}_{{ days }}
            {%- endfor %}
            {%- endfor %}
        from por_dia
        group by promocion_id, serie, dia_semana
    ) as por_dia_semana
    where exposicion_0 > 0
    group by promocion_id, serie
{%- endmacro %}
