"""The planted parameters: every figure of the world that is a choice, with its source.

Sources: [F] Favorita groceries, secondary analysis (weekend +34 %, payday +11 %, December +30 %,
promotion +75 %, top 20 % of items = 58 % of sales); [G] Gruen & Corsten 2008 (8.3 % out of stock,
4 % of sales lost, 75 % of the causes in the store); [W] Walmex reports (gross margin 24 %, growing
online share); [B] Bijmolt et al. 2005 (price elasticity of brands about -2.6); [C] convenience
baskets of about three products, few above five; [I] INEGI consumer prices, December to December;
[J] judgement.
Details and links: ``docs/simulator.md``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

REFERENCE: Final = Path(__file__).parent / "reference"
"""Lists of names and days; those that the database uses as well are links to dbt's seeds."""

CATEGORIES: Final = (
    "Abarrotes",
    "Bebidas",
    "Lácteos",
    "Carnes y Pescados",
    "Frutas y Verduras",
    "Limpieza",
    "Cuidado Personal",
    "Electrónica",
)
FORMATS: Final = ("Hipermercado", "Supermercado", "Express", "Conveniencia")
CHANNELS: Final = ("tienda", "online", "app")
UNITS: Final = ("pieza", "kg")
"""Units of measure: of pieces and of goods by weight."""
REGIONS: Final = ("Norte", "Noroeste", "Occidente", "Bajío", "Centro", "Sureste")

STORES_FULL_SCALE: Final = 325
LINES_PER_DAY_FULL_SCALE: Final = 8150.0
"""Lines wanted a day by a mature chain: 13 M in five years, a ticket sample of about 1 %."""


@dataclass(frozen=True)
class CategoryParameters:
    """How a category sells, by [J] unless said otherwise.

    Attributes:
        popularity_exponent: Sales of the product of rank r are proportional to r ** -exponent [F].
        margin: Gross margin of the list price before VAT; 24 % over all [W].
        elasticity: Mean own-price elasticity of a product's units, absolute value [B].
        mean_units: Mean units (or kg) of a line.
        shrink_per_day: Share of the stock lost each day.
        return_rate: Share of the lines sold in a store that come back.
        season_amplitude: Amplitude of the smooth annual wave of log demand.
        season_peak_day: Day of the year at its crest.
    """

    popularity_exponent: float
    margin: float
    elasticity: float
    mean_units: float
    shrink_per_day: float
    return_rate: float
    season_amplitude: float
    season_peak_day: int


CATEGORY: Final = {
    "Abarrotes": CategoryParameters(0.85, 0.21, 2.3, 1.35, 0.0003, 0.003, 0.06, 350),
    "Bebidas": CategoryParameters(0.90, 0.25, 2.6, 1.70, 0.0003, 0.002, 0.13, 150),
    "Lácteos": CategoryParameters(0.90, 0.22, 2.2, 1.35, 0.0007, 0.003, 0.03, 350),
    "Carnes y Pescados": CategoryParameters(0.80, 0.26, 2.8, 1.15, 0.0026, 0.002, 0.08, 355),
    "Frutas y Verduras": CategoryParameters(0.70, 0.33, 2.0, 1.40, 0.0033, 0.002, 0.04, 120),
    "Limpieza": CategoryParameters(0.80, 0.27, 2.5, 1.20, 0.0002, 0.004, 0.02, 350),
    "Cuidado Personal": CategoryParameters(0.80, 0.31, 2.4, 1.15, 0.0003, 0.006, 0.03, 340),
    "Electrónica": CategoryParameters(0.90, 0.20, 2.9, 1.03, 0.0002, 0.035, 0.22, 345),
}
PERISHABLE: Final = ("Lácteos", "Carnes y Pescados", "Frutas y Verduras")
ELASTICITY_SPREAD: Final = 0.35
"""Half-width, relative, of the spread of products around their category's mean elasticity."""


