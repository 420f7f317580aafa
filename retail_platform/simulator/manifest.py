"""The truth about a world: what was planted and what the delivered rows add up to."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from retail_platform.manifests import FileEntry
from retail_platform.settings import LATEST_END
from retail_platform.simulator.arrays import MILLI, Ints
from retail_platform.simulator.attributes import attribute_changes
from retail_platform.simulator.config import SimulatorError, WorldConfig
from retail_platform.simulator.demand import channel_shares
from retail_platform.simulator.fingerprint import model_fingerprint
from retail_platform.simulator.inventory import StockRows
from retail_platform.simulator.orders import Orders
from retail_platform.simulator.parameters import (
    CATEGORIES,
    CATEGORY,
    CHANNEL_RETURN_FACTOR,
    CHANNELS,
    CROSS_EFFECT,
    CROSS_EFFECTS,
    DAY_KINDS,
    ELECTRONICS_PRICE_DRIFT,
    EVENTS,
    FORMAT,
    FORMATS,
    GIFT_RETURN_FACTOR,
    GIFT_RETURN_LATE,
    INFLATION,
    INFLATION_LATER,
    OPENING_DAYS,
    OPENING_DIP,
    OPENING_HOURS,
    ORDER_MISSED,
    OUTAGE_DAYS,
    OUTAGE_PROBABILITY,
    PAYDAY,
    PAYDAY_BY_REGION,
    PRICE_CHANGE_SIGMA,
    PRICE_LAG_DAYS,
    PRICE_ZONES,
    PRODUCE_PRICE_WAVE,
    PROMO_DIP_DAYS,
    PROMO_DIP_MAX,
    PROMO_DIP_SHARE,
    REGION_DAY_MEMORY,
    REGION_DAY_SIGMA,
    REGIONS,
    REMODEL_LIFT,
    REMODEL_WORKS_FACTOR,
    RETURN_REASON_WEIGHTS,
    RETURN_REASONS,
    RETURN_RESTOCK,
    STORE_GROWTH_SIGMA,
    STORE_PART_SIGMA,
    STORE_WEEKEND_SIGMA,
    VOLUME_GROWTH,
    WEEKLY_PRICE_SIGMA,
)
from retail_platform.simulator.prices import cost_change_days
from retail_platform.simulator.returns import Returns
from retail_platform.simulator.tickets import Sales
from retail_platform.simulator.world import World

Totals = dict[str, dict[str, dict[str, int]]]
"""Whole numbers by table, month (``2024-01``) and measure; money in cents, units in thousandths."""
_CENTS = {"total_linea", "importe"}
_MILLI = {
    *("unidades", "entradas", "reingresos", "salidas", "merma"),
    *("unidades_pedidas", "unidades_recibidas"),
}


@dataclass
class Counters:
    """Sums over all days of what only the simulation knows.

    Attributes:
        pair_days: Days on which a store carried a product.
        empty_days: Those that ended with an empty shelf.
        wanted: Thousandths of a unit wanted.
        sold: Thousandths of a unit sold.
    """

    pair_days: int = 0
    empty_days: int = 0
    wanted: int = 0
    sold: int = 0


def sales_totals(sales: Sales) -> dict[str, int]:
    """Sums of sale lines of one month."""
    return {
        "filas": len(sales.ticket_id),
        "tickets": int((sales.line == 1).sum()),
        "filas_con_descuento": int((sales.discount > 0).sum()),
        "unidades": int(sales.quantity.sum()),
        "total_linea": int(sales.total.sum()),
    }


def returns_totals(returns: Returns) -> dict[str, int]:
    """Sums of returns of one month."""
    return {
        "filas": len(returns),
        "unidades": int(returns.quantity.sum()),
        "importe": int(returns.amount.sum()),
    }


def stock_totals(rows: StockRows) -> dict[str, int]:
    """Sums of stock rows of one month."""
    return {
        "filas": len(rows.pair),
        "entradas": int((rows.receipts + rows.restocked).sum()),
        "reingresos": int(rows.restocked.sum()),
        "salidas": int(rows.sold.sum()),
        "merma": int(rows.shrink.sum()),
    }


def orders_totals(orders: Orders) -> dict[str, int]:
    """Sums of order lines; nothing is received of them yet."""
    return {
        "filas": len(orders),
        "unidades_pedidas": int(orders.ordered.sum()),
        "unidades_recibidas": 0,
    }


def add_totals(totals: Totals, table: str, month: date, more: dict[str, int]) -> None:
    """Add the sums of a part of a month to ``totals``, in place."""
    entry = totals.setdefault(table, {}).setdefault(f"{month:%Y-%m}", {})
    for name, value in more.items():
        entry[name] = entry.get(name, 0) + value


def write_manifest(
    path: Path,
    world: World,
    end: date,
    rows: dict[str, int],
    files: dict[str, FileEntry],
    totals: Totals,
    counters: Counters,
) -> None:
    """Write the manifest; it holds no clock time, so the same world gives the same bytes."""
    config = world.config
    document = {
        "world": {
            "seed": config.seed,
            "scale": config.scale,
            "start": config.start.isoformat(),
            "end": end.isoformat(),
            "daily_stock_from": config.daily_stock_from.isoformat(),
            "dirty": 0.0,
            "model": model_fingerprint(),
        },
        "planted": _planted(world, end),
        "rows": rows,
        "files": files,
        "totals": {
            table: {month: _readable(entry) for month, entry in months.items()}
            for table, months in totals.items()
        },
        "observed": {
            "pair_days": counters.pair_days,
            "empty_days": counters.empty_days,
            "stock_out_rate": _ratio(counters.empty_days, counters.pair_days),
            "unidades_pedidas": _decimal(counters.wanted, MILLI),
            "unidades_vendidas": _decimal(counters.sold, MILLI),
            "lost_units_share": _ratio(counters.wanted - counters.sold, counters.wanted),
        },
        "defects": [],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Manifest:
    """What is needed of a manifest to continue its world.

    Attributes:
        config: Identity of the world.
        end: Last day delivered.
        model: Fingerprint of the simulator that made it.
        files: Every file of the world, by its name in the folder.
        totals: Sums of the rows delivered.
        counters: Sums that only the simulation knows.
        is_dirty: Whether defects were planted.
    """

    config: WorldConfig
    end: date
    model: str
    files: dict[str, FileEntry]
    totals: Totals
    counters: Counters
    is_dirty: bool

    def check_continuable(self, end: date) -> None:
        """Refuse to continue the world where the result would not be as if made at once.

        Raises:
            SimulatorError: With the reason.
        """
        again = "generate it again without --append"
        if end <= self.end:
            raise SimulatorError(f"the world ends on {self.end} already; append to a later day")
        if end > LATEST_END:
            raise SimulatorError(f"end date is {end}; allowed: up to {LATEST_END}")
        if self.model != model_fingerprint():
            raise SimulatorError(f"the world is of another version of the simulator; {again}")
        if self.is_dirty:
            raise SimulatorError(f"the world has planted defects and cannot grow; {again}")


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        SimulatorError: There is no manifest, or it is not one of this program.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _parse(document)
    except FileNotFoundError as error:
        raise SimulatorError(
            f"no complete world in {path.parent} to append to; generate one without --append first"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SimulatorError(f"{path} is not a manifest of this simulator: {error}") from error


def _parse(document: dict[str, Any]) -> Manifest:
    world, observed = document["world"], document["observed"]
    config = WorldConfig(
        world["seed"],
        world["scale"],
        date.fromisoformat(world["start"]),
        date.fromisoformat(world["daily_stock_from"]),
    )
    totals: Totals = {
        table: {
            month: {name: _whole(name, value) for name, value in entry.items()}
            for month, entry in months.items()
        }
        for table, months in document["totals"].items()
    }
    counters = Counters(
        observed["pair_days"],
        observed["empty_days"],
        int(Decimal(observed["unidades_pedidas"]) * MILLI),
        int(Decimal(observed["unidades_vendidas"]) * MILLI),
    )
    end = date.fromisoformat(world["end"])
    return Manifest(
        config,
        end,
        world["model"],
        document.get("files", {}),
        totals,
        counters,
        is_dirty=bool(document["defects"]),
    )


def _planted(world: World, end: date) -> dict[str, Any]:
    """The parameters that an analysis of the data should find again."""
    days = np.arange(world.config.start.toordinal(), end.toordinal() + 1)
    shares = channel_shares(days[[0, -1]], world.config.start.toordinal())
    return {
        **_planted_prices(world, end),
        **_planted_supply(world),
        "affinities": _affinities(world),
        **_planted_calendar(world, days),
        **_planted_stores(world, end),
        "returns": _planted_returns(),
        "long_tail_exponent_by_category": {
            name: CATEGORY[name].popularity_exponent for name in CATEGORIES
        },
        "opening": {"dip": OPENING_DIP, "days": OPENING_DAYS},
        "remodelling": {"works_factor": REMODEL_WORKS_FACTOR, "lift": REMODEL_LIFT},
        "events": [asdict(window) for window in EVENTS],
        "lines_per_ticket_by_format": {name: FORMAT[name].lines_per_ticket for name in FORMATS},
        "channel_share_first_and_last_day": {
            name: [round(float(x), 4) for x in shares[:, index]]
            for index, name in enumerate(CHANNELS)
        },
    }


def _planted_prices(world: World, end: date) -> dict[str, Any]:
    """What moves prices, and what they move."""
    products, start = world.products, world.config.start
    years = range(start.year, end.year + 1)
    return {
        "elasticity_by_product": {
            str(number): round(float(value), 4)
            for number, value in zip(products.product_id, products.elasticity, strict=True)
        },
        "elasticity_by_category": {name: CATEGORY[name].elasticity for name in CATEGORIES},
        "cross_effect_by_subcategory": {
            name: CROSS_EFFECTS.get(name, CROSS_EFFECT)
            for name in dict.fromkeys(products.subcategory.tolist())
        },
        "price_zones": {name: asdict(zone) for name, zone in PRICE_ZONES.items()},
        "price_changes": {
            "cost_change_days": {
                f"{supplier}": [
                    date.fromordinal(int(day)).isoformat()
                    for year in years
                    for day in dict.fromkeys(cost_change_days(world.config.seed, year)[:, index])
                    if start.toordinal() <= day <= end.toordinal()
                ]
                for index, supplier in enumerate(world.suppliers.name)
            },
            "price_lag_days": PRICE_LAG_DAYS,
            "price_sigma": PRICE_CHANGE_SIGMA,
            "produce_wave": PRODUCE_PRICE_WAVE,
            "produce_sigma": WEEKLY_PRICE_SIGMA,
        },
        "inflation": {year: INFLATION.get(year, INFLATION_LATER) for year in years},
        "electronics_price_drift": ELECTRONICS_PRICE_DRIFT,
        "promotion_dip": {
            "days": PROMO_DIP_DAYS,
            "share_of_lift": PROMO_DIP_SHARE,
            "max": PROMO_DIP_MAX,
        },
    }


def _planted_supply(world: World) -> dict[str, Any]:
    """What comes late, in part or not at all, and what is lost in the store."""
    return {
        "suppliers": {
            name: {"lead_days": int(lead), "late_share": late, "complete_share": complete}
            for name, lead, late, complete in zip(
                world.suppliers.name,
                world.suppliers.lead,
                world.suppliers.late.tolist(),
                world.suppliers.complete.tolist(),
                strict=True,
            )
        },
        "order_missed_share": ORDER_MISSED,
        "supplier_outages": {"per_month": OUTAGE_PROBABILITY, "days": OUTAGE_DAYS},
        "shrink_per_day_by_category": {name: CATEGORY[name].shrink_per_day for name in CATEGORIES},
    }


def _affinities(world: World) -> list[dict[str, Any]]:
    """Products that are bought because of another."""
    products = world.products
    return [
        {
            "producto_id": int(products.product_id[index]),
            "con_producto_id": int(products.product_id[products.complement[index]]),
            "probability": float(products.complement_probability[index]),
        }
        for index in np.flatnonzero(products.complement >= 0)
    ]


def _planted_calendar(world: World, days: Ints) -> dict[str, Any]:
    """What months, weekdays, paydays and hours do to demand."""
    return {
        "season_index_by_category_and_month": _season_index(world, days),
        "weekday_index_by_format": {
            name: (np.array(FORMAT[name].weekday) / np.mean(FORMAT[name].weekday)).round(4).tolist()
            for name in FORMATS
        },
        "payday_extra_by_day_of_month": {str(day): extra for day, extra in PAYDAY.items()},
        "payday_factor_by_region": dict(zip(REGIONS, PAYDAY_BY_REGION, strict=True)),
        "region_day": {"sigma": REGION_DAY_SIGMA, "memory": REGION_DAY_MEMORY},
        "opening_hours_by_format": {
            name: dict(zip(DAY_KINDS, OPENING_HOURS[name], strict=True)) for name in FORMATS
        },
    }


def _planted_stores(world: World, end: date) -> dict[str, Any]:
    """The stores' character, and what changes of it."""
    return {
        "stores": _stores(world, end),
        "attribute_changes": [
            asdict(change) | {"day": change.day.isoformat()}
            for change in attribute_changes(world, end)
        ],
        "store_spread": {
            "growth": [VOLUME_GROWTH, STORE_GROWTH_SIGMA],
            "log_weekend": STORE_WEEKEND_SIGMA,
            "log_part_of_day": STORE_PART_SIGMA,
        },
    }


