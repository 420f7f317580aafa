"""Opens sessions, and says in libpq's place which setting a refused one to RDS points at."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import psycopg2
from psycopg2.extensions import connection, make_dsn

from retail_platform.errors import UserError

# Asks a PostgreSQL server for TLS: length, then the code of an SSLRequest.
_SSL_REQUEST = bytes([0, 0, 0, 8]) + (80877103).to_bytes(4)

# What libpq or the server writes -> what to look at.
_HINTS = (
    (
        r"root certificate file",
        "RETAIL_RDS_SSLROOTCERT must name the bundle of AWS's authorities. Get it: make rds-bundle",
    ),
    (
        r"does not match host name",
        "RETAIL_RDS_HOST must be the endpoint as RDS shows it: the certificate is for that name, "
        "not for an address or an alias of yours",
    ),
    (
        r"no encryption|SSL off",
        "RETAIL_RDS_SSLMODE turns TLS off, which the server refuses: unset it (verify-full)",
    ),
    (
        r"does not support SSL",
        "the server has no TLS, so it is no RDS: look at RETAIL_RDS_HOST and RETAIL_RDS_PORT",
    ),
    (
        r"password authentication failed|PAM authentication failed|no password supplied",
        "look at RETAIL_RDS_USER and RETAIL_RDS_PASSWORD. An IAM token is valid for 15 minutes and "
        "for one user; a reviewer's password ends on its last day",
    ),
    (r'database ".*" does not exist', "look at RETAIL_RDS_DBNAME"),
    (
        r"could not translate host name|Connection refused|timeout expired|No route to host",
        "look at RETAIL_RDS_HOST and RETAIL_RDS_PORT, whether the instance is running, and whether "
        "this machine is in a security group that it lets in (a private instance is not reachable "
        "from the internet)",
    ),
)

_NOT_RUNNING = r"No such file or directory|Connection refused"

# What changes the meaning of a byte sent or received; all else may be prescribed by the server.
_SESSION = (
    "set client_encoding = 'UTF8'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; "
    "set standard_conforming_strings = on"
)


class CannotConnectError(UserError, psycopg2.OperationalError):
    """A connection that was refused, with libpq's words and what to look at."""


def connect(parameters: Mapping[str, str]) -> connection:
    """Open a session.

    Args:
        parameters: libpq's.

    Returns:
        A session whose encoding and date style are ours, whatever the environment (PGCLIENTENCODING
        and the like), the role or the database prescribe.

    Raises:
        CannotConnectError: If it is refused; the message names what to look at.
    """
    # Said at the start too, so that what the server writes before the first statement is readable.
    encoding = {"client_encoding": "UTF8"}
    try:
        session = psycopg2.connect(make_dsn(**encoding | dict(parameters)))
        # SET stands above every default, and outside a transaction no rollback takes it back.
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(_SESSION)
        session.set_client_encoding("UTF8")  # psycopg2 must know it too
        session.autocommit = False
    except psycopg2.OperationalError as error:
        raise CannotConnectError(with_advice(str(error), parameters)) from None
    return session


def url(parameters: Mapping[str, str]) -> str:
    """A libpq URL without the password, for clients that ask for it or read a password file.

    Args:
        parameters: libpq's.
    """
    user, host = quote(parameters["user"], safe=""), parameters["host"]
    place = f"{host}:{parameters['port']}"
    shown = ["passfile", "sslmode", "sslrootcert", "sslcert", "sslkey"]
    if host.startswith("/"):  # a socket's folder is no host name of a URL
        place, shown = "", ["host", "port", *shown]
    options = {key: parameters[key] for key in shown if key in parameters}
    query = f"?{urlencode(options, safe='/')}" if options else ""
    dbname = quote(parameters["dbname"], safe="")
    return f"postgresql://{user}@{place}/{dbname}{query}"


def with_advice(message: str, parameters: Mapping[str, str]) -> str:
    """Libpq's message, and what to do or to look at: the embedded server's, and RDS's.

    Args:
        message: Of the refused connection.
        parameters: Its libpq parameters.
    """
    message = message.strip()
    if parameters["host"].startswith("/") and re.search(_NOT_RUNNING, message):
        return f"{message}\nThe embedded server is not running. Start it: make db-start"
    if "sslmode" not in parameters:  # of all targets only rds sets it
        return message
    if "certificate verify failed" in message:
        return f"{message}\n{_certificate_hint(parameters)}"
    hints = [hint for pattern, hint in _HINTS if re.search(pattern, message)]
    return "\n".join([message, *(f"What to do: {hint}." for hint in hints[:1])])


def _certificate_hint(parameters: Mapping[str, str]) -> str:
    """Find out why the certificate is refused: libpq says only that it is."""
    reason = certificate_problem(
        parameters["host"], int(parameters["port"]), parameters["sslrootcert"]
    )
    if reason and "expired" in reason:
        return (
            f"The server's certificate is refused: {reason}. What to do: rotate it "
            "(docs/runbook.md, certificates); RETAIL_RDS_SSLROOTCERT is not the cause."
        )
    return (
        f"The server's certificate is refused: {reason or 'unknown reason'}. What to do: "
        "RETAIL_RDS_SSLROOTCERT must name the bundle of the authority that signed it, for RDS the "
        "newest global-bundle.pem (make rds-bundle). If it does, RETAIL_RDS_HOST is not your RDS."
    )


def certificate_problem(host: str, port: int, authorities: str) -> str | None:
    """Verify a PostgreSQL server's certificate with Python's TLS, which names the reason.

    Args:
        host: The server; its name is not compared with the certificate's.
        port: TCP port.
        authorities: PEM file of the authorities.

    Returns:
        OpenSSL's reason, or None if the certificate is accepted or the server cannot be asked.
    """
    context = ssl.create_default_context(cafile=authorities)
    context.check_hostname = False
    try:
        with socket.create_connection((host, port), timeout=10) as plain:
            plain.sendall(_SSL_REQUEST)
            if plain.recv(1) != b"S":
                return None
            with context.wrap_socket(plain):
                return None
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return None