@dataclass(frozen=True)
class FormatParameters:
    """How a format sells.

    Attributes:
        stores: Share of the stores of the full chain [J].
        lines_per_day: Relative volume of a store, in lines.
        lines_per_ticket: Mean lines drawn for a ticket, before repeated products are merged [C].
        basket_dispersion: Shape of the gamma that mixes basket sizes; large means little spread.
        units_factor: Factor on the mean units beyond the first.
        price_factor: List price relative to the national one.
        level: Highest assortment level (``nivel`` of the catalogue) that the format carries.
        weekday: Relative demand from Monday to Sunday: weekends for the weekly shop [F], weekdays
            for convenience (71 % of visits).
        online_factor: Online and app share relative to the chain's.
        category_share: Share of lines per category, in the order of ``CATEGORIES``.
        delivery_days: Weekdays on which goods that keep arrive in the first store, 0 = Monday; each
            further store's are a day later.
    """

    stores: float
    lines_per_day: float
    lines_per_ticket: float
    basket_dispersion: float
    units_factor: float
    price_factor: float
    level: int
    weekday: tuple[float, ...]
    online_factor: float
    category_share: tuple[float, ...]
    delivery_days: tuple[int, ...]


FORMAT: Final = {
    "Hipermercado": FormatParameters(
        0.123,
        66.0,
        11.5,
        3.0,
        1.5,
        1.00,
        4,
        (0.86, 0.86, 0.86, 0.90, 1.10, 1.26, 1.18),
        1.25,
        (0.25, 0.14, 0.13, 0.11, 0.14, 0.11, 0.09, 0.03),
        (0, 2, 4),
    ),
    "Supermercado": FormatParameters(
        0.262,
        33.0,
        7.6,
        3.0,
        1.2,
        1.02,
        3,
        (0.88, 0.87, 0.88, 0.91, 1.09, 1.23, 1.16),
        1.10,
        (0.26, 0.14, 0.14, 0.12, 0.17, 0.09, 0.07, 0.01),
        (0, 3),
    ),
    "Express": FormatParameters(
        0.246,
        14.0,
        4.2,
        5.0,
        0.9,
        1.05,
        2,
        (0.95, 0.94, 0.95, 0.97, 1.08, 1.10, 1.01),
        0.95,
        (0.28, 0.23, 0.15, 0.07, 0.11, 0.08, 0.07, 0.01),
        (0, 3),
    ),
    "Conveniencia": FormatParameters(
        0.369,
        7.0,
        2.7,
        50.0,
        0.6,
        1.10,
        1,
        (1.00, 1.00, 1.01, 1.03, 1.13, 1.00, 0.83),
        0.80,
        (0.30, 0.46, 0.09, 0.02, 0.03, 0.04, 0.04, 0.02),
        (0, 3),
    ),
}
PERISHABLE_DELIVERY_DAYS: Final = (0, 2, 4, 5)
ELECTRONICS_DELIVERY_DAYS: Final = (1,)
"""The same of perishables and electronics, in every format [J]."""


@dataclass(frozen=True)
class SupplierParameters:
    """How a supplier delivers [J].

    Attributes:
        lead_days: Days from an order to the delivery that it is promised for.
        late_share: Share of the orders that come with the store's next delivery instead.
        complete_share: Share of the order lines of which every case comes.
    """

    lead_days: int
    late_share: float
    complete_share: float


SUPPLIERS: Final = {
    "Abarrotes": (
        SupplierParameters(2, 0.05, 0.96),
        SupplierParameters(3, 0.12, 0.92),
        SupplierParameters(4, 0.18, 0.88),
    ),
    "Bebidas": (
        SupplierParameters(1, 0.04, 0.97),
        SupplierParameters(2, 0.10, 0.93),
        SupplierParameters(3, 0.16, 0.89),
    ),
    "Lácteos": (SupplierParameters(1, 0.05, 0.95), SupplierParameters(2, 0.12, 0.90)),
    "Carnes y Pescados": (SupplierParameters(1, 0.06, 0.94), SupplierParameters(2, 0.15, 0.87)),
    "Frutas y Verduras": (SupplierParameters(1, 0.08, 0.92), SupplierParameters(2, 0.14, 0.85)),
    "Limpieza": (SupplierParameters(3, 0.08, 0.95), SupplierParameters(4, 0.15, 0.90)),
    "Cuidado Personal": (SupplierParameters(3, 0.10, 0.94), SupplierParameters(5, 0.20, 0.88)),
    "Electrónica": (SupplierParameters(4, 0.10, 0.93), SupplierParameters(6, 0.25, 0.86)),
}
CASE_PIECES: Final = {
    "Abarrotes": (10, 12, 16),
    "Bebidas": (10, 12, 18),
    "Lácteos": (16, 20, 24),
    "Carnes y Pescados": (14, 16, 18),
    "Frutas y Verduras": (16, 18, 20),
    "Limpieza": (20, 24, 30),
    "Cuidado Personal": (20, 24, 30),
    "Electrónica": (8, 10, 12),
}
"""Pieces of a case, or kilograms of goods by weight; a product has one of these [J]. They are inner
packs: the tickets are a sample, and so are the orders. Where the scale makes stores smaller, cases
are smaller too."""
OPENING_ORDER_DAYS: Final = 7
"""A store's first stock of a product is ordered this many days before it sells it [J]."""
ORDER_MISSED: Final = 0.15
"""Share of the ordering days on which nobody in the store sees that a product is needed [G]."""

