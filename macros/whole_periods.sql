{#
    SQL (query): `desde` and `hasta` (exclusive) of the weeks, months or quarters of which every day has data: they
    begin on the first day of the data or later, and end on the cut-off date or before. For analyses, on both engines.
    Args: period: week, month or quarter.
#}
{% macro whole_periods(period) -%}
    {%- set length = {'week': '7 days', 'month': '1 month', 'quarter': '3 months'}[period] -%}
    select
        (
            date_trunc('{{ period }}', (select min(fecha) from {{ ref('agg_ventas_dia_tienda') }}) - interval '1 day')
            + interval '{{ length }}'
        )::date as desde,
        date_trunc('{{ period }}', fecha_corte + 1)::date as hasta
    from {{ ref('corte') }}
{%- endmacro %}
