-- Grain: one row per store and version as delivered, each with what is wrong with it.
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
    from {{ ref('stg_tiendas') }} as entregada

),

formatos as (

    select * from {{ ref('formatos') }}

),

-- Of a key that one load delivers with different contents its first row counts.
comparadas as (

    select
        entregas.*,
        entregas.huella != first_value(entregas.huella) over (
            partition by entregas.tienda_id, entregas.carga_id order by entregas.fila
        ) as es_clave_duplicada,
        row_number() over (
            partition by entregas.tienda_id, entregas.huella
            order by entregas.numero_version desc
        ) = 1 as es_ultima_igual
    from entregas

),

evaluadas as (

    select
        comparadas.*,
        num_nulls(
            comparadas.tienda_id, comparadas.codigo_tienda, comparadas.cadena, comparadas.formato,
            comparadas.nombre_tienda, comparadas.region, comparadas.ciudad, comparadas.estado,
            comparadas.superficie_m2, comparadas.fecha_apertura, comparadas.activo
        ) > 0 as es_incompleta,
        comparadas.formato is not null and formatos.formato is null as es_formato_desconocido,
        coalesce(comparadas.superficie_m2 <= 0, false) as es_fuera_de_rango,
        coalesce(
            comparadas.fecha_cierre < comparadas.fecha_apertura
            or comparadas.fecha_inicio_remodelacion < comparadas.fecha_apertura
            or comparadas.fecha_remodelacion < comparadas.fecha_apertura
            or comparadas.fecha_remodelacion < comparadas.fecha_inicio_remodelacion,
            false
        ) as es_incoherente
    from comparadas
    left join formatos on comparadas.formato = formatos.formato

),

defectos as (

    select
        *,
        es_incompleta or es_formato_desconocido or es_fuera_de_rango
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

    {{ published_versions('juzgadas', 'tienda_id', 'codigo_tienda') }}

),

decididas as (

    select
        juzgadas.*,
        versiones.publicada,
        max(juzgadas.carga_id) filter (where juzgadas.numero_version = versiones.publicada) over (
            partition by juzgadas.tienda_id
        ) as carga_publicada,
        coalesce(juzgadas.numero_version = versiones.publicada, false) as es_vigente,
        coalesce(
            not juzgadas.es_rechazada
            and juzgadas.numero_version = versiones.candidata
            and versiones.publicada is distinct from versiones.candidata,
            false
        ) as es_codigo_duplicado
    from juzgadas
    left join versiones on juzgadas.tienda_id = versiones.clave

),

final as (

    select
        tienda_id,
        codigo_tienda,
        nombre_tienda,
        cadena,
        formato,
        region,
        gerencia,
        ciudad,
        estado,
        superficie_m2,
        fecha_apertura,
        fecha_cierre,
        fecha_inicio_remodelacion,
        fecha_remodelacion,
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
            case when es_incompleta then 'FALTA_VALOR' end,
            case when es_formato_desconocido then 'FORMATO_DESCONOCIDO' end,
            case when es_fuera_de_rango then 'FUERA_DE_RANGO' end,
            case when es_incoherente then 'FECHAS_INCOHERENTES' end,
            case when es_clave_duplicada then 'CLAVE_DUPLICADA' end,
            case when es_codigo_duplicado then 'CODIGO_DUPLICADO' end
        ) as motivos
    from decididas

)

select * from final