REGION_SHARE: Final = (0.18, 0.11, 0.18, 0.14, 0.28, 0.11)
BASE_CELLS: Final = (
    ("Norte", "Hipermercado"),
    ("Norte", "Supermercado"),
    ("Noroeste", "Supermercado"),
    ("Noroeste", "Conveniencia"),
    ("Occidente", "Hipermercado"),
    ("Occidente", "Express"),
    ("Bajío", "Express"),
    ("Bajío", "Conveniencia"),
    ("Centro", "Supermercado"),
    ("Centro", "Conveniencia"),
    ("Sureste", "Express"),
    ("Sureste", "Hipermercado"),
)
"""The stores of the smallest chain: every region and every format, and a hypermarket in Norte."""
CHAIN_OF_FORMAT: Final = {
    "Hipermercado": "HyperMarket",
    "Supermercado": "Supermercado",
    "Express": "Express24",
    "Conveniencia": "TiendaRápida",
}
SECOND_CHAIN_OF_FORMAT: Final = {
    "Hipermercado": "HyperMarket",
    "Supermercado": "HyperMarket",
    "Express": "Supermercado",
    "Conveniencia": "Express24",
}
SECOND_CHAIN_EVERY: Final = 6
"""Beyond the smallest chain, every sixth store of a format belongs to the second chain [J]."""

INFLATION: Final = {
    2010: 4.40,
    2011: 3.82,
    2012: 3.57,
    2013: 3.97,
    2014: 4.08,
    2015: 2.13,
    2016: 3.36,
    2017: 6.77,
    2018: 4.83,
    2019: 2.83,
    2020: 3.15,
    2021: 7.36,
    2022: 7.82,
    2023: 4.66,
    2024: 4.21,
}
"""Consumer prices of the year, per cent, December to December [I]."""
INFLATION_LATER: Final = 3.8
PRICE_BASE_YEAR: Final = 2024
COST_CHANGE_WINDOWS: Final = ((9, 110), (180, 270), (290, 340))
"""Days of the year between which a supplier changes its costs, once in each window [J]."""
COST_THIRD_CHANGE: Final = 0.4
"""Share of the suppliers and years with a change in the last window [J]."""
COST_CHANGE_SIGMA: Final = 0.01
PRICE_LAG_DAYS: Final = (3, 22)
"""Shelf prices follow a change of costs this many days later, by zone and product [J]."""
PRICE_CHANGE_SIGMA: Final = 0.05
"""A price is set around its index with this log deviation, by zone and product [J]."""
PRODUCE_PRICE_WAVE: Final = 0.15
WEEKLY_PRICE_SIGMA: Final = 0.06
"""Fresh produce: amplitude of the log price over the year, and its deviation from week to week by
zone [J]."""


@dataclass(frozen=True)
class ZoneParameters:
    """Where prices are set together.

    Attributes:
        regions: Regions of the zone.
        factor: List price relative to the national one [J].
    """

    regions: tuple[str, ...]
    factor: float


PRICE_ZONES: Final = {
    "frontera": ZoneParameters(("Norte", "Noroeste"), 1.03),
    "centro": ZoneParameters(("Occidente", "Bajío", "Centro"), 1.00),
    "sur": ZoneParameters(("Sureste",), 0.96),
}
CROSS_EFFECT: Final = 0.6
"""Units rise by this power of the others' mean price in the subcategory: cannibalisation [J]."""
CROSS_EFFECTS: Final = {
    "Botanas": -0.4,
    "Cabello": -0.5,
    "Pastas y Sopas": -0.4,
    "Lavandería": -0.5,
    "Bebé": -0.4,
}
"""Subcategories whose products are bought together: what is cheap sells the others (halo) [J]."""
ELECTRONICS_PRICE_DRIFT: Final = -1.5
"""Electronics become cheaper: per cent a year [J]."""

