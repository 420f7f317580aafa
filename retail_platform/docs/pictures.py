"""Pictures of the simulated world for ``docs/simulator.md``, drawn from the delivered files.

They need matplotlib, which is among the development dependencies.
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from retail_platform.docs.evidence import (
    month_index,
    promotion_profile,
    read_panel,
    read_planted,
    read_published,
    scan_sales,
    scan_stock,
)
from retail_platform.docs.price_effects import find_price_effects
from retail_platform.simulator.parameters import CHANNELS, FORMATS

_COLOURS = ("#20639b", "#ed553b", "#3caea3", "#f6a800")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WELL_KNOWN = 0.35
"""Standard error of an elasticity above which a product sells too little to be drawn."""
_SIZE = (7.2, 3.6)


def draw_pictures(data: Path, output: Path) -> list[Path]:
    """Draw every picture.

    Args:
        data: Folder of a clean world.
        output: Folder of the pictures.

    Returns:
        The files written.
    """
    output.mkdir(parents=True, exist_ok=True)
    matplotlib.rcParams.update(
        {"axes.spines.top": False, "axes.spines.right": False, "font.size": 9}
    )
    pictures: dict[str, Callable[[Path, Axes], None]] = {
        "weekday": draw_weekday,
        "season": draw_season,
        "formats": draw_formats,
        "hours": draw_hours,
        "long_tail": draw_long_tail,
        "channels": draw_channels,
        "stock": draw_stock,
        "promotion": draw_promotion,
        "prices": draw_prices,
        "elasticity": draw_elasticity,
        "suppliers": draw_suppliers,
        "character": draw_character,
    }
    for name, draw in pictures.items():
        figure = Figure(_SIZE, dpi=110, layout="constrained")
        draw(data, figure.subplots())
        # Without the version of the library the same data give the same bytes for longer.
        figure.savefig(output / f"{name}.png", metadata={"Software": None})
    return [output / f"{name}.png" for name in pictures]


def draw_weekday(folder: Path, axes: Axes) -> None:
    """Sale lines by weekday, relative to the format's mean."""
    counted = _count(folder, "formato", pl.col("fecha_venta").dt.weekday().alias("key"))
    for name, colour in zip(FORMATS, _COLOURS, strict=True):
        lines = counted.filter(pl.col("formato") == name).sort("key")["lines"].to_numpy()
        axes.plot(_DAYS, lines / lines.mean(), marker="o", color=colour, label=name)
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set(ylabel="lines / mean", title="Weekday by format")
    axes.legend(frameon=False)


def draw_season(folder: Path, axes: Axes) -> None:
    """Sale lines by month and category, relative to the mean month, growth taken out."""
    shown = ("Abarrotes", "Bebidas", "Carnes y Pescados", "Electrónica")
    daily = _count(folder, "fecha_venta", "categoria").pivot(
        on="categoria", index="fecha_venta", values="lines"
    )
    for name, colour in zip(shown, _COLOURS, strict=True):
        one = daily.select("fecha_venta", pl.col(name).fill_null(0).alias("value"))
        axes.plot(_MONTHS, month_index(one), marker="o", color=colour, label=name)
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set(ylabel="lines / mean month", title="Season by category")
    axes.legend(frameon=False)


def draw_formats(folder: Path, axes: Axes) -> None:
    """Distribution of lines per ticket by format."""
    tickets = (
        scan_sales(folder)
        .group_by("ticket_id")
        .agg(pl.first("formato"), pl.len().clip(1, 25).alias("size"), pl.sum("total_linea"))
        .group_by("formato", "size")
        .agg(pl.len().alias("tickets"), pl.sum("total_linea"))
        .collect(engine="streaming")
    )
    for name, colour in zip(FORMATS, _COLOURS, strict=True):
        part = tickets.filter(pl.col("formato") == name).sort("size")
        share = part["tickets"] / part["tickets"].sum()
        mean = part["total_linea"].to_numpy().sum() / part["tickets"].to_numpy().sum()
        label = f"{name}: {mean:,.0f} MXN a ticket"
        axes.plot(part["size"], share, marker=".", color=colour, label=label)
    axes.set(xlabel="lines per ticket (25 = 25 or more)", ylabel="share of tickets")
    axes.set_title("Baskets by format")
    axes.legend(frameon=False)


