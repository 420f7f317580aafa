{#
    Every row satisfies every expression: ranges and arithmetic identities, in one scan. Fails with the rows that break
    one, and which. expressions: {name: SQL condition}; null counts as broken unless the expression says otherwise.
    period: date column of a partitioned model or materialized view, to look only at what changed since it last passed.
#}
{% test expressions_hold(model, expressions, period=none) %}

select
    rows_of_model.*,
    concat_ws(
        ', '
        {%- for name, expression in expressions.items() %},
        case when ({{ expression }}) is not true then '{{ name }}' end
        {%- endfor %}
    ) as broken
from {{ model }} as rows_of_model
where
    {{ untested_periods(model, period) }}
    and not coalesce(
        {%- for expression in expressions.values() %}
        {{ 'and ' if not loop.first }}({{ expression }})
        {%- endfor %},
        false
    )

{% endtest %}
