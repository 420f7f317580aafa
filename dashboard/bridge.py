"""Price, volume and mix: what made the sales of a group of products change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dashboard.data import Row

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Effects:
    """Parts of a change, which add up to it to the cent.

    Attributes:
        volume: More or fewer units, at the old mean price.
        mix: Dearer or cheaper products among them.
        price: Other prices of the same products.
        new: Products that were not sold before.
        gone: Products that are not sold any more, negative.
        returned: What came back more, negative, or less.
    """

    volume: Decimal
    mix: Decimal
    price: Decimal
    new: Decimal
    gone: Decimal
    returned: Decimal


def effects(products: Sequence[Row]) -> Effects:
    """The parts of the change of ``ventas_netas`` (definitions: docs/dashboard.md).

    Units and kilograms are never added: goods by weight (``es_a_granel``) are a group of their own.

    Args:
        products: Rows with unidades, ventas_sin_iva, devoluciones_sin_iva, the same before
            (``_antes``), es_a_granel.
    """
    parts = [_of_group([row for row in products if row["es_a_granel"] == kind]) for kind in (0, 1)]
    exact = [sum(values, Decimal(0)) for values in zip(*parts, strict=True)]
    change = _change(products, "ventas_sin_iva") - _change(products, "devoluciones_sin_iva")
    exact.append(-_change(products, "devoluciones_sin_iva"))
    rounded = [value.quantize(_CENT) for value in exact]
    # The difference of rounding goes to the largest part.
    largest = max(range(len(rounded)), key=lambda index: abs(rounded[index]))
    rounded[largest] += change - sum(rounded)
    return Effects(*rounded)


def _change(rows: Iterable[Row], key: str) -> Decimal:
    return sum((row[key] - row[f"{key}_antes"] for row in rows), Decimal(0))


def _of_group(rows: Iterable[Row]) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
    both, new, gone = [], Decimal(0), Decimal(0)
    for row in rows:
        if row["unidades"] > 0 and row["unidades_antes"] > 0:
            both.append(row)
        elif row["unidades_antes"] > 0:
            gone += _change([row], "ventas_sin_iva")
        else:
            new += _change([row], "ventas_sin_iva")
    units, before = (
        sum((row[key] for row in both), Decimal(0)) for key in ("unidades", "unidades_antes")
    )
    if not both:
        return Decimal(0), Decimal(0), Decimal(0), new, gone
    old = sum((row["ventas_sin_iva_antes"] for row in both), Decimal(0))
    sales = sum((row["ventas_sin_iva"] for row in both), Decimal(0))
    at_old_prices = sum(
        (row["unidades"] * row["ventas_sin_iva_antes"] / row["unidades_antes"] for row in both),
        Decimal(0),
    )
    grown = old * units / before
    return grown - old, at_old_prices - grown, sales - at_old_prices, new, gone
