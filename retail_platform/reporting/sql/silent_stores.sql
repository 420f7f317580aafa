-- Open stores without a sale on the last day, the longest silent first. Grain: store.
with

last_sales as (

    select
        tienda_id,
        max(fecha) as fecha
    from {{ ref('mv_daily_store_sales') }}
    where numero_tickets > 0
    group by tienda_id

),

last_day as (

    select max(fecha) as fecha from last_sales

)

select
    stores.codigo_tienda as store,
    stores.nombre_tienda as "name",
    stores.cadena as chain,
    last_sales.fecha as "last sale",
    last_day.fecha - last_sales.fecha as "days silent"
from {{ ref('dim_tienda') }} as stores
cross join last_day
left join last_sales on stores.tienda_id = last_sales.tienda_id
where
    stores.activo
    and (stores.fecha_cierre is null or stores.fecha_cierre > last_day.fecha)
    and stores.fecha_apertura <= last_day.fecha
    and last_sales.fecha is distinct from last_day.fecha
order by last_sales.fecha nulls first, stores.codigo_tienda
