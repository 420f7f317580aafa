{#
    The partitions of a model leave no gap between the first and the last, do not overlap, and there is no DEFAULT
    partition where rows could hide. Fails with a row per fault. Reads the catalog only.
#}
{% test partitions_contiguous(model) %}

with

partitions as (

    select name, lower::date as lower, upper::date as upper from ({{ partitions_of(model) }}) as partitions

),

neighbours as (

    select name, lower, upper, lag(upper) over (order by lower) as previous_upper from partitions

)

select name, lower, upper, previous_upper, case when lower is null then 'default partition' when lower > previous_upper then 'gap' else 'overlap' end as fault
from neighbours
where lower is null or lower != previous_upper

{% endtest %}
