"""Dirty data on demand: known defects planted in delivered files, each with its expected fate.

The reason codes are those of ``seeds/motivos_rechazo.csv``. A ticket gets at most one defect, and
none if goods of it came back, so that every defect has one fate whatever the others do.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from retail_platform.manifests import MANIFEST, FileEntry
from retail_platform.simulator.arrays import Ints
from retail_platform.simulator.streams import Part, stream
from retail_platform.simulator.tickets import line_total
from retail_platform.simulator.writer import (
    describe_files,
    read_parquet,
    write_parquet,
)

FACT, QUARANTINE, FILE_QUARANTINE, SUPERSEDED, REFUSED = (
    "fact",
    "quarantine",
    "file_quarantine",
    "superseded",
    "file_refused",
)
"""Fates: in the fact, refused by dbt, refused by the load gate, replaced by a later file, in a file
that is refused as a whole."""
CORRECTIONS: Final = "ventas/ventas_correcciones.parquet"
LATE: Final = "ventas/ventas_tardias.parquet"
WITHOUT_COLUMN: Final = "ventas/ventas_sin_costo.csv"
"""Names that sort behind the months, so that the loader takes these files last."""
MAX_DIRTY: Final = 0.1
"""Largest share of rows with a defect: beyond it there are not enough tickets of each kind."""
_CSV_EVERY = 3
"""Every third month of a table is delivered as CSV, where text can be broken."""
_UNKNOWN = 900_000
_ROW = "fila"
_KIND = "_kind"


@dataclass(frozen=True)
class Defect:
    """A planted defect.

    Attributes:
        defect: What was done.
        table: Table of the file.
        file: File, relative to the folder.
        fila: Row in the file, from 1; None for a whole file.
        fate: Where the row is expected to end.
        motivo: Reason code of a refused row.
    """

    defect: str
    table: str
    file: str
    fila: int | None
    fate: str
    motivo: str | None = None


@dataclass(frozen=True)
class _Kind:
    """A kind of defect that is made by changing values or text of a row.

    Attributes:
        name: What is done.
        motivo: Reason code with which the row is refused.
        fate: Who refuses it.
        values: New values by column, for defects that fit the column's type.
        text: Change of the row's CSV fields, for those that do not.
        tickets: Whether the ticket must have one line (``single``), several (``several``) or any.
    """

    name: str
    motivo: str
    fate: str
    values: tuple[tuple[str, pl.Expr], ...] = ()
    text: Callable[[dict[str, str]], None] | None = None
    tickets: str = "any"

    @property
    def is_copy(self) -> bool:
        """Whether the defect is a second copy of a good row."""
        return not self.values and self.text is None


def _set(column: str, change: Callable[[str], str]) -> Callable[[dict[str, str]], None]:
    """A change of one CSV field."""

    def apply(row: dict[str, str]) -> None:
        row[column] = change(row[column])

    return apply


def _drop_last_field(row: dict[str, str]) -> None:
    row.popitem()


_SALES: Final = (
    _Kind("duplicate_line", "LINEA_DUPLICADA", QUARANTINE),
    _Kind(
        "negative_units", "VALOR_NEGATIVO", FILE_QUARANTINE, (("unidades", -pl.col("unidades")),)
    ),
    _Kind(
        "unknown_product",
        "PRODUCTO_HUERFANO",
        QUARANTINE,
        (("producto_id", pl.col("producto_id") + _UNKNOWN),),
    ),
    _Kind(
        "unknown_store",
        "TIENDA_HUERFANA",
        QUARANTINE,
        (("tienda_id", pl.col("tienda_id") + _UNKNOWN),),
        tickets="single",
    ),
    _Kind("discount_of_150", "FUERA_DE_RANGO", FILE_QUARANTINE, (("descuento_pct", pl.lit(150)),)),
    _Kind(
        "unknown_channel",
        "CANAL_DESCONOCIDO",
        QUARANTINE,
        (("canal", pl.lit("telefono")),),
        tickets="single",
    ),
    _Kind(
        "ticket_in_two_channels",
        "TICKET_INCOHERENTE",
        QUARANTINE,
        (
            (
                "canal",
                pl.when(pl.col("canal") == "tienda")
                .then(pl.lit("online"))
                .otherwise(pl.lit("tienda")),
            ),
        ),
        tickets="several",
    ),
    _Kind(
        "sold_in_2099",
        "FECHA_FUERA_DE_VENTANA",
        FILE_QUARANTINE,
        (("fecha_venta", pl.lit(date(2099, 1, 1))),),
    ),
)
_SALES_TEXT: Final = (
    _Kind(
        "decimal_comma",
        "NO_PARSEA_NUMERO",
        FILE_QUARANTINE,
        text=_set("precio_unitario", lambda price: price.replace(".", ",")),
    ),
    _Kind(
        "broken_encoding",
        "CODIFICACION_INVALIDA",
        FILE_QUARANTINE,
        text=_set("canal", lambda channel: channel[:-1] + "\udce1"),
    ),
    _Kind("missing_field", "NUMERO_DE_COLUMNAS", FILE_QUARANTINE, text=_drop_last_field),
    _Kind("empty_product", "FALTA_VALOR", FILE_QUARANTINE, text=_set("producto_id", lambda _: "")),
    _Kind(
        "month_thirteen",
        "NO_PARSEA_FECHA",
        FILE_QUARANTINE,
        text=_set("fecha_venta", lambda day: f"{day[:4]}-13-{day[8:]}"),
    ),
    _Kind(
        "hour_twenty_five",
        "NO_PARSEA_HORA",
        FILE_QUARANTINE,
        text=_set("hora", lambda hour: f"25{hour[2:]}"),
    ),
    _Kind(
        "store_code_for_number",
        "NO_PARSEA_ENTERO",
        FILE_QUARANTINE,
        text=_set("tienda_id", lambda store: f"T-{store}"),
    ),
)
_STOCK: Final = (
    _Kind("duplicate_row", "CLAVE_DUPLICADA", QUARANTINE),
    _Kind(
        "unknown_product",
        "PRODUCTO_HUERFANO",
        QUARANTINE,
        (("producto_id", pl.col("producto_id") + _UNKNOWN),),
    ),
    _Kind(
        "unbalanced",
        "SALDO_DESCUADRADO",
        FILE_QUARANTINE,
        (("stock_final", pl.col("stock_final") + 1),),
    ),
)
_RETURNS: Final = (
    _Kind("duplicate_return", "CLAVE_DUPLICADA", QUARANTINE),
    _Kind(
        "return_without_sale",
        "DEVOLUCION_SIN_VENTA",
        QUARANTINE,
        (("ticket_id", pl.col("ticket_id") + 10**17),),
    ),
    _Kind(
        "return_of_more_than_sold",
        "DEVOLUCION_EXCEDE_VENTA",
        QUARANTINE,
        (("unidades", pl.col("unidades") * 100), ("importe", pl.col("importe") * 100)),
    ),
)
_ORDERS: Final = (
    _Kind("duplicate_order_line", "CLAVE_DUPLICADA", QUARANTINE),
    _Kind(
        "unknown_product",
        "PRODUCTO_HUERFANO",
        QUARANTINE,
        (("producto_id", pl.col("producto_id") + _UNKNOWN),),
    ),
    _Kind(
        "unknown_store",
        "TIENDA_HUERFANA",
        QUARANTINE,
        (("tienda_id", pl.col("tienda_id") + _UNKNOWN),),
    ),
    _Kind(
        "more_than_ordered",
        "RECEPCION_INCOHERENTE",
        FILE_QUARANTINE,
        (("unidades_recibidas", pl.col("unidades_pedidas") + 1),),
    ),
    _Kind(
        "delivered_before_the_order",
        "FECHAS_INCOHERENTES",
        FILE_QUARANTINE,
        (("fecha_entrega", pl.col("fecha_pedido").dt.offset_by("-1d")),),
    ),
)
_OTHER_TABLES: Final = {
    "inventario": (2, _STOCK),
    "devoluciones": (3, _RETURNS),
    "pedidos": (4, _ORDERS),
}
"""Stream and kinds of the tables whose rows stand alone."""


def plant_defects(folder: Path, seed: int, fraction: float) -> None:
    """Plant defects in the files of a folder and tell of them in its manifest.

    About ``fraction`` of the sale lines, stock rows, returns and order lines get a defect. The
    manifest then lists them under ``defects``, and under ``expected`` what the facts hold when all
    have met their fate.

    Args:
        folder: Files of a clean world, not yet published.
        seed: Seed of the world.
        fraction: Share of the rows, above 0 and at most 0.1.
    """
    defects: list[Defect] = []
    expected: dict[str, dict[str, dict[str, Any]]] = {}
    returns = (folder / "devoluciones").glob("*.parquet")
    returned = pl.concat([read_parquet(path) for path in returns])["ticket_id"].unique()
    moved: list[pl.DataFrame] = []
    corrected: list[pl.DataFrame] = []
    for number, path in enumerate(sorted((folder / "ventas").glob("*.parquet"))):
        rng = stream(seed, Part.DEFECTS, 1, number)
        frame = read_parquet(path)
        as_csv = number % _CSV_EVERY == 1
        kinds = _SALES + _out_of_life(folder, frame) + (_SALES_TEXT if as_csv else ())
        count = round(fraction * len(frame))
        tickets = _Tickets(frame, returned, rng)
        chosen = tickets.choose(kinds, count)
        late = tickets.take(count // 10)
        correct = tickets.take(count // 10)
        fixed = frame[correct].with_columns(pl.col("unidades") + 1)
        lost = _lost_rows(frame, chosen)
        kept = frame[np.setdiff1d(np.arange(len(frame)), np.concatenate([lost, correct]))]
        expected.setdefault("ventas", {})[path.stem[-6:]] = _sums(pl.concat([kept, fixed]))
        moved.append(frame[late])
        corrected.append(fixed)
        defects += _write("ventas", path, frame, chosen, late, as_csv)
        defects += _superseded(late, correct, path, as_csv)
    for table, (part, kinds) in _OTHER_TABLES.items():
        for number, path in enumerate(sorted((folder / table).glob("*.parquet"))):
            rng = stream(seed, Part.DEFECTS, part, number)
            frame = read_parquet(path)
            rows = rng.choice(len(frame), min(len(frame), round(fraction * len(frame))), False)
            chosen = {int(row): kinds[(i + number) % len(kinds)] for i, row in enumerate(rows)}
            lost = _lost_rows(frame, chosen)
            month = expected.setdefault(table, {})
            month[path.stem[-6:]] = {"filas": len(frame) - len(lost)}
            defects += _write(table, path, frame, chosen, np.zeros(0, np.int64), as_csv=False)
    for name, frames, defect in ((LATE, moved, "late"), (CORRECTIONS, corrected, "correction")):
        frame = pl.concat(frames)
        write_parquet(frame, folder / name)
        defects += [Defect(defect, "ventas", name, row, FACT) for row in range(1, len(frame) + 1)]
    moved[0].head(10).drop("costo_unitario").write_csv(folder / WITHOUT_COLUMN)
    defects.append(Defect("missing_column", "ventas", WITHOUT_COLUMN, None, REFUSED))
    manifest = folder / MANIFEST
    clean = manifest.read_text(encoding="utf-8")
    manifest.unlink()
    told = _told(clean, fraction, defects, expected, describe_files(folder))
    manifest.write_text(told, encoding="utf-8")


def _out_of_life(folder: Path, sales: pl.DataFrame) -> tuple[_Kind, ...]:
    """Sales of a product or store that is out of its life in the whole month, if there is one."""
    first, last = pl.lit(sales["fecha_venta"].min()), pl.lit(sales["fecha_venta"].max())

    def outside(table: str, column: str, begin: str, end: str) -> list[int]:
        frame = read_parquet(folder / f"{table}.parquet")
        found = frame.filter((pl.col(begin) > last) | (pl.col(end) < first).fill_null(False))
        return found[column].head(1).to_list()

    products = outside("productos", "producto_id", "fecha_lanzamiento", "fecha_retiro")
    stores = outside("tiendas", "tienda_id", "fecha_apertura", "fecha_cierre")
    return (
        *(
            _Kind(
                "product_not_on_sale",
                "FUERA_DE_VIDA_DE_PRODUCTO",
                QUARANTINE,
                (("producto_id", pl.lit(product)),),
            )
            for product in products
        ),
        *(
            _Kind(
                "store_not_open",
                "FUERA_DE_VIDA_DE_TIENDA",
                QUARANTINE,
                (("tienda_id", pl.lit(store)),),
                tickets="single",
            )
            for store in stores
        ),
    )


class _Tickets:
    """Draws tickets that nothing else was drawn for."""

    def __init__(self, frame: pl.DataFrame, returned: pl.Series, rng: np.random.Generator) -> None:
        tickets = (
            frame.with_row_index("row")
            .group_by("ticket_id", maintain_order=True)
            .agg(pl.first("row"), pl.len().alias("lines"))
            .filter(~pl.col("ticket_id").is_in(returned.implode()))
        )
        order = rng.permutation(len(tickets))
        rows, lines = tickets["row"].to_numpy()[order], tickets["lines"].to_numpy()[order]
        # Any line of a ticket will do: the first is not special to any rule.
        self._pools = {"single": list(rows[lines == 1]), "several": list(rows[lines > 1])}

    def choose(self, kinds: Sequence[_Kind], count: int) -> dict[int, _Kind]:
        """Give ``count`` rows a kind each, in turn, as long as there are tickets for it."""
        chosen = {}
        for number in range(count):
            kind = kinds[number % len(kinds)]
            pool = self._pools.get(kind.tickets) or self._longest_pool()
            if pool and (kind.tickets == "any" or pool is self._pools[kind.tickets]):
                chosen[int(pool.pop())] = kind
        return chosen

    def take(self, count: int) -> Ints:
        """Take ``count`` rows of different tickets."""
        pools = (self._longest_pool() for _ in range(count))
        return np.array(sorted(int(pool.pop()) for pool in pools if pool), np.int64)

    def _longest_pool(self) -> list[Any]:
        return max(self._pools.values(), key=len)


def _lost_rows(frame: pl.DataFrame, chosen: dict[int, _Kind]) -> Ints:
    """Rows of the clean frame that the fact will lack: those changed, or their whole ticket."""
    changed = [row for row, kind in chosen.items() if not kind.is_copy]
    lost = np.array(changed, np.int64)
    mixed = [row for row, kind in chosen.items() if kind.tickets == "several"]
    if mixed:
        tickets = frame["ticket_id"][mixed]
        lost = np.union1d(lost, frame["ticket_id"].is_in(tickets.implode()).arg_true().to_numpy())
    return lost


def _write(
    table: str,
    path: Path,
    frame: pl.DataFrame,
    chosen: dict[int, _Kind],
    left_out: Ints,
    as_csv: bool,
) -> list[Defect]:
    """Write a file again with its defects; return them with their rows."""
    names: list[str | None] = [None] * len(frame)
    copied = []
    for row, kind in chosen.items():
        if kind.is_copy:
            copied.append((row, kind.name))
        else:
            names[row] = kind.name
    kept = np.setdiff1d(np.arange(len(frame)), left_out)
    marked = frame.with_columns(pl.Series(_KIND, names, pl.String))[kept]
    copies = frame[[row for row, _ in copied]].with_columns(
        pl.Series(_KIND, [name for _, name in copied], pl.String)
    )
    marked = pl.concat([marked, copies])
    kinds = {kind.name: kind for kind in chosen.values()}
    for kind in kinds.values():
        for column, value in kind.values:
            new = value.cast(frame.schema[column])
            change = pl.when(pl.col(_KIND) == kind.name).then(new).otherwise(pl.col(column))
            marked = marked.with_columns(change.alias(column))
    rows = marked.drop(_KIND)
    if as_csv:
        path.unlink()
        path = path.with_suffix(".csv")
        texts = {row: kinds[name].text for row, name in enumerate(marked[_KIND]) if name}
        path.write_bytes(_broken_csv(rows, texts))
    else:
        write_parquet(rows, path)
    name = f"{table}/{path.name}"
    return list(_refused(table, name, marked, kinds))


def _refused(
    table: str, name: str, marked: pl.DataFrame, kinds: dict[str, _Kind]
) -> Iterator[Defect]:
    """The refused rows of a file: each marked row, and the other lines of a mixed ticket."""
    mixed = {kind.name for kind in kinds.values() if kind.tickets == "several"}
    if mixed:
        tickets = marked.filter(pl.col(_KIND).is_in(mixed))["ticket_id"]
        is_mixed = pl.col("ticket_id").is_in(tickets.implode()) & pl.col(_KIND).is_null()
        marked = marked.with_columns(
            pl.when(is_mixed).then(pl.lit(min(mixed))).otherwise(pl.col(_KIND)).alias(_KIND)
        )
    found = marked.select(_KIND).with_row_index(_ROW, offset=1).drop_nulls()
    for row, kind_name in found.iter_rows():
        kind = kinds[kind_name]
        yield Defect(kind.name, table, name, row, kind.fate, kind.motivo)


def _superseded(late: Ints, correct: Ints, path: Path, as_csv: bool) -> Iterator[Defect]:
    """The rows that the corrections replace, by their place after the late rows were taken out."""
    name = f"ventas/{path.stem}{'.csv' if as_csv else '.parquet'}"
    for place in correct + 1 - np.searchsorted(late, correct):
        yield Defect("corrected_later", "ventas", name, int(place), SUPERSEDED)


def _broken_csv(
    rows: pl.DataFrame, texts: dict[int, Callable[[dict[str, str]], None] | None]
) -> bytes:
    """CSV of a frame in which the fields of some rows were changed as text."""
    text = rows.write_csv(time_format="%H:%M:%S")
    header, *lines = text.splitlines()
    names = header.split(",")
    for row, change in texts.items():
        if change is None:
            continue
        fields = dict(zip(names, next(csv.reader([lines[row]])), strict=True))
        change(fields)
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow(fields.values())
        lines[row] = buffer.getvalue()
    # A lone surrogate stands for a byte that is not UTF-8.
    return ("\n".join([header, *lines]) + "\n").encode("utf-8", "surrogateescape")


def _sums(frame: pl.DataFrame) -> dict[str, Any]:
    """What the fact holds of a month: rows, tickets, and money to the cent."""
    quantity, price, discount = (
        (frame[name].cast(pl.Float64) * unit).round().cast(pl.Int64).to_numpy()
        for name, unit in (("unidades", 1000), ("precio_unitario", 100), ("descuento_pct", 1))
    )
    cents = int(line_total(quantity, price, discount).sum())
    return {
        "filas": len(frame),
        "tickets": frame["ticket_id"].n_unique(),
        "total_linea": f"{cents // 100}.{cents % 100:02d}",
    }


def _told(
    manifest: str,
    fraction: float,
    defects: list[Defect],
    expected: dict[str, Any],
    files: dict[str, FileEntry],
) -> str:
    """The manifest with the defects, one a line, what is expected of the facts, and the files."""
    document = json.loads(manifest)
    document["world"]["dirty"] = fraction
    document["files"] = files
    document["expected"] = {
        table: {f"{month[:4]}-{month[4:]}": entry for month, entry in months.items()}
        for table, months in expected.items()
    }
    document.pop("defects")
    head = json.dumps(document, ensure_ascii=False, indent=1).removesuffix("\n}")
    lines = ",\n".join(json.dumps(asdict(defect), ensure_ascii=False) for defect in defects)
    return f'{head},\n "defects": [\n{lines}\n]}}\n'
