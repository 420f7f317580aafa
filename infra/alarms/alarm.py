"""An alarm of the daily run, by mail, by webhook, or both: an example to copy and change.

The daily run calls it if RETAIL_ON_FAILURE names it, systemd if the run could not speak for itself
(infra/systemd/retail-daily-failed.service). It needs nothing but Python.

RETAIL_ALARM_MAIL_TO    addresses, separated by commas; the report is attached
RETAIL_ALARM_MAIL_FROM  retail@localhost if not set
RETAIL_ALARM_SMTP       host:port of the mail server, localhost:25 if not set
RETAIL_ALARM_WEBHOOK    a URL that takes {"text": "..."}: Slack, Teams, Mattermost, Google Chat
"""

import json
import os
import smtplib
import socket
import sys
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

SECONDS = 30
LOG_LINES = 40


def subject() -> str:
    """One line: what happened, where."""
    # The second is systemd's word for it: timeout, signal, oom-kill, exit-code, resources.
    outcome = os.environ.get("RETAIL_OUTCOME") or os.environ.get("MONITOR_SERVICE_RESULT", "?")
    code = os.environ.get("RETAIL_EXIT_CODE") or os.environ.get("MONITOR_EXIT_STATUS", "?")
    return f"retail daily on {socket.gethostname()}: {outcome} ({code})"


def text() -> str:
    """What happened, where to look, and the end of the log."""
    log = os.environ.get("RETAIL_LOG", "")
    lines = [os.environ.get("RETAIL_MESSAGE") or "the run ended before it could say why"]
    if os.environ.get("RETAIL_REPORT"):
        lines.append(f"report: {os.environ['RETAIL_REPORT']}")
    lines.append(f"log: {log or 'journalctl --unit retail-daily'}")
    if log and Path(log).is_file():
        written = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
        lines += ["", *written[-LOG_LINES:]]
    return "\n".join(lines)


def by_mail() -> None:
    """Send a mail, with the report."""
    message = EmailMessage()
    message["Subject"] = subject()
    message["From"] = os.environ.get("RETAIL_ALARM_MAIL_FROM", "retail@localhost")
    message["To"] = os.environ["RETAIL_ALARM_MAIL_TO"]
    message.set_content(text())
    report = Path(os.environ.get("RETAIL_REPORT") or ".")
    if report.is_file():
        message.add_attachment(
            report.read_text(encoding="utf-8"), subtype="html", filename=report.name
        )
    host, _, port = os.environ.get("RETAIL_ALARM_SMTP", "localhost:25").rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=SECONDS) as server:
        server.send_message(message)


def by_webhook() -> None:
    """Post the text."""
    body = json.dumps({"text": f"{subject()}\n{text()}"}).encode()
    request = urllib.request.Request(
        os.environ["RETAIL_ALARM_WEBHOOK"], body, {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=SECONDS).close()


WAYS: dict[str, Callable[[], None]] = {
    "RETAIL_ALARM_MAIL_TO": by_mail,
    "RETAIL_ALARM_WEBHOOK": by_webhook,
}


def main() -> int:
    """Go every way that is set; 1 if one fails or none is set."""
    wanted = [name for name in WAYS if os.environ.get(name)]
    failed = not wanted
    if not wanted:
        print(f"nobody is told: set {' or '.join(WAYS)}", file=sys.stderr)
    for name in wanted:
        try:
            WAYS[name]()
        except (OSError, ValueError, smtplib.SMTPException) as error:
            # A webhook's address is a secret: not said.
            print(f"{name}: not told: {type(error).__name__}: {error}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
