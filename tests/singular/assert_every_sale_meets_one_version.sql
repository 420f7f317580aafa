-- Every store and day, product and month with sales has one version of its attributes in force.

with

vendidos as (

    select
        'tienda' as tipo,
        fecha as dia,
        tienda_id as clave
    from {{ ref('agg_ventas_dia_tienda') }}
    union all
    select distinct
        'producto' as tipo,
        mes as dia,
        producto_id as clave
    from {{ ref('agg_ventas_mes_tienda_producto') }}

),

versiones as (

    select
        'tienda' as tipo,
        tienda_id as clave,
        valido_desde,
        valido_hasta
    from {{ ref('historia_tienda') }}
    union all
    select
        'producto' as tipo,
        producto_id as clave,
        valido_desde,
        valido_hasta
    from {{ ref('historia_producto') }}

)

select
    vendidos.tipo,
    vendidos.clave,
    vendidos.dia,
    count(versiones.clave) as versiones
from vendidos
left join versiones
    on
        vendidos.tipo = versiones.tipo
        and vendidos.clave = versiones.clave
        and {{ in_force_on('versiones', 'vendidos.dia') }}
group by vendidos.tipo, vendidos.clave, vendidos.dia
having count(versiones.clave) != 1
