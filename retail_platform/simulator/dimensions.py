"""The slow tables as they are delivered: products, stores and promotions on the last day."""

from datetime import date

import numpy as np
import polars as pl

from retail_platform.simulator.arrays import Bools, Ints
from retail_platform.simulator.attributes import product_classes, store_areas
from retail_platform.simulator.parameters import (
    FORMATS,
    OPENING_ORDER_DAYS,
    REGIONS,
    UNITS,
)
from retail_platform.simulator.prices import ZONES, list_prices, unit_costs
from retail_platform.simulator.promotions import promotions_between
from retail_platform.simulator.tickets import EPOCH, dates, decimals
from retail_platform.simulator.world import World

_NATIONAL = (ZONES.index("centro"), FORMATS.index("Hipermercado"))
"""Zone and format whose list prices stand in the catalogue."""


def products_frame(world: World, end: date) -> pl.DataFrame:
    """Products that were launched or ordered up to ``end``, with that day's list price and cost."""
    products = world.products
    today = end.toordinal()
    index = np.flatnonzero(products.launch <= today + OPENING_ORDER_DAYS)
    day = np.array([today])
    price = list_prices(products, world.config.seed, day)[0, *_NATIONAL, index]
    category, subcategory = product_classes(world, end)
    cost = unit_costs(products, world.config.seed, day)[0, index]
    return pl.DataFrame(
        {
            "producto_id": pl.Series(products.product_id[index].astype(np.int32)),
            "sku": pl.Series(products.sku[index].tolist(), dtype=pl.String),
            "nombre_producto": pl.Series(products.name[index].tolist(), dtype=pl.String),
            "marca": pl.Series(products.brand[index].tolist(), dtype=pl.String),
            "categoria": pl.Series(category).gather(index),
            "subcategoria": pl.Series(subcategory).gather(index),
            "precio_lista": decimals(price / 100, 10, 2),
            "costo_unitario": decimals(cost / 100, 10, 2),
            "iva_pct": decimals(products.vat[index], 5, 2),
            "unidad_medida": pl.Series(UNITS, dtype=pl.String).gather(products.by_weight[index]),
            "piezas_por_caja": pl.Series(products.case[index].astype(np.int32)),
            "proveedor": pl.Series(
                world.suppliers.name[products.supplier[index]].tolist(), dtype=pl.String
            ),
            "fecha_lanzamiento": dates(products.launch[index]),
            "fecha_retiro": _past_dates(products.retire[index], today),
            "activo": pl.Series(_is_between(products.launch, products.retire, today)[index]),
        }
    )


def stores_frame(world: World, end: date) -> pl.DataFrame:
    """Stores that opened or ordered up to ``end``; later closings and works are not known yet."""
    stores = world.stores
    today = end.toordinal()
    index = np.flatnonzero(stores.opening <= today + OPENING_ORDER_DAYS)
    return pl.DataFrame(
        {
            "tienda_id": pl.Series(stores.store_id[index].astype(np.int32)),
            "codigo_tienda": pl.Series(stores.code[index].tolist(), dtype=pl.String),
            "nombre_tienda": pl.Series(stores.name[index].tolist(), dtype=pl.String),
            "cadena": pl.Series(stores.chain[index].tolist(), dtype=pl.String),
            "formato": pl.Series(FORMATS).gather(stores.format[index]),
            "region": pl.Series(REGIONS).gather(stores.region[index]),
            "gerencia": pl.Series(store_areas(world, end)).gather(index),
            "ciudad": pl.Series(stores.city[index].tolist(), dtype=pl.String),
            "estado": pl.Series(stores.state[index].tolist(), dtype=pl.String),
            "superficie_m2": pl.Series(stores.area[index].astype(np.int32)),
            "fecha_apertura": dates(stores.opening[index]),
            "fecha_cierre": _past_dates(stores.closing[index], today),
            "fecha_inicio_remodelacion": _past_dates(stores.works[index], today),
            "fecha_remodelacion": _past_dates(stores.remodel[index], today),
            "activo": pl.Series(_is_between(stores.opening, stores.closing, today)[index]),
        }
    )


def promotions_frame(world: World, end: date) -> pl.DataFrame:
    """Promotions between the first day of the world and ``end`` (those that have begun)."""
    start = world.config.start.toordinal()
    promotions = promotions_between(world.products, world.config.seed, start, end.toordinal())
    product = world.products.product_id[promotions.product]
    return pl.DataFrame(
        {
            "promocion_id": pl.Series(promotions.promotion_id.astype(np.int32)),
            "producto_id": pl.Series(product.astype(np.int32)),
            "formato": pl.Series(FORMATS).gather(promotions.format),
            "fecha_inicio": dates(promotions.first),
            "fecha_fin": dates(promotions.last),
            "descuento_pct": decimals(promotions.discount, 5, 2),
        }
    )


def _is_between(first: Ints, last: Ints, today: int) -> Bools:
    """Whether a day is in a life that goes on after it."""
    return (first <= today) & (last > today)


def _past_dates(ordinals: Ints, today: int) -> pl.Series:
    """Dates that have come; null for the others."""
    past = ordinals <= today
    days = np.where(past, ordinals, EPOCH)
    frame = pl.DataFrame({"day": dates(days), "past": past})
    return frame.select(pl.when("past").then("day")).to_series()
