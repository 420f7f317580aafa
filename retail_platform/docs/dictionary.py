"""Repairs the page that ``dbt docs generate`` writes.

It asks for files that do not exist: icons are bound with ``xlink:href="{{ ... }}"``, which a
browser requests before AngularJS has filled it in, and the favicon is a template that was never
filled. Each is an error in the browser's console, and hundreds of failed requests.

Its lineage graph opens on everything, a few hundred tests included, which nobody can read: here it
opens on what the four questions read, without tests; the page's own menu adds them.

Versions of dbt without these texts pass unchanged.
"""

from __future__ import annotations

from pathlib import Path

from retail_platform.errors import UserError

PAGES = ("index.html", "static_index.html")

QUESTIONS = (
    "mv_daily_sales_summary",
    "mv_product_performance",
    "mv_ticket_formato",
    "mv_inventory_alerts",
)
"""The views that answer them."""

_SHOWN = 'resource_types:["model","seed","snapshot","source",'

_REPAIRS = (
    # What AngularJS offers for it: the attribute appears only once it has a value. Not ng-href,
    # which writes xlink:href outside of its namespace, where browsers do not look.
    ('xlink:href="{{ getIcon', 'ng-attr-href="{{ getIcon'),
    # What is ticked in the graph's menu at first; what can be ticked stays.
    (
        f'exclude:"",packages:[],tags:[null],{_SHOWN}"test","unit_test","analysis",',
        f'exclude:"",packages:[],tags:[null],{_SHOWN}',
    ),
    (
        'r.assign({},l.options);e?(t.include="+"+e+"+",t.exclude=""):(t.include="",t.exclude="")',
        "r.assign({},l.options,{resource_types:l.selection.clean.resource_types});"
        'e?(t.include="+"+e+"+",t.exclude=""):'
        f'(t.include="{" ".join(f"+{name}" for name in QUESTIONS)}",t.exclude="")',
    ),
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
