"""The raw tables as data: columns, types and the rules that a row of a file must keep.

Everything else in this package (DDL, parsing, checks, COPY) is derived from ``RAW_TABLES``, so a
new column or limit is one line here. Reason codes are described in ``seeds/motivos_rechazo.csv``.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

MAX_TEXT = 1_000
"""Longest text accepted, in characters."""

_DTYPES = {
    "smallint": pl.Int16(),
    "integer": pl.Int32(),
    "bigint": pl.Int64(),
    "text": pl.String(),
    "date": pl.Date(),
    "time(0)": pl.Time(),
    "boolean": pl.Boolean(),
}


@dataclass(frozen=True)
class Column:
    """One column of a raw table.

    Attributes:
        name: Name in the database.
        sql_type: PostgreSQL type of the raw table.
        required: Whether an empty value is refused.
        minimum: Smallest value accepted, in the column's own unit.
        maximum: Largest value accepted.
        windowed: For dates: whether the loader's date window applies.
    """

    name: str
    sql_type: str
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    windowed: bool = False

    @cached_property
    def scale(self) -> int | None:
        """Decimal places of a numeric column, else None."""
        match = re.fullmatch(r"numeric\(\d+,(\d+)\)", self.sql_type)
        return int(match[1]) if match else None

    @cached_property
    def dtype(self) -> pl.DataType:
        """The polars type that holds the column exactly."""
        match = re.fullmatch(r"numeric\((\d+),(\d+)\)", self.sql_type)
        return pl.Decimal(int(match[1]), int(match[2])) if match else _DTYPES[self.sql_type]


@dataclass(frozen=True)
class RowRule:
    """A rule over several columns: rows where ``violated`` is true are refused.

    Attributes:
        column: The column named in quarantine.
        reason: Reason code.
        violated: Expression over the typed columns; null means "not violated".
        unread: Whether only a value that was empty or could not be read can break it.
        hint: True wherever the rule may be broken, where that is quicker to find out.
    """

    column: str
    reason: str
    violated: pl.Expr
    unread: bool = False
    hint: pl.Expr | None = None


@dataclass(frozen=True)
class RawTable:
    """A raw table of schema ``staging``.

    Attributes:
        name: Table name, e.g. ``raw_ventas``.
        columns: Columns as delivered, without ``carga_id`` and ``fila``.
        key: Columns by which a later load replaces an earlier row.
        partition_column: Date column of the monthly partitions; None for a plain table.
        row_rules: Rules over several columns.
        has_history: Whether every delivery of a row is noted, for the history of its attributes.
        distributed_by: On a Citus cluster, the column by which its rows are spread over workers,
            that of the fact made of them; None: they stay on the coordinator.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition_column: str | None = None
    row_rules: tuple[RowRule, ...] = field(default=(), compare=False)
    has_history: bool = False
    distributed_by: str | None = None

    @property
    def subject(self) -> str:
        """The table's short name, which files and folders carry: ``ventas``."""
        return self.name.removeprefix("raw_")

    @property
    def is_catalogue(self) -> bool:
        """Whether it says what things are, not what happened: every version of a row is kept."""
        return self.partition_column is None

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names of the delivered columns, in order."""
        return tuple(column.name for column in self.columns)


def _starts_before(first: str, last: str) -> RowRule:
    """Rule: ``last`` is not before ``first``."""
    return RowRule(last, "FECHAS_INCOHERENTES", pl.col(last) < pl.col(first))


PRODUCTS = RawTable(
    "raw_productos",
    (
        Column("producto_id", "integer", minimum=1),
        Column("sku", "text"),
        Column("nombre_producto", "text"),
        Column("marca", "text"),
        Column("categoria", "text"),
        Column("subcategoria", "text"),
        Column("precio_lista", "numeric(10,2)", minimum=0),
        Column("costo_unitario", "numeric(10,2)", minimum=0),
        Column("iva_pct", "numeric(5,2)", minimum=0, maximum=100),
        Column("unidad_medida", "text"),
        Column("piezas_por_caja", "integer", minimum=1),
        Column("proveedor", "text"),
        Column("fecha_lanzamiento", "date", required=False),
        Column("fecha_retiro", "date", required=False),
        Column("activo", "boolean"),
    ),
    key=("producto_id",),
    has_history=True,
    row_rules=(
        _starts_before("fecha_lanzamiento", "fecha_retiro"),
        RowRule(
            "unidad_medida", "UNIDAD_DESCONOCIDA", ~pl.col("unidad_medida").is_in(["pieza", "kg"])
        ),
    ),
)

STORES = RawTable(
    "raw_tiendas",
    (
        Column("tienda_id", "integer", minimum=1),
        Column("codigo_tienda", "text"),
        Column("nombre_tienda", "text"),
        Column("cadena", "text"),
        Column("formato", "text"),
        Column("region", "text"),
        Column("gerencia", "text", required=False),
        Column("ciudad", "text"),
        Column("estado", "text"),
        Column("superficie_m2", "integer", minimum=1),
        Column("fecha_apertura", "date"),
        Column("fecha_cierre", "date", required=False),
        Column("fecha_inicio_remodelacion", "date", required=False),
        Column("fecha_remodelacion", "date", required=False),
        Column("activo", "boolean"),
    ),
    key=("tienda_id",),
    has_history=True,
    row_rules=(
        _starts_before("fecha_apertura", "fecha_cierre"),
        _starts_before("fecha_apertura", "fecha_inicio_remodelacion"),
        _starts_before("fecha_inicio_remodelacion", "fecha_remodelacion"),
        _starts_before("fecha_apertura", "fecha_remodelacion"),
    ),
)

PROMOTIONS = RawTable(
    "raw_promociones",
    (
        Column("promocion_id", "integer", minimum=1),
        Column("producto_id", "integer", minimum=1),
        Column("formato", "text", required=False),
        Column("fecha_inicio", "date"),
        Column("fecha_fin", "date"),
        Column("descuento_pct", "numeric(5,2)", minimum=0, maximum=100),
    ),
    key=("promocion_id",),
    row_rules=(_starts_before("fecha_inicio", "fecha_fin"),),
)

SALES = RawTable(
    "raw_ventas",
    (
        Column("ticket_id", "bigint", minimum=1),
        Column("linea", "smallint", minimum=1),
        Column("fecha_venta", "date", windowed=True),
        Column("hora", "time(0)"),
        Column("tienda_id", "integer", minimum=1),
        Column("producto_id", "integer", minimum=1),
        Column("canal", "text"),
        # The smallest weight sold is one gram: zero units are no sale.
        Column("unidades", "numeric(10,3)", minimum=0.001),
        Column("precio_unitario", "numeric(10,2)", minimum=0),
        Column("descuento_pct", "numeric(5,2)", minimum=0, maximum=100),
        Column("costo_unitario", "numeric(10,2)", minimum=0),
    ),
    key=("ticket_id", "linea"),
    partition_column="fecha_venta",
    distributed_by="ticket_id",
)

RETURNS = RawTable(
    "raw_devoluciones",
    (
        Column("devolucion_id", "bigint", minimum=1),
        Column("ticket_id", "bigint", minimum=1),
        Column("linea", "smallint", minimum=1),
        Column("fecha_venta", "date", windowed=True),
        Column("fecha_devolucion", "date", windowed=True),
        Column("tienda_id", "integer", minimum=1),
        Column("producto_id", "integer", minimum=1),
        Column("canal", "text"),
        Column("unidades", "numeric(10,3)", minimum=0.001),
        Column("importe", "numeric(12,2)", minimum=0),
        Column("motivo", "text", required=False),
        Column("reingresa", "boolean", required=False),
    ),
    key=("devolucion_id",),
    partition_column="fecha_devolucion",
    distributed_by="ticket_id",
    row_rules=(_starts_before("fecha_venta", "fecha_devolucion"),),
)

INVENTORY = RawTable(
    "raw_inventario",
    (
        Column("fecha", "date", windowed=True),
        Column("tienda_id", "integer", minimum=1),
        Column("producto_id", "integer", minimum=1),
        Column("dias_periodo", "smallint", minimum=1),
        Column("stock_inicial", "numeric(12,3)", minimum=0),
        Column("entradas", "numeric(12,3)", minimum=0),
        Column("reingresos", "numeric(12,3)", required=False, minimum=0),
        Column("salidas", "numeric(12,3)", minimum=0),
        Column("merma", "numeric(12,3)", minimum=0),
        Column("stock_final", "numeric(12,3)", minimum=0),
        Column("costo_unitario", "numeric(10,2)", minimum=0),
    ),
    key=("fecha", "tienda_id", "producto_id"),
    partition_column="fecha",
    distributed_by="tienda_id",
    row_rules=(
        RowRule(
            "stock_final",
            "SALDO_DESCUADRADO",
            pl.col("stock_inicial") + pl.col("entradas") - pl.col("salidas") - pl.col("merma")
            != pl.col("stock_final"),
        ),
        RowRule("reingresos", "FUERA_DE_RANGO", pl.col("reingresos") > pl.col("entradas")),
    ),
)

ORDERS = RawTable(
    "raw_pedidos",
    (
        Column("pedido_id", "bigint", minimum=1),
        Column("tienda_id", "integer", minimum=1),
        Column("producto_id", "integer", minimum=1),
        Column("proveedor", "text"),
        Column("fecha_pedido", "date", windowed=True),
        Column("fecha_promesa", "date"),
        Column("fecha_entrega", "date", required=False),
        Column("unidades_pedidas", "numeric(12,3)", minimum=0.001),
        Column("unidades_recibidas", "numeric(12,3)", minimum=0),
    ),
    key=("pedido_id", "producto_id"),
    partition_column="fecha_pedido",
    distributed_by="pedido_id",
    row_rules=(
        _starts_before("fecha_pedido", "fecha_promesa"),
        _starts_before("fecha_pedido", "fecha_entrega"),
        RowRule(
            "unidades_recibidas",
            "RECEPCION_INCOHERENTE",
            (pl.col("unidades_recibidas") > pl.col("unidades_pedidas"))
            | (pl.col("fecha_entrega").is_null() & (pl.col("unidades_recibidas") > 0)),
        ),
    ),
)

# Catalogues first, so that a reader of a half-loaded folder finds products before their sales.
RAW_TABLES = {
    table.name: table for table in (PRODUCTS, STORES, PROMOTIONS, SALES, RETURNS, INVENTORY, ORDERS)
}
