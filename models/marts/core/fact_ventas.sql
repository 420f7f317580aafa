{{ config(
    materialized='partitioned',
    partition_by={'fields': ['fecha_venta'], 'granularity': 'month'},
    partition_window=[var('calendario_desde'), var('calendario_hasta')],
    indexes=[{'columns': ['tienda_id', 'fecha_venta']}],
    publish_check="
        select format(
            '%s of %s delivered lines break a rule, more than the var max_rechazo allows ("
                ~ var('max_rechazo') ~ "). Load what they lack (products, stores), or build with'
            ' --vars max_rechazo:1 and read the reasons in cuarentena.ventas',
            entregadas - aceptadas, entregadas
        )
        from (
            select
                (select count(*) from {new}) as aceptadas,
                (select filas from staging.versiones_mes where tabla = 'raw_ventas' and mes = '{lower}') as entregadas
        ) as conteo
        where entregadas - aceptadas > entregadas * " ~ var('max_rechazo') ~ "
    ",
    also_rebuild={
        'if_exists': 'cuarentena.ventas',
        'query': "
            select ventas.fecha_venta as lower
            from cuarentena.ventas
            left join retail.dim_producto as productos on ventas.producto_id = productos.producto_id
            left join retail.dim_tienda as tiendas on ventas.tienda_id = tiendas.tienda_id
            where
                ('PRODUCTO_HUERFANO' = any(ventas.motivos) and productos.producto_id is not null)
                or ('TIENDA_HUERFANA' = any(ventas.motivos) and tiendas.tienda_id is not null)
                or (
                    'FUERA_DE_VIDA_DE_TIENDA' = any(ventas.motivos)
                    and ventas.fecha_venta >= tiendas.fecha_apertura
                    and ventas.fecha_venta <= coalesce(tiendas.fecha_cierre, 'infinity')
                )
                or (
                    'FUERA_DE_VIDA_DE_PRODUCTO' = any(ventas.motivos)
                    and ventas.fecha_venta >= productos.fecha_lanzamiento
                    and ventas.fecha_venta <= coalesce(productos.fecha_retiro, 'infinity')
                )
        ",
    },
) }}

-- Grain: one row per ticket line. Only lines that break no rule: the others are in
-- cuarentena.ventas.
-- Additive: unidades, total_linea. Not additive: distinct tickets over products (a ticket has
-- several), prices, percentages.

with

ventas as (

    select * from {{ ref('int_ventas_evaluadas') }}

),

final as (

    select
        ticket_id,
        linea,
        fecha_venta,
        hora,
        tienda_id,
        producto_id,
        canal,
        unidades,
        precio_unitario,
        descuento_pct,
        costo_unitario,
        total_linea
    from ventas
    where not es_rechazada

)

select * from final
