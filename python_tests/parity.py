"""Every published relation against an independent engine: DuckDB over the delivered files.

DuckDB shares no code with the project's SQL. It counts in whole numbers only (cents, thousandths),
so nothing is lost by floats; a relation is compared cell by cell, every row and every column.
"""

# ruff: noqa: E501 - lines of SQL

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import duckdb
import parity_stock
from conftest import PROJECT, Database

SEEDS = PROJECT / "seeds"

# Rounds half away from zero, as PostgreSQL does: a quotient of whole numbers, null for one by nothing.
MACROS = """
create macro cociente(n, d) as
    case when d != 0 then sign(n) * sign(d) * ((2 * abs(n) + abs(d)) // (2 * abs(d))) end;
create macro en_cents(milli, centavos) as (cast(milli as hugeint) * centavos + 500) // 1000;
"""

# A line in whole numbers: thousandths of a unit, cents, hundredths of a percent.
LINES = """
create table productos as select *, coalesce(unidad_medida = 'kg', false) as granel,
    10000 + cast(iva_pct * 100 as hugeint) as con_iva from '{folder}/productos.parquet';
create table tiendas as from '{folder}/tiendas.parquet';
create table existencias as from '{folder}/inventario/*.parquet';
create table pedidos as from '{folder}/pedidos/*.parquet';
create table promociones as from '{folder}/promociones.parquet';
create view leidas as
    select *, cast(unidades * 1000 as hugeint) as milli,
        cast(precio_unitario * 100 as hugeint) as precio,
        cast(costo_unitario * 100 as hugeint) as costo,
        cast(descuento_pct * 100 as hugeint) as rebaja
    from '{folder}/ventas/*.parquet';
create table ventas as
    select leidas.* exclude (unidades, precio_unitario, costo_unitario, descuento_pct),
        en_cents(milli, precio) as bruta,
        (milli * precio * (10000 - rebaja) + 5000000) // 10000000 as pagado,
        en_cents(milli, costo) as costo_linea,
        case when granel or milli % 1000 != 0 then 1 else milli // 1000 end as articulos,
        con_iva, categoria, cadena, formato, region, rebaja > 0 as promo
    from leidas join productos using (producto_id) join tiendas using (tienda_id);
create table devoluciones as
    select d.*, cast(importe * 100 as hugeint) as devuelto, con_iva, region, v.promo,
        if(reingresa, en_cents(cast(unidades * 1000 as hugeint), v.costo), 0) as costo_devuelto
    from '{folder}/devoluciones/*.parquet' as d
    join productos using (producto_id) join tiendas using (tienda_id)
    join (select ticket_id, linea, promo, costo from ventas) as v using (ticket_id, linea);
create table dias as
    select fecha::date as fecha, tienda_id, cadena, formato, region,
        coalesce(fecha::date >= fecha_inicio_remodelacion
            and fecha::date < coalesce(fecha_remodelacion, date '9999-12-31'), false)
            as obras
    from tiendas, generate_series(
        (select min(fecha_venta) from ventas)::timestamp, (select max(fecha_venta) from ventas)::timestamp,
        interval 1 day) as serie (fecha)
    where fecha::date between fecha_apertura and coalesce(fecha_cierre, date '9999-12-31');
"""

# The last complete day: nine of ten open stores sent sales of it or of a later day.
CUTOFF = """
create table corte as
    with recientes as (
        select distinct fecha_venta as fecha from ventas order by 1 desc limit 92
    ), ultimas as (select tienda_id, max(fecha_venta) as ultima from ventas group by all)
    select max(fecha) as fecha from (
        select fecha from recientes join tiendas
            on fecha between fecha_apertura and coalesce(fecha_cierre, date '9999-12-31')
        left join ultimas using (tienda_id)
        where (activo or fecha_cierre is not null) and (coalesce(ultima >= fecha, false) or not coalesce(
            fecha between fecha_inicio_remodelacion and coalesce(fecha_remodelacion, date '9999-12-31') - 1, false))
        group by fecha having 10 * count(*) filter (where ultima >= fecha) >= 9 * count(*)
    );
"""

# Sales of every store and day on which it was open, and the stores that are like-for-like.
DAYS = """
create table por_tienda as
    select dias.*, coalesce(v.pagado, 0) as pagado, coalesce(v.tickets, 0) as tickets,
        coalesce(v.milli, 0) as milli
    from dias left join (
        select fecha_venta as fecha, tienda_id, sum(pagado) as pagado, sum(milli) as milli,
            count(distinct ticket_id) as tickets
        from ventas group by all
    ) as v using (fecha, tienda_id);
create table pascuas as
    select fecha from '{seeds}/festivos.csv' where nombre_festivo = 'Domingo de Pascua';
create table buen_fin as
    select f.fecha, year(f.fecha) as anno, f.fecha - l.lunes as dia
    from '{seeds}/festivos.csv' as f join (
        select dia::date as lunes from generate_series(date '2010-11-15', date '2040-11-21', interval 1 day) as s (dia)
        where isodow(dia) = 1 and month(dia) = 11 and day(dia) between 15 and 21
    ) as l on year(l.lunes) = year(f.fecha)
    where contains(nombre_festivo, 'Buen Fin');
-- A date on which an event falls, and the same day of it a year before.
create table eventos as
    select p.fecha + i::int as fecha, q.fecha + i::int as antes
    from pascuas as p join pascuas as q on year(q.fecha) = year(p.fecha) - 1, range(-7, 8) as d (i)
    union all
    select b.fecha, a.fecha from buen_fin as b join buen_fin as a on a.dia = b.dia and a.anno = b.anno - 1
    union all
    select distinct fecha, make_date(year(fecha) - 1, month(fecha), day(fecha)) from dias
    where strftime(fecha, '%m-%d') in ('01-05', '01-06', '05-10')
        or (month(fecha) = 12 and day(fecha) >= 24)
    union all
    select l.lunes + i::int, m.lunes + i::int
    from (select dia::date as lunes from generate_series(date '2010-08-26', date '2040-09-01', interval 1 day)
            as s (dia) where isodow(dia) = 1 and strftime(dia, '%m-%d') between '08-26' and '09-01') as l
    join (select dia::date as lunes from generate_series(date '2010-08-26', date '2040-09-01', interval 1 day)
            as s (dia) where isodow(dia) = 1 and strftime(dia, '%m-%d') between '08-26' and '09-01') as m
        on year(m.lunes) = year(l.lunes) - 1, range(-13, 1) as d (i);
-- Those of all years, for days that are still to come.
create table eventos_todos as
    select fecha, antes from eventos
    union
    select f::date, make_date(year(f) - 1, month(f), day(f))
    from generate_series(timestamp '2010-01-01', timestamp '2040-12-31', interval 1 day) as s (f)
    where strftime(f, '%m-%d') in ('01-05', '01-06', '05-10') or (month(f) = 12 and day(f) >= 24);
create table comparado as
    select h.*, t.fecha_apertura, coalesce(e.antes, h.fecha - 364) as evento,
        h.fecha <= (select corte.fecha from corte) and a.fecha is not null and not h.obras and not a.obras
            and date_trunc('month', h.fecha - 364) > date_trunc('month', t.fecha_apertura) as mismas,
        a.pagado as pagado_anno, a.tickets as tickets_anno
    from por_tienda as h join tiendas as t using (tienda_id)
    left join eventos as e using (fecha)
    left join por_tienda as a on a.tienda_id = h.tienda_id and a.fecha = h.fecha - 364;
"""

