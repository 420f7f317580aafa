"""The pages of the dashboard: each a function that draws a `View`, and what selects it.

Nothing here knows Streamlit, so what a page asks can be measured and tested without a browser.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboard import summary
from dashboard.pages import calidad, inventario, precios, productos, tiendas
from dashboard.view import View


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        title: Its name in the navigation.
        build: Draws it: HTML of its parts.
        filters: Those that its numbers can be cut by, of `view.FILTERS`.
        dated: Whether it is about a period.
    """

    title: str
    build: Callable[[View], list[str]]
    filters: Sequence[str]
    dated: bool = True


# Name in the address -> page; the first is the home page.
PAGES = {
    "resumen": Page("Resumen", summary.build, ["cadena", "region", "formato"]),
    "tiendas": Page("Tiendas", tiendas.build, ["cadena", "region", "formato"]),
    "productos": Page("Productos", productos.build, ["region", "categoria"]),
    "precios": Page("Precios y promociones", precios.build, ["region", "formato", "categoria"]),
    "inventario": Page(
        "Inventario", inventario.build, ["cadena", "region", "formato", "categoria"], dated=False
    ),
    "calidad": Page("Calidad de datos", calidad.build, [], dated=False),
}
