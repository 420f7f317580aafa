-- Which suppliers keep their promises, over the orders of the last six whole months: fill rate,
-- days promised and real, share on time? Sum / sum; the deviation from the sums of squares. Reads
-- retail.proveedores. One row per supplier and unit of measure, the least punctual first.

select
    proveedor,
    unidad_medida,
    sum(lineas_entregadas) as lineas_entregadas,
    round(100 * sum(unidades_recibidas) / nullif(sum(unidades_pedidas), 0), 1) as surtido_pct,
    round(100 * sum(lineas_a_tiempo) / nullif(sum(lineas_entregadas), 0), 1) as a_tiempo_pct,
    round(sum(suma_plazo_prometido) / nullif(sum(lineas_entregadas), 0), 2) as plazo_prometido,
    round(sum(suma_plazo_real) / nullif(sum(lineas_entregadas), 0), 2) as plazo_real,
    round(
        sqrt(
            (
                sum(suma_plazo_real_cuadrado)
                - sum(suma_plazo_real) ^ 2 / nullif(sum(lineas_entregadas), 0)
            ) / nullif(sum(lineas_entregadas) - 1, 0)
        ), 2
    ) as desviacion_plazo,
    sum(lineas_vencidas) as lineas_vencidas
from {{ ref('proveedores') }}
where
    mes >= (
        select date_trunc('month', fecha_corte + 1) - interval '6 months'
        from {{ ref('corte') }}
    )
    and mes < (select date_trunc('month', fecha_corte + 1) from {{ ref('corte') }})
group by proveedor, unidad_medida
order by a_tiempo_pct, proveedor, unidad_medida