VOLUME_GROWTH: Final = 0.02
"""Growth of a mature store's volume per year [J]; 4-6 % like for like is mostly prices [W]."""
STORE_GROWTH_SIGMA: Final = 0.02
STORE_WEEKEND_SIGMA: Final = 0.10
STORE_PART_SIGMA: Final = 0.15
"""Spread of the stores: growth a year, log demand of the weekend, log demand of a part of the day
[J]."""
PAYDAY: Final = {15: 0.11, 16: 0.07, 17: 0.03, -1: 0.11, 1: 0.12, 2: 0.06}
"""Extra demand by day of month, -1 = last; +11 % on paydays, more on the first [F]."""
PAYDAY_BY_REGION: Final = (1.3, 1.1, 1.0, 1.0, 0.9, 0.6)
"""Extra demand of paydays relative to the country's, in the order of ``REGIONS`` [J]."""
STORE_DAY_SIGMA: Final = 0.08
REGION_DAY_SIGMA: Final = 0.05
REGION_DAY_MEMORY: Final = 0.7
"""Weather and the like: log demand of a region deviates, and keeps this share overnight [J]."""
PAIR_DAY_GAMMA_SHAPE: Final = 3.0
"""Gamma shape of a product's day in a store: counts are overdispersed [F, M5]."""
LOCAL_TASTE_SIGMA: Final = 0.35
REGION_TASTE_SIGMA: Final = 0.20

CHANNEL_START: Final = (0.0920, 0.0090)
CHANNEL_SLOPE: Final = (0.0138, 0.0074)
CHANNEL_CAP: Final = (0.22, 0.09)
"""Online and app share of tickets: at the start, gain per year, ceiling. They are 12 and 3 % over
five years [W]."""
CHANNEL_BASKET: Final = (1.0, 1.10, 0.95)
CHANNEL_RETURN_FACTOR: Final = (1.0, 4.0, 4.0)

OPENING_SHARE_LATE: Final = 0.12
CLOSING_SHARE: Final = 0.09
REMODEL_SHARE: Final = 0.45
OPENING_DIP: Final = 0.40
OPENING_DAYS: Final = 200.0
"""A new store sells 40 % less at first; the gap closes with a time constant of 200 days [J]."""
REMODEL_WORKS_DAYS: Final = (14, 46)
REMODEL_WORKS_FACTOR: Final = 0.7
REMODEL_LIFT: Final = 1.06
LATE_LAUNCH_SHARE: Final = 0.12
RETIRE_SHARE: Final = 0.12
BEGIN_WINDOW_DAYS: Final = (60, 1800)
END_WINDOW_DAYS: Final = (60, 5300)
LATER_WINDOW_DAYS: Final = (1840, 3650)
"""Days after the start between which stores open and products are launched; stores close or are
rebuilt and products retire; and as many stores open again, when the five years are over."""

AREAS_PER_REGION: Final = 3
AREA_MOVE_SHARE: Final = 0.02
"""Areas of a region's managers, and the share of the stores that moves to another one in a quarter
of a year [J]."""
RECLASSIFIED: Final = (
    ("Flan de vainilla", 500, "Abarrotes", "Galletas y Dulces"),
    ("Veladora", 1100, "Abarrotes", "Básicos"),
    ("Gelatina de leche", 1700, "Abarrotes", "Galletas y Dulces"),
    ("Bolsas para basura", 2300, "Abarrotes", "Básicos"),
)
"""Products that the catalogue moves, so many days after the start, to a category and subcategory
[J]. Customers do not notice."""

PROMO_DISCOUNTS: Final = (10, 15, 20, 25, 30)
PROMO_DISCOUNT_WEIGHTS: Final = (0.15, 0.25, 0.30, 0.20, 0.10)
PROMO_PROBABILITY: Final = 0.19
PROMO_GROUPS: Final = 3
PROMO_DIP_DAYS: Final = 7
PROMO_DIP_SHARE: Final = 0.20
PROMO_DIP_MAX: Final = 0.30
"""After a promotion pantries are full: a week sells less by 20 % of the lift, at most 30 %."""

STOCK_OUT_TARGET: Final = ((0.05, 0.105), (0.5, 0.065), (5.0, 0.015))
"""Probability of an empty shelf that the order-up-to level accepts, by units a day (logarithmic
between the points): best sellers are guarded better. Supply failures come on top [G]."""
SAFETY_DISPERSION: Final = 2.0
"""Variance of the units wanted in a protection interval over their mean, as planners assume it."""
OUTAGE_PROBABILITY: Final = 0.06
OUTAGE_DAYS: Final = (4, 14)
"""A supplier fails a region with a product: probability per month, length in days."""

