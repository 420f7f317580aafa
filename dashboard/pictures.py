"""Photographs the pages for README and docs: `make screenshots`.

Needs Chromium (Debian: chromium) and what is installed for development.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from dashboard.browser import chromium, served
from retail_platform.errors import report_user_errors
from retail_platform.project import require_project

# Name of the picture -> address, width, height, colour scheme.
PICTURES = {
    "resumen": ("/", 1440, 1180, "light"),
    "resumen-oscuro": ("/", 1440, 1180, "dark"),
    "tiendas": ("/tiendas", 1440, 1180, "light"),
    "productos": ("/productos", 1440, 1180, "light"),
    "precios": ("/precios", 1440, 1180, "light"),
    "inventario": ("/inventario", 1440, 1180, "light"),
    "calidad": ("/calidad", 1440, 1180, "light"),
    "telefono": ("/", 390, 1180, "light"),
}


def _photograph(browser: Browser, address: str, file: Path, name: str) -> None:
    path, width, height, scheme = PICTURES[name]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(f"{address}{path}")
    page.wait_for_selector(".bloque h1", timeout=60_000)
    page.wait_for_timeout(700)
    page.screenshot(path=file)
    page.close()
    # Flat colours: a palette is a quarter of the bytes and looks the same.
    with Image.open(file) as picture:
        # Octree: it keeps colours that are rare, and orange means something.
        flat = picture.convert("RGB").quantize(
            method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
    flat.save(file, optimize=True)
    print(f"{file.name}: {file.stat().st_size / 1024:.0f} kB")


def _run(argv: Sequence[str] | None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="local")
    parser.add_argument("names", nargs="*", help=f"default all: {', '.join(PICTURES)}")
    options = parser.parse_args(argv)
    folder = require_project() / "docs" / "img"
    with served(options.target) as dashboard, chromium() as browser:
        for name in options.names or PICTURES:
            _photograph(browser, dashboard.address, folder / f"dashboard-{name}.png", name)


def main(argv: Sequence[str] | None = None) -> int:
    """Photograph every page."""
    return report_user_errors(lambda: _run(argv))


if __name__ == "__main__":
    sys.exit(main())
