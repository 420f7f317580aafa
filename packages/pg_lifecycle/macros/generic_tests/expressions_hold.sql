{#
    One scan, of what changed since the test last passed where `period` is given: of `tested`, if the model is a view of
    it.
#}
{% test expressions_hold(model, expressions, period=none, tested=none) %}

select
    rows_of_model.*,
    concat_ws(
        ', '
        {%- for name, expression in expressions.items() %},
        case when ({{ expression }}) is not true then {{ pg_lifecycle.literal(name) }} end
        {%- endfor %}
    ) as broken
from {{ model }} as rows_of_model
where
    {{ pg_lifecycle.untested_periods(tested or model, period) }}
    and not coalesce(
        {%- for expression in expressions.values() %}
        {{ 'and ' if not loop.first }}({{ expression }})
        {%- endfor %},
        false
    )

{% endtest %}
