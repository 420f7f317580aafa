"""Resumen: the executive's one screen."""

from __future__ import annotations

from dashboard import frame, summary


def page() -> None:
    """Draw the page."""
    view = frame.open_page("resumen", ["cadena", "region", "formato"])
    frame.show(view, *summary.build(view))
    frame.close_page(view)