SOLD = """
    count(*) as lineas, sum(articulos) as articulos, sum(milli) as unidades, sum(bruta) as venta_bruta,
    sum(bruta - pagado) as descuento, sum(pagado) as total_ventas,
    sum(cociente(10000 * pagado, con_iva)) as ventas_sin_iva, 0 as devoluciones,
    0 as devoluciones_sin_iva, sum(costo_linea) as costo_ventas, 0 as costo_devuelto
"""
BACK = """
    0, 0, 0, 0, 0, 0, 0, sum(devuelto), sum(cociente(10000 * devuelto, con_iva)), 0,
    sum(costo_devuelto)
"""
SUMS = """
    sum(lineas) as lineas, sum(articulos) as articulos, sum(unidades) as unidades,
    sum(venta_bruta) as venta_bruta, sum(descuento) as descuento, sum(total_ventas) as total_ventas,
    sum(ventas_sin_iva) as ventas_sin_iva, sum(devoluciones) as devoluciones,
    sum(devoluciones_sin_iva) as devoluciones_sin_iva,
    sum(ventas_sin_iva) - sum(devoluciones_sin_iva) as ventas_netas, sum(costo_ventas) as costo_ventas, sum(costo_devuelto) as costo_devuelto,
    sum(ventas_sin_iva) - sum(devoluciones_sin_iva) - sum(costo_ventas) + sum(costo_devuelto) as margen
"""


def _summed(keys: dict[str, tuple[str, str]], *, tickets: bool) -> str:
    """Query of the measures by keys, given as {name: (of a sale line, of a return)}."""
    names = ", ".join(keys)
    sold = ", ".join(f"{sale} as {name}" for name, (sale, _) in keys.items())
    back = ", ".join(given for _, given in keys.values())
    counted = ("count(distinct ticket_id) as numero_tickets,", "0,") if tickets else ("", "")
    total = "sum(numero_tickets) as numero_tickets," if tickets else ""
    return f"""
        select {names}, {total} {SUMS}
        from (
            select {sold}, {counted[0]} {SOLD} from ventas group by all
            union all
            select {back}, {counted[1]} {BACK} from devoluciones group by all
        ) group by all
    """


_DAY = ("fecha_venta", "fecha_devolucion")
_STORE = ("tienda_id", "tienda_id")
_PRODUCT = ("producto_id", "producto_id")

EXPECTED: dict[str, str] = {
    "agg_ventas_dia_tienda_canal": _summed(
        {"fecha": _DAY, "tienda_id": _STORE, "canal": ("canal", "canal")}, tickets=True
    ),
    "agg_ventas_mes_tienda_canal": _summed(
        {
            "mes": ("date_trunc('month', fecha_venta)", "date_trunc('month', fecha_devolucion)"),
            "tienda_id": _STORE,
            "canal": ("canal", "canal"),
        },
        tickets=True,
    ),
    "agg_ventas_mes_tienda_producto": _summed(
        {
            "mes": ("date_trunc('month', fecha_venta)", "date_trunc('month', fecha_devolucion)"),
            "tienda_id": _STORE,
            "producto_id": _PRODUCT,
        },
        tickets=False,
    ),
    "agg_ventas_dia_region_producto": _summed(
        {
            "fecha": _DAY,
            "region": ("region", "region"),
            "producto_id": _PRODUCT,
            "es_promocion": ("promo", "promo"),
        },
        tickets=False,
    ),
    "agg_ventas_mes_region_producto": _summed(
        {
            "mes": ("date_trunc('month', fecha_venta)", "date_trunc('month', fecha_devolucion)"),
            "region": ("region", "region"),
            "producto_id": _PRODUCT,
            "es_promocion": ("promo", "promo"),
        },
        tickets=False,
    ),
    "agg_ventas_dia_tienda": f"""
        select fecha, tienda_id, bool_or(abierto) as es_dia_abierto, bool_or(obras) as en_remodelacion,
            sum(numero_tickets) as numero_tickets, {SUMS}
        from (
            select fecha, tienda_id, true as abierto, obras, 0 as numero_tickets, 0 as lineas,
                0 as articulos, 0 as unidades, 0 as venta_bruta, 0 as descuento, 0 as total_ventas,
                0 as ventas_sin_iva, 0 as devoluciones, 0 as devoluciones_sin_iva, 0 as costo_ventas, 0 as costo_devuelto
            from dias
            union all
            select fecha_venta, tienda_id, false, false, count(distinct ticket_id), {SOLD}
            from ventas group by all
            union all
            select fecha_devolucion, tienda_id, false, false, 0, {BACK} from devoluciones group by all
        ) group by all
    """,
    "mv_ticket_formato": """
        select fecha_venta as fecha, formato, canal, count(*) as lineas,
            count(distinct ticket_id) as numero_tickets, sum(articulos) as articulos, sum(milli) as unidades,
            sum(pagado) as total_ventas
        from ventas group by all
    """,
    "mv_daily_store_sales": f"""
        select h.fecha, h.tienda_id, h.pagado as total_ventas, h.tickets as numero_tickets,
            cociente(h.pagado, h.tickets) as ticket_promedio, h.milli as unidades,
            d.pagado as ventas_dia_anterior,
            if(h.fecha <= (select corte.fecha from corte), cociente(10000 * (h.pagado - d.pagado), d.pagado), null)
                as cambio_pct,
            s.pagado as ventas_semana_anterior, h.pagado_anno as ventas_anno_anterior,
            e.pagado as ventas_evento_anterior, h.tickets_anno as tickets_anno_anterior,
            h.mismas as es_mismas_tiendas, f.nombre_festivo
        from comparado as h
        left join por_tienda as d on d.tienda_id = h.tienda_id and d.fecha = h.fecha - 1
        left join por_tienda as s on s.tienda_id = h.tienda_id and s.fecha = h.fecha - 7
        left join por_tienda as e on e.tienda_id = h.tienda_id and e.fecha = h.evento
        left join '{SEEDS}/festivos.csv' as f on f.fecha = h.fecha
    """,
    "mv_daily_sales_summary": """
        with por_cadena as (
            select fecha, cadena, any_value(evento) as evento, sum(pagado) as pagado,
                sum(tickets) as tickets, sum(milli) as milli,
                sum(if(mismas, pagado, 0)) as mismas, sum(if(mismas, pagado_anno, 0)) as mismas_anno,
                sum(if(mismas, tickets, 0)) as mismos, sum(if(mismas, tickets_anno, 0)) as mismos_anno,
                count(*) filter (where mismas) as tiendas
            from comparado group by all
        )
        select h.fecha, h.cadena, h.pagado as total_ventas, h.tickets as numero_tickets,
            cociente(h.pagado, h.tickets) as ticket_promedio, h.milli as unidades,
            d.pagado as ventas_dia_anterior,
            if(h.fecha <= (select corte.fecha from corte), cociente(10000 * (h.pagado - d.pagado), d.pagado), null)
                as cambio_pct,
            s.pagado as ventas_semana_anterior, a.pagado as ventas_anno_anterior,
            e.pagado as ventas_evento_anterior, h.mismas as ventas_mismas_tiendas,
            h.mismas_anno as ventas_mismas_tiendas_anterior, h.mismos as tickets_mismas_tiendas,
            h.mismos_anno as tickets_mismas_tiendas_anterior, h.tiendas as tiendas_mismas,
            cociente(10000 * (h.mismas - h.mismas_anno), h.mismas_anno) as mismas_tiendas_pct
        from por_cadena as h
        left join por_cadena as d on d.cadena = h.cadena and d.fecha = h.fecha - 1
        left join por_cadena as s on s.cadena = h.cadena and s.fecha = h.fecha - 7
        left join por_cadena as a on a.cadena = h.cadena and a.fecha = h.fecha - 364
        left join por_cadena as e on e.cadena = h.cadena and e.fecha = h.evento
    """,
    "mv_plan_ventas": f"""
        with corte_anno as (select year(fecha) as anno from corte), fechas as (
            select f::date as fecha from corte_anno, generate_series(
                make_date(anno - 1, 1, 1)::timestamp, make_date(anno, 12, 31)::timestamp, interval 1 day) as s (f)
        ), con_base as (
            select f.fecha, coalesce(e.antes, f.fecha - 364) as base
            from fechas as f left join (select distinct fecha, antes from eventos_todos) as e using (fecha)
        ), bases as (
            select d.fecha, d.tienda_id, d.formato, superficie_m2 as m2, d.total_ventas, d.ventas_netas, d.numero_tickets
            from (select a.*, formato, superficie_m2, fecha_apertura from dia_tienda as a join tiendas using (tienda_id)) as d
            where es_dia_abierto and not en_remodelacion
                and date_trunc('month', fecha) > date_trunc('month', fecha_apertura)
        ), formatos as (
            select fecha, formato, sum(m2) as m2, sum(total_ventas) as ventas, sum(ventas_netas) as netas,
                sum(numero_tickets) as tickets
            from bases group by all
        ), metas as (
            select cadena, vigente_desde, cast(round(trafico_pct * 100) as hugeint) + 10000 as trafico,
                cast(round(ticket_pct * 100) as hugeint) + 10000 as ticket,
                cast(round(margen_pct * 100) as hugeint) as margen, cast(round(apertura_pct * 100) as hugeint) as apertura
            from '{SEEDS}/metas_ventas.csv'
        ), dias_plan as (
            select c.fecha, t.tienda_id, m2_f, b.total_ventas as base_ventas, b.tienda_id is not null as propia,
                if(propia, b.total_ventas, superficie_m2 * ventas * apertura) as v,
                if(propia, b.ventas_netas, superficie_m2 * netas * apertura) as n,
                if(propia, b.numero_tickets, superficie_m2 * tickets * apertura) as k,
                if(propia, 1, 10000 * m2_f) as entre, trafico, ticket, margen
            from con_base as c
            join tiendas as t
                on c.fecha between fecha_apertura and coalesce(fecha_cierre, date '9999-12-31')
            join (select fecha, formato, m2 as m2_f, ventas, netas, tickets from formatos) as f
                on f.fecha = c.base and f.formato = t.formato
            join metas as m on m.cadena = t.cadena and vigente_desde = (
                select max(vigente_desde) from metas as x where x.cadena = t.cadena and x.vigente_desde <= c.fecha)
            left join bases as b on b.fecha = c.base and b.tienda_id = t.tienda_id
        )
        select fecha, tienda_id, base_ventas,
            cociente(v * trafico * ticket, entre * 100000000) as plan_ventas,
            cociente(n * trafico * ticket, entre * 100000000) as plan_ventas_netas,
            cociente(n * trafico * ticket * margen, entre * 1000000000000) as plan_margen,
            cociente(100 * k * trafico, entre * 10000) as plan_tickets
        from dias_plan
    """,
    "mv_kpi_periodos": "from kpi",
    "mv_product_performance": """
        select *, row_number() over (
            partition by region, categoria order by total_ingresos desc, producto_id
        ) as ranking_categoria_region
        from (
            select region, producto_id, categoria, sum(milli) as total_unidades_vendidas,
                sum(pagado) as total_ingresos
            from ventas where fecha_venta > (select fecha from corte) - 30
                and fecha_venta <= (select fecha from corte)
            group by all
        )
    """,
    **parity_stock.EXPECTED,
}