def draw_hours(folder: Path, axes: Axes) -> None:
    """Sale lines by hour: stores of each format, and online orders."""
    counted = _count(folder, "formato", "canal", pl.col("hora").dt.hour().alias("key"))
    for name, colour in zip(FORMATS, _COLOURS, strict=True):
        part = counted.filter((pl.col("formato") == name) & (pl.col("canal") == "tienda"))
        _plot_hours(axes, part, colour, name)
    _plot_hours(axes, counted.filter(pl.col("canal") != "tienda"), "grey", "online and app")
    axes.set(xlabel="hour", ylabel="share of lines", title="Hour by format and channel")
    axes.legend(frameon=False)


def _plot_hours(axes: Axes, part: pl.DataFrame, colour: str, label: str) -> None:
    hours = part.group_by("key").agg(pl.sum("lines")).sort("key")
    axes.plot(hours["key"], hours["lines"] / hours["lines"].sum(), color=colour, label=label)


def draw_long_tail(folder: Path, axes: Axes) -> None:
    """Cumulated share of sales by share of products."""
    products = (
        scan_sales(folder)
        .group_by("producto_id")
        .agg(pl.sum("total_linea"))
        .collect(engine="streaming")["total_linea"]
        .sort(descending=True)
        .to_numpy()
    )
    share = np.cumsum(products) / products.sum()
    fifth = share[round(len(share) / 5) - 1]
    axes.plot(np.arange(1, len(share) + 1) / len(share), share, color=_COLOURS[0])
    axes.plot([0.2, 0.2, 0], [0, fifth, fifth], color="grey", linestyle=":")
    axes.annotate(f"20 % of the products: {fifth:.0%} of the sales", (0.22, fifth - 0.04))
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="share of products", ylabel="share of sales")
    axes.set_title("The long tail")


def draw_channels(folder: Path, axes: Axes) -> None:
    """Share of tickets by channel and month."""
    tickets = (
        scan_sales(folder)
        .filter(pl.col("linea") == 1)
        .group_by(pl.col("fecha_venta").dt.truncate("1mo").alias("month"), "canal")
        .len("tickets")
        .collect(engine="streaming")
        .pivot(on="canal", index="month", values="tickets")
        .sort("month")
    )
    whole = tickets.select(pl.sum_horizontal(CHANNELS)).to_series()
    for name, colour in zip(CHANNELS[1:], _COLOURS, strict=False):
        axes.plot(tickets["month"], tickets[name] / whole, color=colour, label=name)
    axes.set(ylim=(0, None), ylabel="share of tickets", title="Online and app grow")
    axes.legend(frameon=False)


def draw_stock(folder: Path, axes: Axes) -> None:
    """Daily stock of the product and store that sold most of those that ran out for days."""
    daily = scan_stock(folder).filter(pl.col("dias_periodo") == 1)
    pair = (
        daily.group_by("tienda_id", "producto_id")
        .agg((pl.col("stock_final") == 0).sum().alias("empty"), pl.sum("salidas"))
        .filter(pl.col("empty").is_between(3, 8))
        .sort("salidas", "tienda_id", "producto_id", descending=True)
        .head(1)
        .collect(engine="streaming")
        .select("tienda_id", "producto_id")
    )
    rows = daily.join(pair.lazy(), on=["tienda_id", "producto_id"], how="semi").collect()
    rows = rows.sort("fecha").with_columns(pl.col(pl.Decimal).cast(pl.Float64))
    names = pl.read_parquet(folder / "productos.parquet").join(pair, on="producto_id")
    store = pl.read_parquet(folder / "tiendas.parquet").join(pair, on="tienda_id")
    axes.step(rows["fecha"], rows["stock_final"], where="post", color=_COLOURS[0], label="stock")
    axes.bar(rows["fecha"], rows["entradas"], color=_COLOURS[2], alpha=0.6, label="received")
    axes.bar(rows["fecha"], -rows["salidas"], color=_COLOURS[1], alpha=0.6, label="sold")
    empty = rows.filter(pl.col("stock_final") == 0)
    axes.plot(empty["fecha"], empty["stock_final"], "x", color="black", label="empty shelf")
    axes.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    axes.set(ylabel="units", title=f"{names['nombre_producto'][0]}\n{store['nombre_tienda'][0]}")
    axes.legend(frameon=False, ncols=4)


def draw_promotion(folder: Path, axes: Axes) -> None:
    """Units around the first day of promotions, over what is expected without one."""
    days, ratio = promotion_profile(read_panel(folder))
    axes.plot(days, ratio, marker=".", color=_COLOURS[1])
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set(xlabel="days since the promotion began (7 to 10 days long)", ylabel="units / expected")
    axes.set_title("Promotion: lift, and the dip after it")


