{#
    also_rebuild of fact_ventas: days of lines that the catalogue judges otherwise than when their month was built:
    quarantined ones for which another reason holds now, and published ones that a closing, an opening, a retirement or
    a launch forbids now. The latter are looked up: by the fact's index for stores; for products in the sums of the
    months outside their life, and in the fact for the month in which it begins or ends, of months that were built
    before the catalogue last changed.

    On a Citus cluster, where a table on each node cannot look up rows of one that is spread over them, the months that
    were built before a catalogue last changed are read as a whole, by each worker for itself.
#}
{% macro sales_to_judge_again(relation) %}
{%- set quarantine = pg_lifecycle.built_relation('cuarentena_ventas') -%}
{%- set sold = pg_lifecycle.built_relation('agg_ventas_mes_tienda_producto') -%}
{%- set changed = pg_lifecycle.state_of(pg_lifecycle.oid_of(ref('dim_producto'))) ~ " ->> 'version'" %}
with

antiguas as materialized (
    select lower::date as mes
    from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
    where state ->> 'version' < {{ changed }}
)

{% if quarantine %}
select ventas.fecha_venta as lower
from {{ quarantine }} as ventas
left join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
left join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
where
    ('PRODUCTO_HUERFANO' = any(ventas.motivos)) != (productos.producto_id is null)
    or ('TIENDA_HUERFANA' = any(ventas.motivos)) != (tiendas.tienda_id is null)
    or ('FUERA_DE_VIDA_DE_TIENDA' = any(ventas.motivos)) != coalesce(
        ventas.fecha_venta < tiendas.fecha_apertura or ventas.fecha_venta > tiendas.fecha_cierre, false
    )
    or ('FUERA_DE_VIDA_DE_PRODUCTO' = any(ventas.motivos)) != coalesce(
        ventas.fecha_venta < productos.fecha_lanzamiento or ventas.fecha_venta > productos.fecha_retiro, false
    )
union all
{%- endif %}
{%- if pg_lifecycle.is_citus() %}
select ventas.mes as lower
from (
    select distinct date_trunc('month', ventas.fecha_venta)::date as mes
    from {{ relation }} as ventas
    left join {{ ref('dim_producto') }} as productos on ventas.producto_id = productos.producto_id
    left join {{ ref('dim_tienda') }} as tiendas on ventas.tienda_id = tiendas.tienda_id
    where
        {{ _in_months_before_the_catalogues(relation) }}
        and (
            ventas.fecha_venta < tiendas.fecha_apertura
            or ventas.fecha_venta > tiendas.fecha_cierre
            or ventas.fecha_venta < productos.fecha_lanzamiento
            or ventas.fecha_venta > productos.fecha_retiro
        )
) as ventas
{%- else %}
select fuera.mes as lower
from {{ ref('dim_tienda') }} as tiendas
cross join lateral (
    select date_trunc('month', fecha_venta)::date as mes
    from {{ relation }}
    where tienda_id = tiendas.tienda_id and fecha_venta < tiendas.fecha_apertura
    union
    select date_trunc('month', fecha_venta)::date
    from {{ relation }}
    where tienda_id = tiendas.tienda_id and fecha_venta > tiendas.fecha_cierre
) as fuera
{%- if sold %}
union all
select ventas.mes
from {{ ref('dim_producto') }} as productos
inner join {{ sold }} as ventas on productos.producto_id = ventas.producto_id
inner join antiguas on ventas.mes = antiguas.mes
where
    -- A return comes after the product's last sale: a row of the sums without a line sold.
    ventas.lineas > 0
    and (
        ventas.mes > productos.fecha_retiro
        or ventas.mes < date_trunc('month', productos.fecha_lanzamiento)::date
    )
{%- endif %}
union all
select ventas.fecha_venta
from (
    select
        producto_id,
        fecha_lanzamiento as desde,
        fecha_retiro as hasta,
        extremo.mes::date as mes
    from {{ ref('dim_producto') }}
    cross join lateral (
        values (date_trunc('month', fecha_lanzamiento)), (date_trunc('month', fecha_retiro))
    ) as extremo (mes)
    where extremo.mes::date in (select mes from antiguas)
) as productos
cross join lateral (
    select fecha_venta
    from {{ relation }}
    where
        producto_id = productos.producto_id
        and fecha_venta >= productos.mes
        and fecha_venta < productos.mes + interval '1 month'
        and (fecha_venta < productos.desde or fecha_venta > productos.hasta)
    limit 1
) as ventas
{%- endif %}
{% endmacro %}


{# SQL: is a sale in a month that was built before a catalogue last changed? By dates, so that others are pruned. #}
{% macro _in_months_before_the_catalogues(relation) %}
    {%- set old_query -%}
        select lower, upper
        from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
        where
            {%- for catalogue in ('dim_producto', 'dim_tienda') %}
            {{ 'or ' if not loop.first }}state ->> 'version'
                < {{ pg_lifecycle.state_of(pg_lifecycle.oid_of(ref(catalogue))) }} ->> 'version'
            {%- endfor %}
        order by lower
    {%- endset -%}
    {%- set ranges = [] -%}
    {%- for row in run_query(old_query) -%}
        {%- do ranges.append(
            "(ventas.fecha_venta >= '" ~ row['lower'] ~ "' and ventas.fecha_venta < '" ~ row['upper'] ~ "')"
        ) -%}
    {%- endfor -%}
    {{- return('(' ~ (ranges | join(' or ') or 'false') ~ ')') -}}
{% endmacro %}