# Relations that add up others; those of products, prices, promotions, baskets, returns, stores and
# suppliers: `EFFECTS` makes the tables that they are taken of.
EXPECTED |= {
    "mv_ventas_dia_segmento": f"""
        with vendido as (
            select fecha, cadena, region, formato, count(*) filter (where es_dia_abierto) as dias_tienda,
                sum(numero_tickets) as numero_tickets, sum(articulos) as articulos, sum(total_ventas) as total_ventas,
                sum(ventas_netas) as ventas_netas, sum(margen) as margen
            from dia_tienda join tiendas using (tienda_id) group by all
        ), mismas as (
            select fecha, cadena, region, formato, sum(pagado) as ventas_mismas_tiendas,
                sum(pagado_anno) as ventas_mismas_tiendas_anterior, sum(tickets) as tickets_mismas_tiendas,
                sum(tickets_anno) as tickets_mismas_tiendas_anterior
            from comparado where mismas group by all
        ), planeado as (
            select fecha, cadena, region, formato, count(*) as dias_tienda_plan, sum(base_ventas) as base_ventas,
                sum(if(base_ventas is not null, plan_ventas, null)) as plan_ventas_con_base,
                sum(plan_ventas) as plan_ventas, sum(plan_ventas_netas) as plan_ventas_netas,
                sum(plan_margen) as plan_margen, sum(plan_tickets) as plan_tickets
            from ({EXPECTED["mv_plan_ventas"]}) join tiendas using (tienda_id) group by all
        )
        from vendido full join planeado using (fecha, cadena, region, formato)
        left join mismas using (fecha, cadena, region, formato)
    """,
    "mv_ventas_mes_tienda": f"""
        with vendido as (
            select date_trunc('month', fecha) as mes, tienda_id, count(*) filter (where es_dia_abierto) as dias_tienda,
                sum(numero_tickets) as numero_tickets, sum(total_ventas) as total_ventas,
                sum(ventas_netas) as ventas_netas, sum(margen) as margen
            from dia_tienda group by all
        ), mismas as (
            select date_trunc('month', fecha) as mes, tienda_id, sum(pagado) as ventas_mismas_tiendas,
                sum(pagado_anno) as ventas_mismas_tiendas_anterior
            from comparado where mismas group by all
        ), planeado as (
            select date_trunc('month', fecha) as mes, tienda_id, count(*) as dias_tienda_plan,
                sum(plan_ventas) as plan_ventas
            from ({EXPECTED["mv_plan_ventas"]}) group by all
        )
        select *, last_day(mes) > (select fecha from corte) or mes < (select min(fecha) from dia_tienda) as es_parcial
        from vendido full join planeado using (mes, tienda_id) left join mismas using (mes, tienda_id)
    """,
    "mv_puente_ventas": """
        with u as (
            select p.periodo, p.desde, d.region, d.categoria, d.producto_id, granel,
                sum(if(d.fecha between p.desde and p.hasta, milli, 0)) as u1,
                sum(if(d.fecha between p.antes_desde and p.antes_hasta, milli, 0)) as u0,
                sum(if(d.fecha between p.desde and p.hasta, vendido, 0)) as r1,
                sum(if(d.fecha between p.antes_desde and p.antes_hasta, vendido, 0)) as r0,
                sum(if(d.fecha between p.desde and p.hasta, vuelto, 0)) as d1,
                sum(if(d.fecha between p.antes_desde and p.antes_hasta, vuelto, 0)) as d0
            from neto_producto as d join periodos as p
                on d.fecha between p.desde and p.hasta or d.fecha between p.antes_desde and p.antes_hasta
            where p.con_antes and p.periodo not in ('dia', 'semana') group by all
        ), en_total as (
            from u union all by name
            select * replace ('Total' as region, sum(u1) as u1, sum(u0) as u0, sum(r1) as r1, sum(r0) as r0,
                sum(d1) as d1, sum(d0) as d0)
            from u group by all
        ), con_total as (
            select periodo, desde, region, unnest([categoria, 'Total']) as categoria, granel, u1, u0, r1, r0, d1, d0,
                u1 > 0 and u0 > 0 as ambos
            from en_total
        ), grupos as (
            select periodo, desde, region, categoria, granel, sum(r1 - d1) as n1, sum(r0 - d0) as n0,
                sum(d0 - d1) as devuelto,
                coalesce(sum(r0) filter (where ambos), 0)::double as antes, sum(r1) filter (where ambos) as ahora,
                sum(u1) filter (where ambos)::double / sum(u0) filter (where ambos) as crece,
                sum(u1::double * r0 / u0) filter (where ambos) as a_precio,
                coalesce(sum(r1 - r0) filter (where u0 = 0), 0) as nuevos,
                coalesce(sum(r1 - r0) filter (where u0 > 0 and u1 = 0), 0) as fuera,
                count(*) filter (where ambos) as n, count(*) filter (where u0 = 0 and u1 > 0) as n_nuevos,
                count(*) filter (where u0 > 0 and u1 = 0) as n_fuera
            from con_total group by all
        ), partes as (
            select periodo, desde, region, categoria, sum(n0) as antes, sum(n1) as ahora,
                [cast(round(coalesce(sum(antes * (crece - 1)), 0)) as hugeint),
                    cast(round(coalesce(sum(a_precio - antes * crece), 0)) as hugeint),
                    cast(round(coalesce(sum(ahora - a_precio), 0)) as hugeint), sum(nuevos), sum(fuera), sum(devuelto)] as p,
                sum(n) as n, sum(n_nuevos) as n_nuevos, sum(n_fuera) as n_fuera
            from grupos group by all
        ), mayores as (
            select *, ahora - antes - list_sum(p) as resto,
                list_position(list_transform(p, x -> abs(x)), list_max(list_transform(p, x -> abs(x)))) as mayor
            from partes
        )
        select m.periodo, m.desde, hasta, antes_desde as anterior_desde, antes_hasta as anterior_hasta,
            parcial as es_parcial, region, categoria, antes as ventas_netas_anterior, ahora as ventas_netas,
            ahora - antes as cambio, p[1] + if(mayor = 1, resto, 0) as volumen, p[2] + if(mayor = 2, resto, 0) as mezcla,
            p[3] + if(mayor = 3, resto, 0) as precio, p[4] + if(mayor = 4, resto, 0) as nuevos,
            p[5] + if(mayor = 5, resto, 0) as descontinuados, p[6] + if(mayor = 6, resto, 0) as devuelto,
            resto as redondeo,
            if(resto != 0, ['volumen', 'mezcla', 'precio', 'nuevos', 'descontinuados', 'devuelto'][mayor], null) as parte_redondeo,
            n as productos, n_nuevos as productos_nuevos, n_fuera as productos_descontinuados
        from mayores as m join periodos using (periodo, desde)
    """,
    "retornos": """
        with filas as (
            select date_trunc('month', fecha_venta)::date as mes, producto_id, tienda_id, categoria, formato,
                null as motivo, 1 as lineas, articulos, pagado, 0 as vueltas, 0 as vueltos, 0 as dentro, 0 as devuelto
            from ventas
            union all
            select date_trunc('month', fecha_devolucion)::date, producto_id, tienda_id, categoria, t.formato, motivo, 0, 0, 0, 1,
                if(granel or unidades % 1 != 0, 1, unidades), if(reingresa, if(granel or unidades % 1 != 0, 1, unidades), 0),
                devuelto
            from devoluciones join (select producto_id, categoria, granel from productos) using (producto_id)
            join (select tienda_id, formato from tiendas) as t using (tienda_id)
        ), sumas as (
            select mes, d.dimension, case d.dimension when 'total' then 'Total' when 'producto' then producto_id::text
                    when 'tienda' then tienda_id::text when 'categoria' then categoria when 'formato' then formato
                    else motivo end as valor,
                sum(lineas) as lineas, sum(vueltas) as vueltas, sum(articulos) as articulos, sum(vueltos) as vueltos,
                sum(dentro) as dentro, sum(pagado) as pagado, sum(devuelto) as devuelto
            from filas, (select unnest(['total', 'producto', 'tienda', 'categoria', 'formato', 'motivo']) as dimension) as d
            where dimension != 'motivo' or vueltas = 1
            group by all
        ), todo as (select mes, lineas, articulos, pagado from sumas where dimension = 'total'), base as (
            select s.mes, s.dimension, s.valor, if(s.dimension = 'motivo', t.lineas, s.lineas) as lineas, s.vueltas,
                if(s.dimension = 'motivo', t.articulos, s.articulos) as articulos, s.vueltos, s.dentro,
                if(s.dimension = 'motivo', t.pagado, s.pagado) as pagado, s.devuelto
            from sumas as s join todo as t using (mes)
        )
        select mes, dimension, valor, last_day(mes) > (select fecha from corte)
            or mes < (select min(fecha_venta) from ventas) as es_parcial,
            lineas, vueltas as lineas_devueltas, articulos, cast(vueltos as bigint) as articulos_devueltos,
            cast(dentro as bigint) as articulos_reingresados, pagado as total_ventas, devuelto as devoluciones,
            cociente(100000 * cast(vueltos as hugeint), articulos) as tasa_pct,
            cociente(100000 * vueltas, lineas) as tasa_lineas_pct,
            if(vueltas between 1 and lineas,
                cast(round(1e5 * sqrt(vueltas / lineas * (1 - vueltas / lineas) / lineas)) as bigint), null) as error_pct,
            cociente(100000 * devuelto, pagado) as tasa_importe_pct
        from base
    """,
    "rebajas": """
        with filas as (
            select date_trunc('month', fecha_venta)::date as mes, formato, categoria, con_iva, bruta, pagado,
                cociente(10000 * pagado, con_iva) - costo_linea as margen, cociente(10000 * pagado, con_iva) as neto
            from ventas
            union all
            select date_trunc('month', fecha_devolucion)::date, formato, p.categoria, d.con_iva, 0, 0,
                costo_devuelto - cociente(10000 * devuelto, d.con_iva), -cociente(10000 * devuelto, d.con_iva)
            from devoluciones as d join (select producto_id, categoria from productos) as p using (producto_id)
            join (select tienda_id, formato from tiendas) using (tienda_id)
        ), tasas as (
            select mes, formato, categoria, con_iva, sum(bruta) as bruta, sum(pagado) as pagado,
                sum(neto) as neto, sum(margen) as margen
            from filas group by all
        ), sumas as (
            select mes, formato, categoria, sum(bruta) as bruta, sum(pagado) as pagado, sum(neto) as neto,
                sum(margen) as margen, cast(round(sum((bruta - pagado) * 10000::double / con_iva)) as hugeint) as cedido
            from tasas group by all
        )
        select mes, formato, categoria, last_day(mes) > (select fecha from corte)
            or mes < (select min(fecha_venta) from ventas) as es_parcial,
            bruta as venta_bruta, bruta - pagado as descuento, pagado as total_ventas, neto as ventas_netas, margen,
            cedido as margen_cedido, cociente(10000 * (bruta - pagado), bruta) as descuento_pct,
            cociente(10000 * (bruta - pagado), sum(bruta - pagado) over (partition by mes)) as participacion_pct,
            cociente(10000 * margen, neto) as margen_pct,
            cociente(10000 * (margen + cedido), neto + cedido) as margen_sin_rebaja_pct
        from sumas
    """,
    "proveedores": """
        with lineas as (
            select date_trunc('month', fecha_pedido)::date as mes, p.proveedor, coalesce(unidad_medida, 'pieza') as unidad_medida,
                coalesce(fecha_entrega <= corte.fecha, false) as vino, fecha_promesa, fecha_entrega,
                fecha_promesa - fecha_pedido as prometido, if(vino, fecha_entrega - fecha_pedido, null) as tardo, cast(unidades_pedidas * 1000 as hugeint) as pedidas,
                cast(unidades_recibidas * 1000 as hugeint) as recibidas
            from pedidos as p join (select producto_id, unidad_medida from productos) using (producto_id)
            join corte on fecha_pedido <= corte.fecha
        )
        select mes, proveedor, unidad_medida, count(*) as lineas, count_if(vino) as lineas_entregadas,
            count_if(vino and recibidas = pedidas) as lineas_completas, count_if(vino and fecha_entrega <= fecha_promesa) as lineas_a_tiempo,
            count_if(not vino) as lineas_abiertas,
            count_if(not vino and fecha_promesa <= (select fecha from corte)) as lineas_vencidas,
            sum(if(vino, pedidas, 0)) as unidades_pedidas, sum(if(vino, recibidas, 0)) as unidades_recibidas,
            sum(if(vino, 0, pedidas)) as unidades_abiertas, sum(if(vino, prometido, 0)) as suma_plazo_prometido,
            coalesce(sum(tardo), 0) as suma_plazo_real, coalesce(sum(tardo * tardo), 0) as suma_plazo_real_cuadrado,
            cociente(10000 * sum(if(vino, recibidas, 0)), sum(if(vino, pedidas, 0))) as surtido_pct,
            cociente(10000 * count_if(vino and recibidas = pedidas), count_if(vino)) as completas_pct,
            cociente(10000 * count_if(vino and fecha_entrega <= fecha_promesa), count_if(vino)) as a_tiempo_pct,
            cociente(100 * sum(if(vino, prometido, 0)), count_if(vino)) as plazo_prometido,
            cociente(100 * coalesce(sum(tardo), 0), count_if(vino)) as plazo_real,
            cast(round(100 * stddev_samp(tardo)) as bigint) as desviacion_plazo,
            cast(round(1000 * stddev_samp(tardo) / sqrt(count(tardo))) as bigint) as error_plazo
        from lineas group by all
    """,
    "mv_pares_canasta": """
        with unicas as (
            select distinct ticket_id, producto_id, formato from ventas
            where fecha_venta between (select fecha from corte) - 27 and (select fecha from corte)
        ), canastas as (
            select unnest([formato, 'Total']) as formato, formato as clase,
                least(count(*) over (partition by ticket_id), 15) as tamano, ticket_id, producto_id
            from unicas
        ), clases as (
            select formato, clase, tamano, count(distinct ticket_id) as n from canastas group by all
        ), sueltos as (
            select formato, clase, tamano, producto_id, count(*) as n from canastas group by all
        ), esperados as (
            select formato, a.producto_id as a, b.producto_id as b, sum(a.n * b.n / c.n) as e,
                sum(a.n * b.n / c.n * (1 - a.n / c.n) * (1 - b.n / c.n)) as v
            from sueltos as a join sueltos as b using (formato, clase, tamano)
            join clases as c using (formato, clase, tamano)
            where a.producto_id < b.producto_id and tamano > 1 group by all
        ), vistos as (
            select formato, a.producto_id as a, b.producto_id as b, count(*) as n
            from canastas as a join canastas as b using (formato, ticket_id)
            where a.producto_id < b.producto_id group by all having count(*) >= 5
        ), uno as (select formato, producto_id, sum(n) as n from sueltos group by all),
        total as (select formato, sum(n) as n from clases group by all)
        select formato, a as producto_a, b as producto_b, (select fecha - 27 from corte) as desde,
            (select fecha from corte) as hasta, t.n as tickets_total, o.n as tickets, ua.n as tickets_a, ub.n as tickets_b,
            cast(round(1e4 * e) as hugeint) as esperados, cast(round(1e4 * v) as hugeint) as varianza,
            cociente(1000000 * o.n, t.n) as soporte_pct, cociente(10000 * o.n, ua.n) as confianza_ab_pct,
            cociente(10000 * o.n, ub.n) as confianza_ba_pct, cast(round(1000 * o.n / e) as hugeint) as lift,
            cast(round(1000 * sqrt(v) / e) as hugeint) as error_lift,
            cast(round(100 * (o.n - e) / if(v > 1e-12, sqrt(v), null)) as hugeint) as z,
            row_number() over (
                partition by formato order by round((o.n - e) / if(v > 1e-12, sqrt(v), null), 6) desc nulls last, a, b
            ) as ranking
        from vistos as o join esperados using (formato, a, b) join total as t using (formato)
        join uno as ua on ua.formato = o.formato and ua.producto_id = a
        join uno as ub on ub.formato = o.formato and ub.producto_id = b
    """,
    "mv_aperturas": """
        with abiertos as (
            select d.fecha, d.tienda_id, d.formato, d.region, d.pagado, d.tickets, t.fecha_apertura,
                d.fecha - t.fecha_apertura >= 364 as madura
            from por_tienda as d join (select tienda_id, fecha_apertura from tiendas) as t using (tienda_id)
            where not obras and d.fecha between (select fecha from corte) - 727 and (select fecha from corte)
        ), maduras as (
            select fecha, formato, zona, count(*) as n, sum(pagado) as pagado, sum(tickets) as tickets
            from (select *, unnest([region, 'todas']) as zona from abiertos where madura) group by all
        ), nuevas as (
            select a.*, (fecha - fecha_apertura) // 7 + 1 as semana,
                bool_and(exists (
                    from maduras as m where m.fecha = a.fecha and m.formato = a.formato and m.zona = a.region
                )) over (partition by tienda_id) as cerca
            from abiertos as a
            where not madura and fecha_apertura > (select fecha from corte) - 728
                and fecha_apertura > (select min(fecha_venta) from ventas)
        ), semanas as (
            select tienda_id, semana, fecha_apertura, cerca, count(*) as n, sum(a.pagado) as y, sum(a.tickets) as tickets,
                count(m.fecha) as comparados, sum(m.n) as nm, sum(m.pagado) as xm, sum(m.tickets) as tm,
                sum(m.pagado / m.n) as x, list(struct_pack(y := a.pagado, x := m.pagado / m.n)) as puntos
            from nuevas as a left join maduras as m
                on m.fecha = a.fecha and m.formato = a.formato and m.zona = if(cerca, a.region, 'todas')
            group by all
        )
        select tienda_id, semana, (semana + 3) // 4 as mes_operacion, fecha_apertura + 7 * (semana::int - 1) as desde,
            least(fecha_apertura + 7 * semana::int - 1, (select fecha from corte)) as hasta,
            fecha_apertura + 7 * semana::int - 1 > (select fecha from corte) as es_parcial,
            case when cerca then 'formato y región' when comparados > 0 then 'formato' end as base,
            n as dias_tienda, y as total_ventas, tickets as numero_tickets, coalesce(nm, 0) as dias_tienda_maduras,
            xm as total_ventas_maduras, tm as numero_tickets_maduras, cociente(y, n) as venta_diaria,
            cociente(xm, nm) as venta_diaria_maduras, cociente(10000 * y * nm, n * xm) as proporcion_pct,
            if(comparados = n and n > 1, cast(round(
                1e4 * sqrt(list_sum(list_transform(puntos, p -> (p.y - y / x * p.x) ** 2)) * n / (n - 1)) / x
            ) as hugeint), null) as error_pct
        from semanas
    """,
    "mv_efecto_promocion": "from efecto",
}

