-- What each filter can be set to. Grain: filter and value.
select
    'cadena' as filtro,
    cadena as valor
from {{ ref('tiendas') }}
union
select
    'region' as filtro,
    region as valor
from {{ ref('tiendas') }}
union
select
    'formato' as filtro,
    formato as valor
from {{ ref('tiendas') }}
union
select
    'categoria' as filtro,
    categoria as valor
from {{ ref('productos') }}
order by filtro, valor
