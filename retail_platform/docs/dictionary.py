"""Repairs the page that ``dbt docs generate`` writes: it asks for files that do not exist.

dbt's page binds icons with ``xlink:href="{{ ... }}"``, which a browser requests before AngularJS
has filled it in, and links a favicon whose template was never filled. Each is an error in the
browser's console, and hundreds of failed requests. Versions of dbt without these pass unchanged.
"""

from __future__ import annotations

from pathlib import Path

from retail_platform.errors import UserError

PAGES = ("index.html", "static_index.html")

_REPAIRS = (
    # What AngularJS offers for it: the attribute appears only once it has a value.
    ('xlink:href="{{ getIcon', 'ng-href="{{ getIcon'),
    # An empty icon in place, so that the browser does not ask for /favicon.ico either.
    ("""href="${require('./assets/favicons/favicon.ico')}\"""", 'href="data:,"'),
)


def repair(page: str) -> str:
    """The page without requests that fail.

    Args:
        page: HTML.
    """
    for wrong, right in _REPAIRS:
        page = page.replace(wrong, right)
    return page


def repair_folder(target: Path) -> list[Path]:
    """Repair the pages in dbt's target folder.

    Args:
        target: The folder that ``dbt docs generate --static`` wrote.

    Returns:
        The pages.

    Raises:
        UserError: If there is none.
    """
    pages = [target / name for name in PAGES if (target / name).is_file()]
    if not pages:
        raise UserError(f"{target} holds no {' or '.join(PAGES)}: run `dbt docs generate --static`")
    for page in pages:
        page.write_text(repair(page.read_text(encoding="utf-8")), encoding="utf-8")
    return pages
