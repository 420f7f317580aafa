-- Grain: one row per product and version as delivered, each with what is wrong with it.
-- The dimension takes es_vigente: the last version that no rule refuses. The quarantine takes
-- es_rechazada: what came later and was refused, until a version of its key takes its place.

with

entregas as (

    select
        entregada.*,
        -- What the loader notes of deliveries that it does not keep, by the same words.
        md5(jsonb_strip_nulls(
            to_jsonb(entregada) - array['numero_version', 'carga_id', 'fila']
        )::text) as huella
    from {{ ref('stg_productos') }} as entregada

),

-- Of a key that one load delivers with different contents its first row counts.
comparadas as (

    select
        entregas.*,
        entregas.huella != first_value(entregas.huella) over (
            partition by entregas.producto_id, entregas.carga_id order by entregas.fila
        ) as es_clave_duplicada,
        row_number() over (
            partition by entregas.producto_id, entregas.huella
            order by entregas.numero_version desc
        ) = 1 as es_ultima_igual
    from entregas

),

evaluadas as (

    select
        comparadas.*,
        num_nulls(
            comparadas.producto_id, comparadas.sku, comparadas.nombre_producto, comparadas.marca,
            comparadas.categoria, comparadas.subcategoria, comparadas.precio_lista,
            comparadas.costo_unitario, comparadas.iva_pct, comparadas.unidad_medida,
            comparadas.piezas_por_caja, comparadas.proveedor, comparadas.fecha_lanzamiento,
            comparadas.activo
        ) > 0 as es_incompleto,
        coalesce(
            comparadas.precio_lista < 0 or comparadas.costo_unitario < 0, false
        ) as es_negativo,
        coalesce(
            comparadas.iva_pct not between 0 and 100 or comparadas.piezas_por_caja < 1, false
        ) as es_fuera_de_rango,
        coalesce(
            comparadas.unidad_medida not in ('pieza', 'kg'), false
        ) as es_unidad_desconocida,
        coalesce(
            comparadas.fecha_retiro < comparadas.fecha_lanzamiento, false
        ) as es_incoherente
    from comparadas

),

defectos as (

    select
        *,
        es_incompleto or es_negativo or es_fuera_de_rango or es_unidad_desconocida
        or es_incoherente as es_defectuosa
    from evaluadas

),

juzgadas as (

    select
        *,
        es_defectuosa or es_clave_duplicada as es_rechazada
    from defectos

),

versiones as (

    {{ published_versions('juzgadas', 'producto_id', 'sku') }}

),

decididas as (

    select
        juzgadas.*,
        versiones.publicada,
        max(juzgadas.carga_id) filter (where juzgadas.numero_version = versiones.publicada) over (
            partition by juzgadas.producto_id
        ) as carga_publicada,
        coalesce(juzgadas.numero_version = versiones.publicada, false) as es_vigente,
        coalesce(
            not juzgadas.es_rechazada
            and juzgadas.numero_version = versiones.candidata
            and versiones.publicada is distinct from versiones.candidata,
            false
        ) as es_codigo_duplicado
    from juzgadas
    left join versiones on juzgadas.producto_id = versiones.clave

),

final as (

    select
        producto_id,
        sku,
        nombre_producto,
        marca,
        categoria,
        subcategoria,
        precio_lista,
        costo_unitario,
        iva_pct,
        unidad_medida,
        piezas_por_caja,
        proveedor,
        fecha_lanzamiento,
        fecha_retiro,
        activo,
        carga_id,
        fila,
        huella,
        es_defectuosa,
        es_vigente,
        (es_rechazada or es_codigo_duplicado)
        and es_ultima_igual
        and (numero_version > coalesce(publicada, 0) or carga_id = carga_publicada) as es_rechazada,
        concat_ws(
            ',',
            case when es_incompleto then 'FALTA_VALOR' end,
            case when es_negativo then 'VALOR_NEGATIVO' end,
            case when es_fuera_de_rango then 'FUERA_DE_RANGO' end,
            case when es_unidad_desconocida then 'UNIDAD_DESCONOCIDA' end,
            case when es_incoherente then 'FECHAS_INCOHERENTES' end,
            case when es_clave_duplicada then 'CLAVE_DUPLICADA' end,
            case when es_codigo_duplicado then 'CODIGO_DUPLICADO' end
        ) as motivos
    from decididas

)

select * from final
