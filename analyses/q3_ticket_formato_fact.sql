-- The same question as q3_ticket_formato, asked of the fact: what the view saves.

with

anno as (

    select extract(year from fecha_corte + 1)::integer - 1 as anno
    from {{ ref('corte') }}

)

select
    tiendas.formato,
    round(sum(ventas.total_linea) / count(*), 2) as ingreso_promedio_por_linea,
    round(sum(ventas.total_linea) / count(distinct ventas.ticket_id), 2) as ticket_promedio,
    round(
        sum(
            case
                when
                    productos.unidad_medida = 'kg' or ventas.unidades != trunc(ventas.unidades)
                    then 1
                else ventas.unidades
            end
        ) / count(distinct ventas.ticket_id), 2
    ) as articulos_por_ticket
from {{ ref('fact_ventas') }} as ventas
inner join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
inner join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
where
    ventas.fecha_venta >= make_date((select anno.anno from anno), 1, 1)
    and ventas.fecha_venta < make_date((select anno.anno from anno), 4, 1)
group by tiendas.formato
order by ticket_promedio desc