def _planted_returns() -> dict[str, Any]:
    """What is brought back, why and when."""
    return {
        "rate_by_category": {name: CATEGORY[name].return_rate for name in CATEGORIES},
        "channel_factor": dict(zip(CHANNELS, CHANNEL_RETURN_FACTOR, strict=True)),
        "reasons": RETURN_REASONS,
        "reason_weights_by_category": RETURN_REASON_WEIGHTS,
        "restocked_by_reason": RETURN_RESTOCK,
        "gift_factor": GIFT_RETURN_FACTOR,
        "gift_late_share": GIFT_RETURN_LATE,
    }


def _stores(world: World, end: date) -> dict[str, dict[str, Any]]:
    """Character of the stores that have opened, by id."""
    stores = world.stores
    return {
        str(stores.store_id[index]): {
            "lines_per_day": round(float(stores.lines_per_day[index]), 3),
            "growth": round(float(stores.growth[index]), 4),
            "weekend_share": round(float(stores.weekday[5:, index].sum() / 7), 4),
            "part_of_day": stores.part[index].round(4).tolist(),
        }
        for index in np.flatnonzero(stores.opening <= end.toordinal())
    }


def _season_index(world: World, days: Ints) -> dict[str, list[float]]:
    """Mean demand factor of each month over the mean of the year, events and paydays included."""
    factor = world.calendar.categories(days)
    months = np.array([date.fromordinal(int(day)).month for day in days])
    mean = factor.mean(axis=0)
    return {
        name: [
            round(float(factor[months == month, index].mean() / mean[index]), 4)
            for month in sorted(set(months.tolist()))
        ]
        for index, name in enumerate(CATEGORIES)
    }


def _readable(entry: dict[str, int]) -> dict[str, int | str]:
    return {
        name: _decimal(value, _unit(name)) if _unit(name) > 1 else value
        for name, value in entry.items()
    }


def _unit(name: str) -> int:
    return 100 if name in _CENTS else MILLI if name in _MILLI else 1


def _whole(name: str, value: int | str) -> int:
    return int(Decimal(value) * _unit(name))


def _decimal(value: int, unit: int) -> str:
    places = len(str(unit)) - 1
    return f"{Decimal(value).scaleb(-places):.{places}f}"


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
