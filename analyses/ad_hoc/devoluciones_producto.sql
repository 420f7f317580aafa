-- Which products come back most, over the last three whole months? Returned / sold articles, as sum
-- / sum; a product with few sales says so by its standard error (of the share of lines; none where
-- more lines came back than were sold). Reads retail.retornos. One row per product, the 20 with the
-- highest rate.

with

corte as (

    select date_trunc('month', fecha_corte + 1)::date as fin from {{ ref('corte') }}

),

sumas as (

    select
        valor::integer as producto_id,
        sum(lineas) as lineas,
        sum(lineas_devueltas) as lineas_devueltas,
        sum(articulos) as articulos,
        sum(articulos_devueltos) as articulos_devueltos,
        sum(devoluciones) as devoluciones
    from {{ ref('retornos') }}
    where
        dimension = 'producto'
        and mes >= (select corte.fin from corte) - interval '3 months'
        and mes < (select corte.fin from corte)
    group by valor

)

select
    productos.nombre_producto,
    productos.categoria,
    sumas.articulos,
    sumas.articulos_devueltos,
    round(100.0 * sumas.articulos_devueltos / sumas.articulos, 2) as tasa_pct,
    case
        when sumas.lineas_devueltas between 1 and sumas.lineas
            then
                round(
                    100 * sqrt(
                        sumas.lineas_devueltas
                        * (sumas.lineas - sumas.lineas_devueltas) / sumas.lineas
                    ) / sumas.lineas, 2
                )
    end as error_pct,
    sumas.devoluciones
from sumas
inner join {{ ref('dim_producto') }} as productos on sumas.producto_id = productos.producto_id
where sumas.lineas > 0
order by tasa_pct desc, productos.producto_id
limit 20
