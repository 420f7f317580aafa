{#
    SQL (query): what tells of each promotion: the days before it (tramo 0: 28 days), its own (1) and the week after
    (2), and on each what three series sold (unidades, cuadrados: the sum of squares of the lines) by their exposure:

    - propia: the promoted product; the exposure is store-days, with something to sell where stock is known
    - categoria: products of its category in the same stores that no promotion acts on
    - control: the same product in the stores of other formats, where no promotion acts on it

    The exposure of the last two is what their products sell on a day without promotions, so it does not matter that
    they are others from day to day. Days on which another promotion of the product acts are left out. Stacked: joins of
    two relations, each of which PostgreSQL hashes.
#}
{% macro promotion_days() -%}
    select
        dias.promocion_id,
        dias.tramo,
        'propia' as serie,
        dias.fecha,
        panel.unidades,
        panel.cuadrados,
        case when dias.conoce_stock then panel.con_stock else panel.tiendas end as exposicion,
        case when dias.conoce_stock then panel.pares - panel.con_stock end as sin_stock
    from dias
    inner join panel
        on dias.formato = panel.formato and dias.producto_id = panel.producto_id and dias.fecha = panel.fecha
    where not (dias.tramo = 0 and panel.es_movido) and not (dias.tramo = 2 and panel.en_promocion)
    union all
    select
        dias.promocion_id,
        dias.tramo,
        'categoria',
        dias.fecha,
        niveles.unidades,
        niveles.cuadrados,
        niveles.exposicion,
        null
    from dias
    inner join niveles
        on dias.formato = niveles.formato and dias.categoria = niveles.categoria and dias.fecha = niveles.fecha
    union all
    select
        dias.promocion_id,
        dias.tramo,
        'control',
        dias.fecha,
        panel.unidades,
        panel.cuadrados,
        panel.tiendas * panel.media,
        null
    from dias
    inner join panel on dias.producto_id = panel.producto_id and dias.fecha = panel.fecha
    where dias.formato != panel.formato and not panel.es_movido
{%- endmacro %}
