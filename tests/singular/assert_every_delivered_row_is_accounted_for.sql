-- Every row that a load delivered is in a raw table, was refused by a file rule, or was superseded
-- by a later load; and every row of a month is in the fact or in quarantine. Compares the ledger,
-- the versions per month and what each partition says of itself, so it costs the same however long
-- the history is; that those say the truth is tested by totals_equal. Fails with one row per load
-- or month that does not add up.

with

por_carga as (

    select
        'load ' || carga_id || ' of ' || tabla as lugar,
        filas_entregadas as entregadas,
        filas_aceptadas + filas_rechazadas as explicadas
    from {{ source('staging', 'cargas') }}
    where estado = 'completa'

),

por_tabla as (

    select
        'raw table ' || cargas.tabla as lugar,
        sum(cargas.filas_aceptadas - cargas.filas_sustituidas) as entregadas,
        (
            select sum(versiones.filas)
            from {{ source('staging', 'versiones_mes') }} as versiones
            where versiones.tabla = cargas.tabla
        ) as explicadas
    from {{ source('staging', 'cargas') }} as cargas
    where
        cargas.estado = 'completa'
        and cargas.tabla in ('raw_ventas', 'raw_inventario', 'raw_devoluciones', 'raw_pedidos')
    group by cargas.tabla

),

particiones as (
    {% for tabla, relation in [
        ('raw_ventas', ref('fact_ventas')),
        ('raw_ventas', ref('cuarentena_ventas')),
        ('raw_inventario', ref('fact_inventario')),
        ('raw_inventario', ref('cuarentena_inventario')),
        ('raw_devoluciones', ref('fact_devoluciones')),
        ('raw_devoluciones', ref('cuarentena_devoluciones')),
        ('raw_pedidos', ref('fact_pedidos')),
        ('raw_pedidos', ref('cuarentena_pedidos')),
    ] %}
        {{ 'union all' if not loop.first }}
        select
            '{{ tabla }}' as tabla,
            partitions.lower::date as mes,
            (partitions.state ->> 'rows')::bigint as filas
        from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
    {% endfor %}
),

por_mes as (

    select
        'month ' || versiones.mes || ' of ' || versiones.tabla as lugar,
        versiones.filas as entregadas,
        coalesce(sum(particiones.filas), 0) as explicadas
    from {{ source('staging', 'versiones_mes') }} as versiones
    inner join particiones
        on
            versiones.tabla = particiones.tabla
            and versiones.mes = particiones.mes
    group by versiones.tabla, versiones.mes, versiones.filas

),

final as (

    select * from por_carga
    union all
    select * from por_tabla
    union all
    select * from por_mes

)

select * from final
where entregadas is distinct from explicadas
