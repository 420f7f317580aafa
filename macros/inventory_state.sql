{#
    SQL: state of a stock in mv_inventory_alerts, compared unrounded. What is on order counts for what may run out, not
    for what lies there; a product that the store does not sell is no alarm.
    Args: stock, on_order: SQL of the quantities; pair: a relation with es_activo, demanda, reorden, maxima of the pair.
#}
{% macro inventory_state(stock, on_order, pair) -%}
    case
            when not {{ pair }}.es_activo then 'NORMAL'
            when {{ stock }} <= 0 and {{ pair }}.demanda > 0 then 'SIN_STOCK'
            when {{ stock }} > 0 and {{ stock }} + {{ on_order }} < {{ pair }}.reorden then 'STOCK_BAJO'
            when {{ stock }} > 0 and {{ stock }} > {{ pair }}.maxima then 'SOBRESTOCK'
            else 'NORMAL'
        end
{%- endmacro %}
