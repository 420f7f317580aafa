{#
    The measures of a model add up to those of other relations, month by month and to the last digit: totals along the
    lineage. Fails with a row per month that differs, with both figures.

    measures: {name: SQL aggregate}. period: date column. others: list of {relation, period, measures, where} whose totals
    are added up, for example the fact and its quarantine. tested: the relation whose changed partitions are compared
    (default: the model). where: SQL condition on the model. Costs a scan of what changed since it last passed.
#}
{% test totals_equal(model, period, measures, others, tested=none, where=none) %}

{%- set tested = tested or model -%}
with

mine as (

    select
        date_trunc('month', {{ period }})::date as mes
        {%- for name, measure in measures.items() %},
        {{ measure }} as {{ name }}
        {%- endfor %}
    from {{ model }}
    where {{ untested_periods(tested, period) }} and {{ where or 'true' }}
    group by 1

),

parts as (
    {% for other in others %}
    {%- set other_measures = other.get('measures', measures) %}
    select
        date_trunc('month', {{ other.get('period', period) }})::date as mes
        {%- for name in measures %},
        {{ other_measures[name] }} as {{ name }}
        {%- endfor %}
    from {{ other.relation }}
    where {{ untested_periods(tested, other.get('period', period)) }} and {{ other.get('where', 'true') }}
    group by 1
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

theirs as (

    select
        mes
        {%- for name in measures %},
        sum({{ name }}) as {{ name }}
        {%- endfor %}
    from parts
    group by mes

)

select
    coalesce(mine.mes, theirs.mes) as mes
    {%- for name in measures %},
    mine.{{ name }} as {{ name }}_here,
    theirs.{{ name }} as {{ name }}_there
    {%- endfor %}
from mine
full join theirs on mine.mes = theirs.mes
where
    {%- for name in measures %}
    {{ 'or ' if not loop.first }}coalesce(mine.{{ name }}, 0) != coalesce(theirs.{{ name }}, 0)
    {%- endfor %}

{% endtest %}