# Statistics are computed by another engine in another order: their last digit may differ by one.
ESTIMATED = {
    "mv_puente_ventas": [
        *("volumen", "mezcla", "precio", "nuevos", "descontinuados", "redondeo", "parte_redondeo"),
    ],
    "retornos": ["error_pct"],
    "rebajas": ["margen_cedido", "margen_sin_rebaja_pct"],
    "proveedores": ["desviacion_plazo", "error_plazo"],
    "mv_pares_canasta": ["esperados", "varianza", "lift", "error_lift", "z"],
    "mv_aperturas": ["error_pct"],
    "mv_efecto_promocion": [
        *(
            "unidades_esperadas",
            "efecto_pct",
            "error_pct",
            "unidades_esperadas_control",
            "efecto_control_pct",
        ),
        *(
            "error_control_pct",
            "unidades_esperadas_siguientes",
            "efecto_siguientes_pct",
            "error_siguientes_pct",
        ),
        "margen_incremental",
    ],
}


KPI = """
    with miembros as (
        unpivot (select tienda_id, 'Total' as total, cadena, region, formato,
            cast(tienda_id as varchar) as tienda from tiendas)
        on total, cadena, region, formato, tienda into name dimension value valor
    ), ahora as (
        select p.periodo, p.desde, dimension, valor, count(*) filter (where es_dia_abierto) as dias_tienda,
            count(*) filter (where en_remodelacion) as obras, sum(total_ventas) as total_ventas, sum(ventas_netas) as ventas_netas, sum(margen) as margen,
            sum(numero_tickets) as numero_tickets, sum(lineas) as lineas, sum(articulos) as articulos,
            sum(unidades) as unidades
        from periodos as p join dia_tienda as d on d.fecha between p.desde and p.hasta
        join miembros using (tienda_id) group by all
    ), antes as (
        select p.periodo, p.desde, dimension, valor, count(*) filter (where es_dia_abierto) as dias,
            count(*) filter (where en_remodelacion) as obras_antes,
            sum(total_ventas) as ventas, sum(ventas_netas) as netas, sum(margen) as margen,
            sum(numero_tickets) as tickets
        from periodos as p join dia_tienda as d on d.fecha between p.antes_desde and p.antes_hasta
        join miembros using (tienda_id) group by all
    ), evento as (
        select p.periodo, p.desde, dimension, valor, sum(total_ventas) as ventas
        from periodos as p join fechas as f on f.fecha between p.desde and p.hasta
        join dia_tienda as d on d.fecha = f.evento join miembros using (tienda_id) group by all
    ), mismas as (
        select p.periodo, p.desde, dimension, valor, sum(pagado) as ventas, sum(pagado_anno) as ventas_anno,
            sum(tickets) as tickets, sum(tickets_anno) as tickets_anno,
            count(distinct tienda_id) as tiendas, count(*) as dias
        from periodos as p join comparado as d on d.fecha between p.desde and p.hasta and d.mismas
        join miembros using (tienda_id) group by all
    ), todos as (
        select periodo, desde, dimension, valor from ahora where dias_tienda > 0 or lineas > 0 or ventas_netas != 0
        union
        select periodo, desde, dimension, valor from antes join periodos using (periodo, desde)
        where con_antes and (ventas > 0 or netas != 0)
        union
        select periodo, desde, dimension, valor from evento join periodos using (periodo, desde)
        where con_evento and ventas > 0
    ), base as (
        select t.*, h.* exclude (periodo, desde, dimension, valor), a.* exclude (periodo, desde, dimension, valor),
            e.ventas as de_evento, m.* exclude (periodo, desde, dimension, valor)
        from todos as t
        left join ahora as h using (periodo, desde, dimension, valor)
        left join antes as a using (periodo, desde, dimension, valor)
        left join evento as e using (periodo, desde, dimension, valor)
        left join mismas as m using (periodo, desde, dimension, valor)
    )
    select b.dimension, b.valor, periodo, desde, p.hasta, p.parcial as es_parcial,
        coalesce(dias_tienda, 0) as dias_tienda, coalesce(total_ventas, 0) as total_ventas,
        coalesce(ventas_netas, 0) as ventas_netas, coalesce(b.margen, 0) as margen,
        coalesce(numero_tickets, 0) as numero_tickets, coalesce(lineas, 0) as lineas,
        coalesce(articulos, 0) as articulos, coalesce(unidades, 0) as unidades,
        if(p.con_antes, coalesce(dias, 0), null) as dias_tienda_anterior,
        if(p.con_antes, coalesce(ventas, 0), null) as ventas_anno_anterior,
        if(p.con_antes, coalesce(netas, 0), null) as ventas_netas_anno_anterior,
        if(p.con_antes, coalesce(b.margen_1, 0), null) as margen_anno_anterior,
        if(p.con_antes, coalesce(tickets, 0), null) as tickets_anno_anterior,
        if(p.con_evento, coalesce(de_evento, 0), null) as ventas_evento_anterior,
        if(p.con_antes, coalesce(ventas_1, 0), null) as ventas_mismas_tiendas,
        if(p.con_antes, coalesce(ventas_anno, 0), null) as ventas_mismas_tiendas_anterior,
        if(p.con_antes, coalesce(tickets_1, 0), null) as tickets_mismas_tiendas,
        if(p.con_antes, coalesce(tickets_anno, 0), null) as tickets_mismas_tiendas_anterior,
        if(p.con_antes, coalesce(tiendas, 0), null) as tiendas_mismas,
        if(p.con_antes, coalesce(dias_1, 0), null) as dias_tienda_mismas,
        if(p.con_antes and (b.dimension != 'tienda' or (
            dias_tienda = p.hasta - desde + 1 and dias = p.antes_hasta - p.antes_desde + 1
            and obras + obras_antes = 0
        )), cociente(10000 * (coalesce(total_ventas, 0) - ventas), ventas), null) as crecimiento_pct,
        if(p.con_antes, cociente(10000 * (ventas_1 - ventas_anno), ventas_anno), null) as mismas_tiendas_pct,
        if(p.con_antes, cociente(10000 * (tickets_1 - tickets_anno), tickets_anno), null) as trafico_pct,
        if(p.con_antes, cociente(10000 * (ventas_1 * tickets_anno - ventas_anno * tickets_1), ventas_anno * tickets_1),
            null) as ticket_pct
    from base as b join periodos as p using (periodo, desde)
    union all
    select 'categoria', categoria, periodo, desde, p.hasta, p.parcial, null, coalesce(h.total, 0),
        coalesce(h.netas, 0), coalesce(h.margen, 0),
        null, coalesce(h.lineas, 0), coalesce(h.articulos, 0), coalesce(h.unidades, 0), null, if(p.con_antes, coalesce(a.total, 0), null),
        if(p.con_antes, coalesce(a.netas, 0), null), if(p.con_antes, coalesce(a.margen, 0), null), null,
        if(p.con_evento, coalesce(e.total, 0), null), null, null, null, null, null, null,
        if(p.con_antes, cociente(10000 * (coalesce(h.total, 0) - a.total), a.total), null), null, null, null
    from (
        select p.periodo, p.desde, categoria, sum(lineas) as lineas, sum(articulos) as articulos,
            sum(unidades) as unidades, sum(total_ventas) as total, sum(ventas_netas) as netas, sum(margen) as margen
        from periodos as p join dia_categoria as d on d.fecha between p.desde and p.hasta group by all
    ) as h
    full join (
        select p.periodo, p.desde, categoria, sum(total_ventas) as total, sum(ventas_netas) as netas,
            sum(margen) as margen
        from periodos as p join dia_categoria as d on d.fecha between p.antes_desde and p.antes_hasta group by all
    ) as a using (periodo, desde, categoria)
    full join (
        select p.periodo, p.desde, categoria, sum(total_ventas) as total
        from periodos as p join fechas as f on f.fecha between p.desde and p.hasta
        join dia_categoria as d on d.fecha = f.evento group by all
    ) as e using (periodo, desde, categoria)
    join periodos as p using (periodo, desde)
    where h.lineas > 0 or h.netas != 0 or con_antes and (a.total > 0 or a.netas != 0) or con_evento and e.total > 0
"""