RETURN_DAYS: Final = 30
RETURN_PARTIAL: Final = 0.25
"""Share of the returns of several pieces that bring back only some of them [J]."""
RETURN_REASONS: Final = (
    "Defectuoso",
    "No era lo esperado",
    "Error en el pedido",
    "Caducado",
    "Cambio de opinión",
)
RETURN_REASON_WEIGHTS: Final = {
    "Abarrotes": ((0.45, 0.15, 0.05, 0.15, 0.20), (0.25, 0.15, 0.40, 0.10, 0.10)),
    "Bebidas": ((0.40, 0.20, 0.05, 0.10, 0.25), (0.30, 0.15, 0.40, 0.05, 0.10)),
    "Lácteos": ((0.30, 0.10, 0.05, 0.55, 0.00), (0.25, 0.10, 0.30, 0.35, 0.00)),
    "Carnes y Pescados": ((0.35, 0.15, 0.00, 0.50, 0.00), (0.30, 0.20, 0.20, 0.30, 0.00)),
    "Frutas y Verduras": ((0.40, 0.25, 0.00, 0.35, 0.00), (0.30, 0.35, 0.15, 0.20, 0.00)),
    "Limpieza": ((0.45, 0.25, 0.05, 0.00, 0.25), (0.30, 0.20, 0.35, 0.00, 0.15)),
    "Cuidado Personal": ((0.25, 0.40, 0.05, 0.05, 0.25), (0.20, 0.40, 0.25, 0.00, 0.15)),
    "Electrónica": ((0.45, 0.25, 0.05, 0.00, 0.25), (0.30, 0.40, 0.15, 0.00, 0.15)),
}
"""Reasons of goods bought in a store and outside it [J]."""
RETURN_RESTOCK: Final = {
    "Defectuoso": 0.0,
    "No era lo esperado": 0.6,
    "Error en el pedido": 0.9,
    "Caducado": 0.0,
    "Cambio de opinión": 0.8,
}
"""Share of the returned goods that keep which goes back to the shelf; of perishables nothing does
[J]."""
GIFT_FROM: Final = (12, 12)
GIFT_UNTIL: Final = (12, 24)
GIFT_RETURN_FACTOR: Final = {"Electrónica": 2.0, "Cuidado Personal": 2.0}
GIFT_RETURN_LATE: Final = 0.7
GIFT_RETURN_DAYS: Final = 16
"""Presents of these days come back more often, and this share of them in the days from 26 December
on [J]."""

AFFINITIES: Final = (
    ("Hojuelas de maíz", "Leche entera", 0.35),
    ("Café soluble", "Azúcar estándar", 0.30),
    ("Pasta espagueti", "Puré de tomate", 0.40),
    ("Pan de caja blanco", "Jamón de pierna", 0.25),
    ("Papas fritas", "Refresco de cola", 0.25),
    ("Champú", "Acondicionador", 0.35),
    ("Pañales etapa 4", "Toallitas húmedas", 0.40),
    ("Detergente en polvo", "Suavizante de telas", 0.30),
    ("Tequila reposado", "Refresco de toronja", 0.35),
    ("Carne molida de res", "Chile serrano", 0.25),
    ("Tortillas de harina", "Queso Oaxaca", 0.25),
    ("Cerveza clara", "Cacahuates japoneses", 0.20),
)
"""Who takes the first product adds the second with this probability [J]."""


@dataclass(frozen=True)
class EventWindow:
    """Days around a holiday on which demand is multiplied.

    Attributes:
        holiday: Name in ``seeds/festivos.csv``.
        days_before: First day of the window, in days before the holiday.
        days_until: Last day of the window, in days before the holiday; 0 is the holiday itself.
        factor: Factor on all categories at the end of the window; it grows linearly up to there.
        categories: Factors of single categories instead of ``factor``.
        ramp: Whether the factor grows over the window; else it is the same on each of its days.
    """

    holiday: str
    days_before: int
    days_until: int
    factor: float
    categories: tuple[tuple[str, float], ...] = ()
    ramp: bool = False


