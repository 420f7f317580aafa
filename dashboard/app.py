"""Entry of the dashboard: Streamlit runs it for every visitor and every change."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import streamlit as st

from dashboard import frame, markup
from dashboard.data import NotAvailable
from dashboard.pages import PAGES, Page


def _guarded(key: str, what: Page) -> Callable[[], None]:
    """A page that says in a sentence why it cannot be shown."""

    def page() -> None:
        try:
            view = frame.open_page(key, what.filters, dated=what.dated)
            frame.show(view, *what.build(view))
            frame.close_page(view)
        except NotAvailable as reason:
            st.html(markup.notice(reason.title, reason.advice))
            st.button("Volver a intentar", type="primary")
        except Exception:
            # For who operates it; the visitor gets no stack trace.
            traceback.print_exc()
            st.html(
                markup.notice(
                    "Esta página no se pudo mostrar.",
                    "El error quedó en la bitácora del servidor. Vuelva a intentarlo o avise a "
                    "quien lo opera.",
                )
            )
            st.button("Volver a intentar", type="primary")

    return page


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="Tablero de ventas", page_icon=str(frame.ICON), layout="wide")
    st.logo(str(frame.LOGO), size="large")
    st.html(f"<style>{frame._asset('tablero.css')}</style>")
    pages = {
        key: st.Page(_guarded(key, page), title=page.title, url_path=key)
        for key, page in PAGES.items()
    }
    # At / stands the first page. Were it the default itself, its own address would be unknown.
    key, first = next(iter(PAGES.items()))
    start = st.Page(
        _guarded(key, first),
        title=first.title,
        url_path="inicio",
        default=True,
        visibility="hidden",
    )
    shown = st.navigation([start, *pages.values()], position="top")
    if elsewhere := st.session_state.pop("ir_a", None):
        st.switch_page(pages[elsewhere])
    shown.run()


main()