def _periods(last: date) -> Iterator[tuple[str, date, date, date, date, date]]:
    """The periods of mv_kpi_periodos: kind, days from and to, its end, days a year earlier."""
    year = timedelta(days=364)
    for back in range(28):
        day = last - timedelta(days=back)
        yield "dia", day, day, day, day - year, day - year
    for length in (7, 28, 91, 364):
        begin = last - timedelta(days=length - 1)
        yield f"ultimos_{length}", begin, last, last, begin - year, last - year
    for back in range(14):
        monday = last - timedelta(days=last.weekday() + 7 * back)
        end = monday + timedelta(days=6)
        yield "semana", monday, min(end, last), end, monday - year, min(end, last) - year
    for kind, months, count in (("mes", 1, 13), ("trimestre", 3, 5), ("anno", 12, 1)):
        number = last.year * 12 + last.month - 1
        for back in range(count):
            month = number - number % months - back * months
            begin, end = _month(month), _month(month + months) - timedelta(days=1)
            before, before_end = _month(month - 12), _month(month - 12 + months) - timedelta(days=1)
            if end > last:
                before_end = min(before_end, before + (last - begin))
            yield kind, begin, min(end, last), end, before, before_end


def _month(number: int) -> date:
    """First day of a month, counted from the year 0."""
    return date(number // 12, number % 12 + 1, 1)


def _add_periods(session: duckdb.DuckDBPyConnection) -> None:
    """Tables of the periods, and of days and categories that their sums are taken of."""
    session.execute(f"create table dia_tienda as {EXPECTED['agg_ventas_dia_tienda']}")
    session.execute(
        f"""
        create table dia_categoria as
            select d.*, categoria from ({EXPECTED["agg_ventas_dia_region_producto"]}) as d
            join productos using (producto_id);
        create table fechas as select distinct fecha, evento from comparado;
        create table periodos (periodo text, desde date, hasta date, parcial boolean, con_antes boolean,
            con_evento boolean, antes_desde date, antes_hasta date);
        """
    )
    limits = session.execute(
        "select min(fecha_venta), max(corte.fecha) from ventas, corte"
    ).fetchone()
    assert limits
    first, last = limits
    for kind, begin, until, end, before, before_until in _periods(last):
        events = session.execute(
            "select min(evento) from fechas where fecha between ? and ?", [begin, until]
        ).fetchone()
        session.execute(
            "insert into periodos values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                kind,
                begin,
                until,
                until < end or begin < first,
                before >= first,
                bool(events and events[0] and events[0] >= first),
                before,
                before_until,
            ],
        )
    session.execute(f"create view kpi as {KPI}")


