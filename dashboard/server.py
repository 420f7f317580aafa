"""Serves the dashboard: `make dashboard`, or `python -m dashboard.server`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager
from streamlit.starlette import App

from retail_platform.errors import UserError, report_user_errors
from retail_platform.targets import connection_parameters

APP = Path(__file__).with_name("app.py")
LOOPBACK = "127.0.0.1"
PORT = 8501

# Everything comes from this server: a page that asked elsewhere would be stopped by the browser.
# Streamlit's page has an inline script, the blocks' script is a blob.
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self' ws: wss:; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


# The page of every address. Streamlit looks for its own endpoints below the address of the page,
# and goes up when they are not there: the browser would write an error for each.
REWRITTEN = {
    b'<html lang="en">': b'<html lang="es">',
    b"<title>Streamlit</title>": (
        b"<title>Tablero de ventas</title>"
        b"<script>window.__streamlit = { BACKEND_BASE_URL: location.origin }</script>"
    ),
}


class Spanish:
    """Middleware: the page says that it is in Spanish, and carries the headers above."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application.

        Args:
            app: Streamlit's.
        """
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _is_page(scope["path"]):  # it is rewritten, so it must not come compressed
            kept = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
            scope = {**scope, "headers": kept}
        start: Message = {}
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].decode() not in HEADERS]
                message["headers"] = kept + [
                    (name.encode(), value.encode()) for name, value in HEADERS.items()
                ]
                start = message
                if not _is_html(message):
                    await send(message)
            elif not _is_html(start):
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await _send_page(start, body, send)

        await self.app(scope, receive, rewrite)


def _is_page(path: str) -> bool:
    return not path.startswith(("/static/", "/_stcore/", "/media/"))


def _is_html(message: Message) -> bool:
    return dict(message.get("headers", [])).get(b"content-type", b"").startswith(b"text/html")


async def _send_page(start: Message, body: bytes, send: Send) -> None:
    for old, new in REWRITTEN.items():
        body = body.replace(old, new)
    start["headers"] = [
        (name, str(len(body)).encode() if name == b"content-length" else value)
        for name, value in start["headers"]
        # Of the page before it was rewritten.
        if name not in (b"etag", b"last-modified")
    ]
    await send(start)
    await send({"type": "http.response.body", "body": body})


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        UserError: An address that others reach, without the setting that says so on purpose.
    """
    parser = argparse.ArgumentParser(prog="dashboard", description=__doc__)
    parser.add_argument("--target", default=os.environ.get("RETAIL_TARGET", "local"))
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--address", default=LOOPBACK, help="where it listens")
    parser.add_argument(
        "--public-url",
        metavar="URL",
        help="address of the reverse proxy that authenticates visitors; without it the dashboard "
        f"listens on {LOOPBACK} only (docs/dashboard.md)",
    )
    found = parser.parse_args(argv)
    if found.address != LOOPBACK and not found.public_url:
        raise UserError(
            f"The dashboard asks nobody for a password, so it listens on {LOOPBACK} only; got "
            f"--address {found.address}. Put it behind a reverse proxy that does and name that "
            "with --public-url (docs/dashboard.md)."
        )
    if found.public_url and urlsplit(found.public_url).scheme not in ("http", "https"):
        raise UserError(
            f"--public-url {found.public_url} is no address of a browser. "
            "Allowed: https://tablero.example.com"
        )
    return found


def configure(found: argparse.Namespace) -> None:
    """Tell Streamlit what depends on the command line; the rest is in config.toml."""
    hosts = ["localhost", LOOPBACK]
    if found.public_url:
        address = urlsplit(found.public_url)
        hosts.append(address.hostname or "")
        config.set_option("server.corsAllowedOrigins", [f"{address.scheme}://{address.netloc}"])
    config.set_option("server.allowedHosts", hosts)
    config.set_option("server.port", found.port)


def _serve(argv: Sequence[str] | None) -> None:
    found = options(argv)
    connection_parameters(found.target)  # a wrong target is said now, not to the first visitor
    os.environ["RETAIL_TARGET"] = found.target
    # Else, until somebody opens the first page, an address like /tiendas runs the file in pages/
    # by itself, the way multipage apps were once made.
    PagesManager.uses_pages_directory = False
    app = App(APP, middleware=[Middleware(Spanish)])
    configure(found)
    print(f"Tablero: http://{found.address}:{found.port} (Ctrl+C lo detiene)", flush=True)
    # Visitors keep a WebSocket open: whoever stops the server does not wait for them to leave.
    uvicorn.run(
        app,
        host=found.address,
        port=found.port,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until it is stopped."""
    return report_user_errors(lambda: _serve(argv))


if __name__ == "__main__":
    sys.exit(main())
