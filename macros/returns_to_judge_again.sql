{#
    also_rebuild of fact_devoluciones: the months with returns, published or refused, of a month of sales that was built
    after them: their sale may have arrived, changed or gone. Versions are times, so that is the order of building.
#}
{% macro returns_to_judge_again(relation) %}
{%- set quarantine = pg_lifecycle.built_relation('cuarentena_devoluciones') %}
select judged.lower::date as lower
from (
    select distinct
        date_trunc('month', fecha_devolucion)::date as mes,
        date_trunc('month', fecha_venta)::date as mes_venta
    from {{ relation }}
    {%- if quarantine %}
    union
    select date_trunc('month', fecha_devolucion)::date, date_trunc('month', fecha_venta)::date
    from {{ quarantine }}
    {%- endif %}
) as devoluciones
inner join ({{ pg_lifecycle.partitions_of(relation) }}) as judged on judged.lower::date = devoluciones.mes
inner join ({{ pg_lifecycle.partitions_of(ref('fact_ventas')) }}) as sold on sold.lower::date = devoluciones.mes_venta
where sold.state ->> 'version' > judged.state ->> 'version'
{% endmacro %}