EFFECTS = """
create table neto_producto as
    select fecha_venta as fecha, region, v.categoria, producto_id, granel, sum(milli) as milli,
        sum(cociente(10000 * pagado, v.con_iva)) as vendido, 0 as vuelto
    from ventas as v join (select producto_id, granel from productos) using (producto_id) group by all
    union all
    select fecha_devolucion, region, categoria, producto_id, granel, 0, 0, sum(cociente(10000 * devuelto, d.con_iva))
    from devoluciones as d join (select producto_id, categoria, granel from productos) using (producto_id) group by all;
create table efecto as
    with p as (
        select r.*, categoria, fecha_fin + 7 > c.fecha as parcial
        from promociones as r join (select producto_id, categoria from productos) using (producto_id), corte as c
        where fecha_inicio between c.fecha - 90 and c.fecha
    ), mov as (
        select formato, producto_id, fecha_inicio + n::int as fecha, bool_or(n <= fecha_fin - fecha_inicio) as vigente
        from promociones, range(0, 60) as r (n) where n <= fecha_fin + 7 - fecha_inicio group by all
    ), vendido as (
        select formato, producto_id, fecha_venta as fecha, sum(milli / 1000) as u, sum((milli / 1000) ** 2) as q
        from ventas group by all
    ), hay as (
        select fecha, formato, producto_id, count(*) as pares, count_if(stock_inicial > 0 or entradas > 0) as con
        from existencias join (select tienda_id, formato from tiendas) using (tienda_id)
        where dias_periodo = 1 group by all
    ), panel as (
        select a.fecha, a.formato, i.producto_id, i.categoria, a.n as tiendas, coalesce(u, 0) as u, coalesce(q, 0) as q,
            coalesce(pares, 0) as pares, coalesce(con, 0) as con, mov.fecha is not null as movido,
            coalesce(vigente, false) as vigente
        from (select fecha, formato, count(*) as n from dias group by all) as a
        join productos as i on a.fecha between coalesce(fecha_lanzamiento, date '0001-01-01')
            and coalesce(fecha_retiro, date '9999-12-31')
        left join vendido using (fecha, formato, producto_id) left join hay using (fecha, formato, producto_id)
        left join mov using (fecha, formato, producto_id)
        where a.fecha between (select fecha from corte) - 118 and (select fecha from corte)
    ), medias as (
        select formato, producto_id, sum(u) / sum(tiendas) as media from panel where not movido group by all
    ), fotos as (
        select fecha, 2 * sum(pares) >= max(sum(pares)) over () and sum(pares) > 0 as conocida from panel group by fecha
    ), d as (
        select p.*, fecha, case when fecha < fecha_inicio then 0 when fecha <= fecha_fin then 1 else 2 end as t,
            bool_and(conocida) over (partition by promocion_id) as conoce
        from p join fotos on fecha between fecha_inicio - 28 and fecha_fin + 7
    ), puntos as (
        select promocion_id, 'p' as serie, t, isodow(fecha) as w, u, q, if(conoce, con, tiendas) as x, pares - con as vacios
        from d join panel using (formato, producto_id, fecha)
        where not (t = 0 and movido) and not (t = 2 and vigente)
        union all
        select promocion_id, 'c', t, isodow(fecha), u, q, tiendas * media, 0
        from d join panel using (formato, categoria, fecha)
        join medias on medias.formato = panel.formato and medias.producto_id = panel.producto_id
        where not movido
        union all
        select promocion_id, 't', t, isodow(fecha), u, q, tiendas * media, 0
        from d join panel using (producto_id, fecha)
        join medias on medias.formato = panel.formato and medias.producto_id = panel.producto_id
        where not movido and panel.formato != d.formato
    ), semana as (
        select promocion_id, serie, w, sum(u) filter (where t = 0) as u0, sum(q) filter (where t = 0) as q0,
            sum(x) filter (where t = 0) as x0, k, sum(u) filter (where t = k) as u, sum(q) filter (where t = k) as q,
            sum(x) filter (where t = k) as x, sum(vacios) filter (where t = k) as vacios, count_if(t = k) as n
        from puntos, (select unnest([1, 2]) as k) group by all having x0 > 0
    ), series as (
        select promocion_id, serie, k, sum(u) as u, sum(u0 / x0 * x) as base, sum(n) as n, sum(x) as x, sum(vacios) as vacios,
            sum(q) / nullif(sum(u), 0) ** 2 + sum(q0 * (x / x0) ** 2) / nullif(sum(u0 / x0 * x), 0) ** 2 as varianza
        from semana group by all
    ), unidas as (
        select o.promocion_id, o.k, o.n, o.x, o.vacios, o.u, o.base * c.u / nullif(c.base, 0) as e,
            o.varianza + c.varianza as v, o.base * s.u / nullif(s.base, 0) as es, o.varianza + s.varianza as vs
        from series as o left join series as c on c.promocion_id = o.promocion_id and c.k = o.k and c.serie = 'c'
        left join series as s on s.promocion_id = o.promocion_id and s.k = o.k and s.serie = 't'
        where o.serie = 'p'
    ), montos as (
        select promocion_id, sum(milli) / 1000 as u, sum(bruta - pagado) as descuento,
            sum(cociente(10000 * bruta, con_iva) - cociente(10000 * pagado, con_iva)) as cedido,
            sum(cociente(10000 * pagado, con_iva) - costo_linea) as margen
        from p join ventas as v on v.formato = p.formato and v.producto_id = p.producto_id and promo
            and fecha_venta between fecha_inicio and fecha_fin
        where fecha_venta <= (select fecha from corte)
        group by all
    )
    select p.promocion_id, p.producto_id, p.categoria, p.formato, p.fecha_inicio, p.fecha_fin,
        cast(p.descuento_pct * 100 as hugeint) as descuento_pct, p.parcial as es_parcial, coalesce(a.n, 0)::int as dias,
        coalesce(a.x, 0)::int as dias_tienda, if(conoce, a.vacios, null)::int as dias_tienda_sin_stock,
        coalesce(conoce and a.vacios is not null, false) as conoce_stock, cast(round(coalesce(a.u, 0) * 1000) as hugeint) as unidades,
        cast(round(a.e * 1000) as hugeint) as unidades_esperadas, cast(round(1e4 * (a.u / nullif(a.e, 0) - 1)) as hugeint) as efecto_pct,
        cast(round(1e4 * a.u / nullif(a.e, 0) * sqrt(a.v)) as hugeint) as error_pct,
        cast(round(a.es * 1000) as hugeint) as unidades_esperadas_control,
        cast(round(1e4 * (a.u / nullif(a.es, 0) - 1)) as hugeint) as efecto_control_pct,
        cast(round(1e4 * a.u / nullif(a.es, 0) * sqrt(a.vs)) as hugeint) as error_control_pct,
        cast(round(b.u * 1000) as hugeint) as unidades_siguientes, cast(round(b.e * 1000) as hugeint) as unidades_esperadas_siguientes,
        cast(round(1e4 * (b.u / nullif(b.e, 0) - 1)) as hugeint) as efecto_siguientes_pct,
        cast(round(1e4 * b.u / nullif(b.e, 0) * sqrt(b.v)) as hugeint) as error_siguientes_pct,
        coalesce(m.descuento, 0) as descuento, coalesce(m.cedido, 0) as margen_cedido,
        cast(round(m.margen + (coalesce(b.u - b.e, 0) - a.e) * (m.margen + m.cedido) / m.u) as hugeint) as margen_incremental
    from p left join unidas as a on a.promocion_id = p.promocion_id and a.k = 1
    left join unidas as b on b.promocion_id = p.promocion_id and b.k = 2
    left join (select distinct promocion_id, conoce from d) as f on f.promocion_id = p.promocion_id
    left join montos as m on m.promocion_id = p.promocion_id;
"""


