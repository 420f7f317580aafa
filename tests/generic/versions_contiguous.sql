{#
    No gap, no overlap, the first version from the calendar's first day on, the last one that of the dimension: every
    fact meets exactly one version. Fails with a row per fault.
#}
{% test versions_contiguous(model, key, current) %}

{%- set columns = [] -%}
{%- if execute -%}
    {%- for column in adapter.get_columns_in_relation(current) -%}
        {%- do columns.append(column.name) -%}
    {%- endfor -%}
{%- endif -%}
with

neighbours as (

    select
        *,
        lag(valido_hasta, 1, date '{{ var("calendar_from") }}') over (
            partition by {{ key }} order by valido_desde
        ) as previous_end
    from {{ model }}

)

select
    {{ key }},
    valido_desde,
    case when valido_desde > previous_end then 'gap' else 'overlap' end as fault
from neighbours
where valido_desde is distinct from previous_end
union all
select
    {{ key }},
    null,
    'the version in force is not that of the dimension'
from (
    select {{ columns | join(', ') }} from {{ current }}
    except
    select {{ columns | join(', ') }} from {{ model }} where es_vigente
) as missing

{% endtest %}
