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
    case when d != 0 then sign(n) * ((2 * abs(n) + d) // (2 * d)) end;
create macro en_cents(milli, centavos) as (cast(milli as hugeint) * centavos + 500) // 1000;
"""

# A line in whole numbers: thousandths of a unit, cents, hundredths of a percent.
LINES = """
create table productos as select *, coalesce(unidad_medida = 'kg', false) as granel,
    10000 + cast(iva_pct * 100 as hugeint) as con_iva from '{folder}/productos.parquet';
create table tiendas as from '{folder}/tiendas.parquet';
create table existencias as from '{folder}/inventario/*.parquet';
create table pedidos as from '{folder}/pedidos/*.parquet';
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
        where activo or fecha_cierre is not null
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
    select fecha, year(fecha) as anno, row_number() over (partition by year(fecha) order by fecha) as dia
    from '{seeds}/festivos.csv' where contains(nombre_festivo, 'Buen Fin');
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
create table comparado as
    select h.*, t.fecha_apertura, coalesce(e.antes, h.fecha - 364) as evento,
        a.fecha is not null and not h.obras and not a.obras
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
            count(distinct ticket_id) as numero_tickets, sum(milli) as unidades,
            sum(pagado) as total_ventas
        from ventas group by all
    """,
    "mv_daily_store_sales": f"""
        select h.fecha, h.tienda_id, h.pagado as total_ventas, h.tickets as numero_tickets,
            cociente(h.pagado, h.tickets) as ticket_promedio, h.milli as unidades,
            d.pagado as ventas_dia_anterior,
            cociente(10000 * (h.pagado - d.pagado), d.pagado) as cambio_pct,
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
            cociente(10000 * (h.pagado - d.pagado), d.pagado) as cambio_pct,
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


KPI = """
    with miembros as (
        unpivot (select tienda_id, 'Total' as total, cadena, region, formato,
            cast(tienda_id as varchar) as tienda from tiendas)
        on total, cadena, region, formato, tienda into name dimension value valor
    ), ahora as (
        select p.periodo, p.desde, dimension, valor, count(*) filter (where es_dia_abierto) as dias_tienda,
            sum(total_ventas) as total_ventas, sum(ventas_netas) as ventas_netas, sum(margen) as margen,
            sum(numero_tickets) as numero_tickets, sum(lineas) as lineas, sum(articulos) as articulos,
            sum(unidades) as unidades
        from periodos as p join dia_tienda as d on d.fecha between p.desde and p.hasta
        join miembros using (tienda_id) group by all
    ), antes as (
        select p.periodo, p.desde, dimension, valor, count(*) filter (where es_dia_abierto) as dias,
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
    ), base as (
        select h.*, a.* exclude (periodo, desde, dimension, valor), e.ventas as de_evento,
            m.* exclude (periodo, desde, dimension, valor)
        from ahora as h
        left join antes as a using (periodo, desde, dimension, valor)
        left join evento as e using (periodo, desde, dimension, valor)
        left join mismas as m using (periodo, desde, dimension, valor)
    )
    select b.dimension, b.valor, periodo, desde, p.hasta, p.parcial as es_parcial, dias_tienda, total_ventas,
        ventas_netas, b.margen, numero_tickets, lineas, articulos, unidades,
        if(p.con_antes, coalesce(dias, 0), null) as dias_tienda_anterior,
        if(p.con_antes, coalesce(ventas, 0), null) as ventas_anno_anterior,
        if(p.con_antes, coalesce(netas, 0), null) as ventas_netas_anno_anterior,
        if(p.con_antes, coalesce(b.margen_1, 0), null) as margen_anno_anterior,
        if(p.con_antes, coalesce(tickets, 0), null) as tickets_anno_anterior,
        if(p.con_evento, coalesce(de_evento, 0), null) as ventas_evento_anterior,
        coalesce(ventas_1, 0) as ventas_mismas_tiendas,
        coalesce(ventas_anno, 0) as ventas_mismas_tiendas_anterior,
        coalesce(tickets_1, 0) as tickets_mismas_tiendas,
        coalesce(tickets_anno, 0) as tickets_mismas_tiendas_anterior,
        coalesce(tiendas, 0) as tiendas_mismas, coalesce(dias_1, 0) as dias_tienda_mismas,
        if(p.con_antes and (b.dimension != 'tienda' or (
            dias_tienda = p.hasta - desde + 1 and dias = p.antes_hasta - p.antes_desde + 1
        )), cociente(10000 * (total_ventas - ventas), ventas), null) as crecimiento_pct,
        cociente(10000 * (ventas_1 - ventas_anno), ventas_anno) as mismas_tiendas_pct,
        cociente(10000 * (tickets_1 - tickets_anno), tickets_anno) as trafico_pct,
        cociente(10000 * (ventas_1 * tickets_anno - ventas_anno * tickets_1), ventas_anno * tickets_1)
            as ticket_pct
    from base as b join periodos as p using (periodo, desde)
    where dias_tienda > 0
    union all
    select 'categoria', h.categoria, periodo, desde, p.hasta, p.parcial, null, h.total, h.netas, h.margen,
        null, h.lineas, h.articulos, h.unidades, null, if(p.con_antes, coalesce(a.total, 0), null),
        if(p.con_antes, coalesce(a.netas, 0), null), if(p.con_antes, coalesce(a.margen, 0), null), null,
        if(p.con_evento, coalesce(e.total, 0), null), null, null, null, null, null, null,
        if(p.con_antes, cociente(10000 * (h.total - a.total), a.total), null), null, null, null
    from (
        select p.periodo, p.desde, categoria, sum(lineas) as lineas, sum(articulos) as articulos,
            sum(unidades) as unidades, sum(total_ventas) as total, sum(ventas_netas) as netas, sum(margen) as margen
        from periodos as p join dia_categoria as d on d.fecha between p.desde and p.hasta group by all
    ) as h
    left join (
        select p.periodo, p.desde, categoria, sum(total_ventas) as total, sum(ventas_netas) as netas,
            sum(margen) as margen
        from periodos as p join dia_categoria as d on d.fecha between p.antes_desde and p.antes_hasta group by all
    ) as a using (periodo, desde, categoria)
    left join (
        select p.periodo, p.desde, categoria, sum(total_ventas) as total
        from periodos as p join fechas as f on f.fecha between p.desde and p.hasta
        join dia_categoria as d on d.fecha = f.evento group by all
    ) as e using (periodo, desde, categoria)
    join periodos as p using (periodo, desde)
    where h.lineas > 0
"""


def _periods(first: date, last: date) -> Iterator[tuple[str, date, date, date, date, date]]:
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
    for kind, begin, until, end, before, before_until in _periods(first, last):
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


def open_files(folder: Path) -> duckdb.DuckDBPyConnection:
    """A session of DuckDB with the delivered files as tables of whole numbers."""
    session = duckdb.connect()
    session.execute(MACROS)
    session.execute(LINES.format(folder=folder))
    session.execute(CUTOFF)
    session.execute(DAYS.format(seeds=SEEDS))
    _add_periods(session)
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
    listed = ", ".join(names)
    return rows[0] if rows else 0, files.execute(
        f"""
        (select 'found', {listed} from hallado except all select 'found', {listed} from esperado)
        union all
        (select 'expected', {listed} from esperado except all select 'expected', {listed} from hallado)
        limit 10
        """
    ).fetchall()
