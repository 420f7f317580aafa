{# Costs a scan of what changed since it last passed, on both sides. #}
{% test totals_equal(model, period, measures, others, tested=none, where=none, granularity='month') %}

{%- set tested = tested or model -%}
{%- if granularity not in pg_lifecycle.partition_granularities() -%}
    {%- do exceptions.raise_compiler_error(
        'totals_equal on ' ~ model.identifier ~ ", granularity: got '" ~ granularity ~ "', allowed are "
        ~ pg_lifecycle.partition_granularities().keys() | join(', ')
    ) -%}
{%- endif -%}
with

mine as (

    select
        date_trunc('{{ granularity }}', {{ period }}) as since
        {%- for name, measure in measures.items() %},
        {{ measure }} as {{ adapter.quote(name) }}
        {%- endfor %}
    from {{ model }}
    where {{ pg_lifecycle.untested_periods(tested, period) }} and {{ where or 'true' }}
    group by 1

),

parts as (
    {% for other in others %}
    {%- set other_measures = other.get('measures', measures) %}
    {%- set other_period = other.get('period', period) %}
    select
        date_trunc('{{ granularity }}', {{ other_period }}) as since
        {%- for name in measures %},
        {{ other_measures[name] }} as {{ adapter.quote(name) }}
        {%- endfor %}
    from {{ other.relation }}
    where {{ pg_lifecycle.untested_periods(tested, other_period) }} and {{ other.get('where', 'true') }}
    group by 1
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

theirs as (

    select
        since
        {%- for name in measures %},
        sum({{ adapter.quote(name) }}) as {{ adapter.quote(name) }}
        {%- endfor %}
    from parts
    group by since

)

select
    coalesce(mine.since, theirs.since) as since
    {%- for name in measures %},
    mine.{{ adapter.quote(name) }} as {{ adapter.quote(name ~ '_here') }},
    theirs.{{ adapter.quote(name) }} as {{ adapter.quote(name ~ '_there') }}
    {%- endfor %}
from mine
full join theirs on mine.since = theirs.since
where
    {%- for name in measures %}
    {%- set measure = adapter.quote(name) %}
    {{ 'or ' if not loop.first }}coalesce(mine.{{ measure }}, 0) != coalesce(theirs.{{ measure }}, 0)
    {%- endfor %}

{% endtest %}
