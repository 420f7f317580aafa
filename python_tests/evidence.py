"""Whether the delivered files are like a chain's: acceptance bands, seasons and affinities."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from retail_platform.docs.evidence import collect, month_index, scan_sales, scan_stock
from retail_platform.simulator.parameters import CATEGORIES

BANDS: Final = {
    "weekend_share": (0.31, 0.36),
    "december_index": (1.25, 1.40),
    "top_fifth_share": (0.50, 0.65),
    "promotion_line_share": (0.05, 0.12),
    "stock_out_rate": (0.04, 0.10),
    "intermittent_share": (0.60, 1.00),
    "lines_per_ticket_conveniencia": (2.0, 4.0),
}
"""Acceptance bands; where each comes from is told in ``docs/simulator.md``, "Sources"."""
INTERMITTENT_ADI: Final = 1.32
"""Mean days between sales above which a series is intermittent (Syntetos and Boylan 2005)."""


def measure_bands(folder: Path) -> dict[str, float]:
    """The figures of ``BANDS``, and lines per ticket and ticket shares besides."""
    sales = scan_sales(folder)
    daily = collect(sales.group_by("fecha_venta").agg(pl.sum("total_linea"))).sort("fecha_venta")
    money = daily["total_linea"].to_numpy()
    weekend = (daily["fecha_venta"].dt.weekday() > 5).to_numpy()
    products = collect(sales.group_by("producto_id").agg(pl.sum("total_linea")))
    ranked = products["total_linea"].sort(descending=True).to_numpy()
    tickets = collect(
        sales.group_by("ticket_id")
        .agg(pl.first("formato"), pl.first("canal"), pl.len().alias("lines"))
        .group_by("formato", "canal")
        .agg(pl.len().alias("tickets"), pl.sum("lines"))
    )
    promoted = collect(sales.select((pl.col("descuento_pct") > 0).mean())).item()
    empty = collect(
        scan_stock(folder)
        .filter(pl.col("dias_periodo") == 1)
        .select((pl.col("stock_final") == 0).mean())
    ).item()
    figures = {
        "weekend_share": float(money[weekend].sum() / money.sum()),
        "december_index": month_index(daily.rename({"total_linea": "value"}))[11],
        "top_fifth_share": float(ranked[: round(len(ranked) / 5)].sum() / ranked.sum()),
        "promotion_line_share": float(promoted),
        "stock_out_rate": float(empty),
        "intermittent_share": _intermittent_share(folder),
    }
    by_format = tickets.group_by("formato").agg(pl.sum("tickets", "lines"))
    for name, count, lines in by_format.iter_rows():
        figures[f"lines_per_ticket_{name.lower()}"] = lines / count
    by_channel = tickets.group_by("canal").agg(pl.sum("tickets"))
    for name, count in by_channel.iter_rows():
        figures[f"ticket_share_{name}"] = count / by_channel["tickets"].sum()
    return figures


def outside_bands(figures: Mapping[str, float]) -> dict[str, float]:
    """The figures that are outside their band."""
    return {
        name: figures[name]
        for name, (low, high) in BANDS.items()
        if not low <= figures[name] <= high
    }


def season_index(folder: Path) -> dict[str, list[float]]:
    """Lines of each month over the mean of the months, by category; growth is taken out."""
    lines = collect(scan_sales(folder).group_by("fecha_venta", "categoria").len("value"))
    by_category = lines.pivot(on="categoria", index="fecha_venta", values="value").fill_null(0)
    return {
        name: month_index(by_category.select("fecha_venta", pl.col(name).alias("value")))
        for name in CATEGORIES
    }


def find_affinity(folder: Path, product: int, partner: int) -> float:
    """Probability that a buyer of ``product`` adds ``partner`` because of it.

    Tickets are compared with tickets of the same format and size that hold another product of the
    category; only stores that carry both products and days on which both are on sale count. It is
    NaN where there is nothing to compare.
    """
    products = pl.read_parquet(folder / "productos.parquet")
    category = products.filter(pl.col("producto_id") == product)["categoria"].item()
    both = products.filter(pl.col("producto_id").is_in([product, partner]))
    on_sale = pl.col("fecha_venta") >= both["fecha_lanzamiento"].max()
    if both["fecha_retiro"].count():
        on_sale &= pl.col("fecha_venta") <= both["fecha_retiro"].min()
    carrying = collect(
        scan_stock(folder)
        .filter(pl.col("producto_id").is_in([product, partner]))
        .group_by("tienda_id")
        .agg(pl.n_unique("producto_id").alias("carried"))
        .filter(pl.col("carried") == 2)
    )
    tickets = collect(
        scan_sales(folder)
        .filter(on_sale)
        .join(carrying.lazy().select("tienda_id"), on="tienda_id", how="semi")
        .group_by("ticket_id")
        .agg(
            pl.first("formato"),
            (pl.col("producto_id") == product).any().alias("bought"),
            (pl.col("producto_id") == partner).any().alias("added"),
            ((pl.col("categoria") == category) & (pl.col("producto_id") != partner))
            .any()
            .alias("comparable"),
            (pl.col("producto_id") != partner).sum().clip(1, 12).alias("others"),
        )
        .filter("comparable")
        .group_by("formato", "others", "bought")
        .agg(pl.mean("added"), pl.len().alias("tickets"))
    )
    cells = tickets.filter("bought").join(
        tickets.filter(~pl.col("bought")), on=["formato", "others"], suffix="_without"
    )
    with_it, without, weight = (
        cells[name].to_numpy() for name in ("added", "added_without", "tickets")
    )
    gain = (with_it - without) / (1 - without)
    return float(np.average(gain, weights=weight)) if len(gain) else float("nan")


def _intermittent_share(folder: Path) -> float:
    """Share of the product-store series whose mean interval between sales is above the limit."""
    days = (
        scan_stock(folder)
        .group_by("tienda_id", "producto_id")
        .agg(pl.col("dias_periodo").cast(pl.Int64).sum())
    )
    sold = scan_sales(folder).group_by("tienda_id", "producto_id").agg(pl.n_unique("fecha_venta"))
    series = collect(days.join(sold, on=["tienda_id", "producto_id"], how="left"))
    interval = series["dias_periodo"] / series["fecha_venta"]
    return float((interval.fill_null(float("inf")) > INTERMITTENT_ADI).to_numpy().mean())
