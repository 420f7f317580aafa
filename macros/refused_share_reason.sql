{#
    publish_check of fact_ventas: SQL (scalar), null if the built month may be published, else why not: more of its
    delivered lines break a rule than the var `max_refused_share` allows, so something that they need was not delivered.
#}
{% macro refused_share_reason(built, lower, upper) %}
{%- set allowed = share_var('max_refused_share') %}
select format(
    '%s of %s delivered lines break a rule, more than the var max_refused_share allows '
    '({{ allowed }}). Load what they lack (products, stores), '
    'or build with --vars max_refused_share:1 and read the reasons that model cuarentena_ventas keeps',
    entregadas - aceptadas, entregadas
)
from (
    select
        (select count(*) from {{ built }}) as aceptadas,
        (
            select filas from {{ source('staging', 'versiones_mes') }}
            where tabla = 'raw_ventas' and mes = '{{ lower }}'
        ) as entregadas
) as conteo
where entregadas - aceptadas > entregadas * {{ allowed }}
{% endmacro %}
