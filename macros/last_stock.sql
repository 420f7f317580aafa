{#
    SQL (query): rows of fact_inventario of each store's last snapshot up to `fecha_corte` of the CTE `corte`. A store
    that is late keeps its snapshot for a week, unless it has closed since.
#}
{% macro last_stock() -%}
    with

    ultima_foto as (

        select max(fecha) as fecha
        from {{ ref('fact_inventario') }}
        where fecha <= (select corte.fecha_corte from corte)

    ),

    -- Stores that sent nothing of that day, apart: so the planner knows how many rows the others have.
    atrasadas as (

        select
            inventario.tienda_id,
            max(inventario.fecha) as fecha
        from {{ ref('fact_inventario') }} as inventario
        inner join {{ ref('dim_tienda') }} as tiendas on inventario.tienda_id = tiendas.tienda_id
        where
            inventario.fecha > (select ultima_foto.fecha from ultima_foto) - 7
            and inventario.fecha < (select ultima_foto.fecha from ultima_foto)
            and (
                tiendas.fecha_cierre >= (select ultima_foto.fecha from ultima_foto)
                or tiendas.fecha_cierre is null and tiendas.activo
            )
            and inventario.tienda_id not in (
                select puntuales.tienda_id from {{ ref('fact_inventario') }} as puntuales
                where puntuales.fecha = (select ultima_foto.fecha from ultima_foto)
            )
        group by inventario.tienda_id

    )

    select * from {{ ref('fact_inventario') }}
    where fecha = (select ultima_foto.fecha from ultima_foto)
    union all
    select inventario.*
    from {{ ref('fact_inventario') }} as inventario
    inner join atrasadas
        on
            inventario.tienda_id = atrasadas.tienda_id
            and inventario.fecha = atrasadas.fecha
    where
        inventario.fecha > (select ultima_foto.fecha from ultima_foto) - 7
        and inventario.fecha < (select ultima_foto.fecha from ultima_foto)
{%- endmacro %}
