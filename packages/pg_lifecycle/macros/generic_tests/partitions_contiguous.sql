{# Reads the catalog only. #}
{% test partitions_contiguous(model) %}

with

partitions as (

    select name, lower::timestamp as lower, upper::timestamp as upper
    from ({{ pg_lifecycle.partitions_of(model) }}) as partitions

),

neighbours as (

    select name, lower, upper, lag(upper) over (order by lower) as previous_upper from partitions

)

select
    name,
    lower,
    upper,
    previous_upper,
    case when lower is null then 'default partition' when lower > previous_upper then 'gap' else 'overlap' end as fault
from neighbours
where lower is null or lower != previous_upper

{% endtest %}