def open_files(folder: Path) -> duckdb.DuckDBPyConnection:
    """A session of DuckDB with the delivered files as tables of whole numbers."""
    session = duckdb.connect()
    session.execute(MACROS)
    session.execute(LINES.format(folder=folder))
    session.execute(CUTOFF)
    session.execute(DAYS.format(seeds=SEEDS))
    _add_periods(session)
    session.execute(EFFECTS)
    session.execute(f"create table dia_producto as {EXPECTED['agg_ventas_dia_region_producto']}")
    session.execute(parity_stock.TABLES)
    session.execute(parity_stock.ALERTS)
    return session


def differences(
    database: Database, files: duckdb.DuckDBPyConnection, relation: str, expected: str
) -> tuple[int, list[tuple]]:
    """Compare a relation of schema retail with a query of DuckDB, every column of every row.

    Args:
        database: Where the relation is built.
        files: Session of ``open_files``.
        relation: Name of the relation.
        expected: Query whose columns have the relation's names; numerics as whole numbers, scaled.

    Returns:
        Number of rows of the relation, and up to ten rows that only one side has.
    """
    columns = database.query(
        """
        select attname, format_type(atttypid, null), ((atttypmod - 4) & 65535)
        from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped
        """,
        f"retail.{relation}",
    )
    names = [name for name, _, _ in columns]
    scaled = [
        f"({name} * 1e{scale})::numeric(38, 0) as {name}" if kind == "numeric" else name
        for name, kind, scale in columns
    ]
    files.execute(f"create or replace temp table esperado as {expected}")
    types = {name: kind for name, kind, *_ in files.execute("describe esperado").fetchall()}
    assert set(types) == set(names), f"{relation}: columns {set(types) ^ set(names)} on one side"
    with tempfile.NamedTemporaryFile(suffix=".csv") as copied:
        with closing(database.connect()) as session, session.cursor() as cursor:
            query = (
                f"copy (select {', '.join(scaled)} from retail.{relation}) to stdout (format csv)"
            )
            cursor.copy_expert(query, copied)
        copied.flush()
        read = ", ".join(f"'{name}': '{types[name]}'" for name in names)
        files.execute(
            f"create or replace temp table hallado as from read_csv('{copied.name}', columns={{{read}}},"
            " header=false, nullstr='', quote='\"', allow_quoted_nulls=false)"
        )
    rows = files.execute("select count(*) from hallado").fetchone()
    exact = [name for name in names if name not in ESTIMATED.get(relation, [])]
    listed = ", ".join(exact)
    found = files.execute(
        f"""
        (select 'found', {listed} from hallado except all select 'found', {listed} from esperado)
        union all
        (select 'expected', {listed} from esperado except all select 'expected', {listed} from hallado)
        limit 10
        """
    ).fetchall()
    return rows[0] if rows else 0, found or _far_apart(files, exact, ESTIMATED.get(relation, []))


def _far_apart(
    files: duckdb.DuckDBPyConnection, exact: list[str], estimated: list[str]
) -> list[tuple]:
    """Rows whose estimates differ by more than one in the last digit, up to ten."""
    numbers = [name for name in estimated if name != "parte_redondeo"]
    if not numbers:
        return []
    same = " and ".join(f"h.{name} is not distinct from e.{name}" for name in exact)
    far = " or ".join(
        f"coalesce(abs(h.{name} - e.{name}) > 1, (h.{name} is null) != (e.{name} is null))"
        for name in numbers
    )
    return files.execute(
        f"select h, e from hallado as h join esperado as e on {same} where {far} limit 10"
    ).fetchall()