def draw_prices(folder: Path, axes: Axes) -> None:
    """List prices of a vegetable and of rice in two zones, and the suppliers' costs of the rice."""
    sold = scan_sales(folder).filter(pl.col("formato") == "Supermercado")
    names = pl.read_parquet(folder / "productos.parquet")
    shown = (
        ("Jitomate", "Centro", _COLOURS[1], "-"),
        ("Arroz", "Centro", _COLOURS[0], "-"),
        ("Arroz", "Norte", _COLOURS[2], "--"),
    )
    for name, region, colour, line in shown:
        product = names.filter(pl.col("nombre_producto").str.starts_with(name))["producto_id"][0]
        daily = (
            sold.filter((pl.col("producto_id") == product) & (pl.col("region") == region))
            .group_by("fecha_venta")
            .agg(pl.first("precio_unitario"), pl.first("costo_unitario"))
            .sort("fecha_venta")
            .collect(engine="streaming")
            .with_columns(pl.col(pl.Decimal).cast(pl.Float64))
        )
        label = f"{name}, {region}"
        days, price = daily["fecha_venta"], daily["precio_unitario"]
        axes.step(days, price, line, where="post", color=colour, label=label, linewidth=1)
        if (name, region) == ("Arroz", "Centro"):
            cost = daily["costo_unitario"]
            axes.step(days, cost, where="post", color="grey", label="its cost", linewidth=1)
    axes.set(ylabel="pesos", title="List prices: every week, or when costs change; by zone")
    axes.legend(frameon=False, ncols=2)


def draw_elasticity(folder: Path, axes: Axes) -> None:
    """Elasticities found in the sales against the planted ones."""
    planted = read_planted(folder)["elasticity_by_product"]
    found = find_price_effects(read_published(folder))
    known = [number for number, error in found.error.items() if error < _WELL_KNOWN]
    told = np.array([planted[str(number)] for number in known])
    seen = np.array([found.elasticity[number] for number in known])
    error = np.array([found.error[number] for number in known])
    axes.errorbar(told, seen, yerr=error, fmt="o", color=_COLOURS[0], markersize=3, linewidth=0.7)
    axes.plot([told.min(), told.max()], [told.min(), told.max()], color="grey", linewidth=0.8)
    correlation = np.corrcoef(told, seen)[0, 1]
    axes.set(xlabel="planted", ylabel="found, with its standard error")
    axes.set_title(f"Own-price elasticity of {len(known)} products: correlation {correlation:.3f}")


def draw_suppliers(folder: Path, axes: Axes) -> None:
    """Days from the order to its delivery, of three suppliers."""
    orders = pl.read_parquet(folder / "pedidos" / "*.parquet").drop_nulls("fecha_entrega")
    products = pl.read_parquet(folder / "productos.parquet")
    for category, colour in zip(("Bebidas", "Abarrotes", "Electrónica"), _COLOURS, strict=False):
        names = products.filter(pl.col("categoria") == category)["proveedor"]
        supplier = sorted(names.mode().to_list())[0]
        mine = orders.filter(pl.col("proveedor") == supplier)
        days = (mine["fecha_entrega"] - mine["fecha_pedido"]).dt.total_days()
        share = np.bincount(days.to_numpy(), minlength=14)[:14] / len(days)
        axes.plot(np.arange(14), share, marker="o", color=colour, label=f"{supplier} ({category})")
    axes.set(xlabel="days from the order to the delivery", ylabel="share of the lines")
    axes.set_title("Suppliers: lead time, and what comes with the next delivery")
    axes.legend(frameon=False)


def draw_character(folder: Path, axes: Axes) -> None:
    """Share of the lines that each store sells at weekends, by format."""
    lines = (
        scan_sales(folder)
        .group_by("formato", "tienda_id")
        .agg((pl.col("fecha_venta").dt.weekday() > 5).mean().alias("share"), pl.len())
        .filter(pl.col("len") > 5_000)
        .collect(engine="streaming")
    )
    for name, colour in zip(FORMATS, _COLOURS, strict=True):
        share = lines.filter(pl.col("formato") == name)["share"].to_numpy()
        axes.hist(share, bins=24, range=(0.2, 0.45), color=colour, alpha=0.6, label=name)
    axes.set(xlabel="share of the lines on Saturday and Sunday", ylabel="stores")
    axes.set_title("Every store has its own week")
    axes.legend(frameon=False)


def _count(folder: Path, *keys: str | pl.Expr) -> pl.DataFrame:
    """Sale lines by the given keys."""
    return scan_sales(folder).group_by(*keys).len("lines").collect(engine="streaming")
