-- What do price cuts cost, by format and category in the last whole month: share of gross sales,
-- and the margin that was given away? Reads retail.rebajas. One row per format and category.

select
    formato,
    categoria,
    descuento,
    descuento_pct,
    participacion_pct,
    margen_cedido,
    margen_pct,
    margen_sin_rebaja_pct
from {{ ref('rebajas') }}
where
    mes = (
        select (date_trunc('month', fecha_corte + 1) - interval '1 month')::date
        from {{ ref('corte') }}
    )
order by descuento desc, formato, categoria