_BUEN_FIN = (("Electrónica", 2.6), ("Limpieza", 1.25), ("Cuidado Personal", 1.25))
EVENTS: Final = (
    EventWindow(
        "Nochebuena", 20, 0, 1.62, (("Electrónica", 1.75), ("Carnes y Pescados", 1.80)), ramp=True
    ),
    EventWindow("Navidad", 0, 0, 0.45),
    EventWindow("Víspera de Año Nuevo", 4, 0, 1.45, (("Bebidas", 1.7),), ramp=True),
    EventWindow("Año Nuevo", 0, 0, 0.45),
    EventWindow("Día de Reyes", 4, 1, 1.03, (("Electrónica", 1.5),)),
    EventWindow("Día de Reyes", -1, -45, 0.90, (("Electrónica", 0.85),)),
    EventWindow("Día del Amor y la Amistad", 1, 0, 1.04),
    EventWindow(
        "Viernes Santo", 5, 0, 1.08, (("Bebidas", 1.30), ("Carnes y Pescados", 0.92)), ramp=True
    ),
    EventWindow("Sábado Santo", 0, 0, 1.08, (("Bebidas", 1.30),)),
    EventWindow("Domingo de Pascua", 0, 0, 0.90),
    EventWindow("Día del Trabajo", 0, 0, 0.95),
    EventWindow(
        "Día de las Madres",
        3,
        0,
        1.12,
        (("Electrónica", 1.5), ("Cuidado Personal", 1.3)),
        ramp=True,
    ),
    EventWindow("Grito de Independencia", 3, 0, 1.20, (("Bebidas", 1.45),), ramp=True),
    EventWindow(
        "Día de Muertos", 4, 0, 1.08, (("Frutas y Verduras", 1.20), ("Limpieza", 1.20)), ramp=True
    ),
    EventWindow("Buen Fin", 0, 0, 1.08, _BUEN_FIN),
    EventWindow("Día de la Revolución (Buen Fin)", 0, 0, 1.08, _BUEN_FIN),
    EventWindow("Día de la Virgen de Guadalupe", 0, 0, 1.05),
)

DAY_KINDS: Final = ("weekday", "weekend", "early", "holiday")
"""Working days; Saturdays and Sundays; 24 and 31 December; 25 December and 1 January."""
EARLY_DAYS: Final = ((12, 24), (12, 31))
HOLIDAYS: Final = ((12, 25), (1, 1))
OPENING_HOURS: Final = {
    "Hipermercado": ((7, 23), (8, 23), (7, 20), (0, 0)),
    "Supermercado": ((7, 22), (8, 22), (7, 19), (10, 18)),
    "Express": ((6, 24), (7, 24), (6, 21), (8, 20)),
    "Conveniencia": ((0, 24), (0, 24), (0, 24), (0, 24)),
}
"""First hour and hour of closing of each kind of day; the same twice is closed, the web as well
[J]."""
DAY_PARTS: Final = (0, 11, 15, 19, 24)
"""Hours that bound morning, midday, afternoon and night."""
HOURS: Final = {
    "Hipermercado": (0, 0, 0, 0, 0, 0, 0, 2, 3, 5, 7, 8, 9, 8, 7, 7, 8, 10, 11, 10, 7, 4, 1, 0),
    "Supermercado": (0, 0, 0, 0, 0, 0, 0, 3, 5, 6, 8, 9, 9, 8, 7, 6, 7, 9, 10, 9, 6, 3, 0, 0),
    "Express": (0, 0, 0, 0, 0, 0, 1, 4, 6, 6, 6, 6, 7, 8, 8, 6, 6, 7, 9, 10, 9, 6, 3, 1),
    "Conveniencia": (1, 1, 1, 1, 1, 2, 4, 7, 7, 6, 5, 5, 5, 6, 6, 5, 5, 6, 7, 7, 7, 6, 4, 2),
    "online": (1, 1, 0, 0, 0, 0, 1, 2, 4, 6, 7, 7, 7, 6, 6, 5, 5, 6, 7, 8, 9, 9, 6, 3),
}
"""Relative number of tickets in each hour, in the stores of a format and outside them [J]."""
PART_TILT: Final = (
    (1.0, 0.8, 1.4, 0.9, 1.1, 1.0, 0.9, 0.6),
    (1.0, 1.0, 0.9, 1.3, 1.2, 1.0, 1.0, 1.0),
    (1.0, 1.0, 0.9, 1.0, 0.9, 1.1, 1.1, 1.4),
    (1.0, 1.3, 0.9, 0.7, 0.7, 0.8, 1.0, 0.9),
)
"""Taste for a category by part of the day: dairy in the morning, beverages at night [J]."""
CHANNEL_TILT: Final = (
    (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9),
    (1.1, 0.9, 0.9, 0.8, 0.7, 1.3, 1.2, 1.8),
    (1.0, 1.1, 0.9, 0.8, 0.8, 1.1, 1.2, 1.6),
)
