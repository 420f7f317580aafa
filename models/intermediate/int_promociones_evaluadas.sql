-- Grain: one row per promotion and version as delivered, each with what is wrong with it.
-- The dimension takes es_vigente: the last version that no rule refuses. The quarantine takes
-- es_rechazada: what came later and was refused, until a version of its key takes its place.

with

entregas as (

    select * from {{ ref('stg_promociones') }}

),

formatos as (

    select * from {{ ref('formatos') }}

),

-- A product that was published once stays, so a promotion's product can only arrive.
productos as (

    select * from {{ ref('dim_producto') }}

),

contenidos as (

    select
        entregas.*,
        row(
            entregas.producto_id, entregas.formato, entregas.fecha_inicio, entregas.fecha_fin,
            entregas.descuento_pct
        )::text as contenido
    from entregas

),

-- Of a key that one load delivers with different contents its first row counts.
comparadas as (

    select
        contenidos.*,
        contenidos.contenido != first_value(contenidos.contenido) over (
            partition by contenidos.promocion_id, contenidos.carga_id order by contenidos.fila
        ) as es_clave_duplicada,
        row_number() over (
            partition by contenidos.promocion_id, contenidos.contenido
            order by contenidos.numero_version desc
        ) = 1 as es_ultima_igual
    from contenidos

),

evaluadas as (

    select
        comparadas.*,
        num_nulls(
            comparadas.promocion_id, comparadas.producto_id, comparadas.formato,
            comparadas.fecha_inicio, comparadas.fecha_fin, comparadas.descuento_pct
        ) > 0 as es_incompleta,
        comparadas.producto_id is not null
        and productos.producto_id is null as es_producto_huerfano,
        comparadas.formato is not null and formatos.formato is null as es_formato_desconocido,
        coalesce(comparadas.fecha_fin < comparadas.fecha_inicio, false) as es_incoherente,
        coalesce(
            comparadas.descuento_pct <= 0 or comparadas.descuento_pct >= 100, false
        ) as es_descuento_invalido
    from comparadas
    left join productos on comparadas.producto_id = productos.producto_id
    left join formatos on comparadas.formato = formatos.formato

),

juzgadas as (

    select
        *,
        es_incompleta
        or es_producto_huerfano
        or es_formato_desconocido
        or es_incoherente
        or es_descuento_invalido
        or es_clave_duplicada as es_rechazada
    from evaluadas

),

versiones as (

    {{ published_versions('juzgadas', 'promocion_id') }}

),

decididas as (

    select
        juzgadas.*,
        versiones.publicada,
        max(juzgadas.carga_id) filter (where juzgadas.numero_version = versiones.publicada) over (
            partition by juzgadas.promocion_id
        ) as carga_publicada,
        coalesce(juzgadas.numero_version = versiones.publicada, false) as es_vigente
    from juzgadas
    left join versiones on juzgadas.promocion_id = versiones.clave

),

final as (

    select
        promocion_id,
        producto_id,
        formato,
        fecha_inicio,
        fecha_fin,
        descuento_pct,
        carga_id,
        fila,
        es_vigente,
        (es_rechazada)
        and es_ultima_igual
        and (numero_version > coalesce(publicada, 0) or carga_id = carga_publicada) as es_rechazada,
        concat_ws(
            ',',
            case when es_incompleta then 'FALTA_VALOR' end,
            case when es_producto_huerfano then 'PRODUCTO_HUERFANO' end,
            case when es_formato_desconocido then 'FORMATO_DESCONOCIDO' end,
            case when es_incoherente then 'FECHAS_INCOHERENTES' end,
            case when es_descuento_invalido then 'DESCUENTO_INVALIDO' end,
            case when es_clave_duplicada then 'CLAVE_DUPLICADA' end
        ) as motivos
    from decididas

)

select * from final
