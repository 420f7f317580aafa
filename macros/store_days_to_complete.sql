{#
    also_rebuild of agg_ventas_dia_tienda: the months that lack a day on which a store was open, or hold one on
    which it was not, by the stores as they are now: a closing or remodelling that was told later, and the end of
    the month in which the data ended when it was built. Counts rows of an index; no version of the stores has to be
    compared.
#}
{% macro store_days_to_complete(relation) %}
select coalesce(debidos.mes, presentes.mes) as lower
from (
    select
        date_trunc('month', dias.fecha)::date as mes,
        count(*) as dias,
        count(*) filter (where en_remodelacion) as obras
    from ({{ store_days() }}) as dias
    group by 1
) as debidos
full join (
    select date_trunc('month', fecha)::date as mes, count(*) as dias, count(*) filter (where en_remodelacion) as obras
    from {{ relation }}
    where es_dia_abierto
    group by 1
) as presentes on debidos.mes = presentes.mes
where (debidos.dias, debidos.obras) is distinct from (presentes.dias, presentes.obras)
{% endmacro %}
