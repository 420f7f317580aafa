"""The alarm that ships as an example, against a mail server and a webhook of the test's own."""

from __future__ import annotations

import email
import email.policy
import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import PROJECT, free_port

ALARM = PROJECT / "infra" / "alarms" / "alarm.py"


@contextmanager
def _served(server: socketserver.TCPServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _told(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    page, log = tmp_path / "report.html", tmp_path / "daily.log"
    page.write_text("<html>número</html>", encoding="utf-8")
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    run = {
        "RETAIL_OUTCOME": "TESTS_FAILED",
        "RETAIL_EXIT_CODE": "14",
        "RETAIL_MESSAGE": "look before you trust the numbers",
        "RETAIL_REPORT": str(page),
        "RETAIL_LOG": str(log),
    }
    return subprocess.run(
        [sys.executable, "-I", str(ALARM)],
        env={"PATH": os.environ["PATH"]} | run | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_mail_says_what_happened_and_brings_the_report(tmp_path: Path) -> None:
    received: list[bytes] = []

    class Smtp(socketserver.StreamRequestHandler):
        """Just enough of RFC 5321 to take one mail."""

        def handle(self) -> None:
            self.wfile.write(b"220 test\r\n")
            while line := self.rfile.readline():
                if line.upper().startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    received.append(b"".join(line.removeprefix(b".") for line in lines))
                last = line.upper().startswith(b"QUIT")
                self.wfile.write(b"221 bye\r\n" if last else b"250 ok\r\n")

    with _served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp)) as port:
        result = _told(
            tmp_path,
            RETAIL_ALARM_MAIL_TO="ops@example.com, night@example.com",
            RETAIL_ALARM_SMTP=f"127.0.0.1:{port}",
        )
    assert result.returncode == 0, result.stderr
    message = email.message_from_bytes(received[0], policy=email.policy.default)
    assert "TESTS_FAILED (14)" in message["Subject"]
    assert message["To"] == "ops@example.com, night@example.com"
    body = message.get_body()
    assert body is not None
    assert "look before you trust the numbers" in body.get_content()
    assert "line 99" in body.get_content()
    assert "line 9\n" not in body.get_content(), "the end of the log only"
    [attached] = message.iter_attachments()
    assert attached.get_filename() == "report.html"
    assert "número" in attached.get_content()


def test_a_webhook_gets_the_text_and_its_address_is_not_said(tmp_path: Path) -> None:
    received: list[dict[str, str]] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            received.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with _served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)) as port:
        result = _told(tmp_path, RETAIL_ALARM_WEBHOOK=f"http://127.0.0.1:{port}/s3cret")
    assert result.returncode == 0, result.stderr
    assert "TESTS_FAILED (14)\nlook before" in received[0]["text"]

    gone = _told(tmp_path, RETAIL_ALARM_WEBHOOK=f"http://127.0.0.1:{free_port()}/s3cret")
    assert gone.returncode == 1
    assert "RETAIL_ALARM_WEBHOOK: not told" in gone.stderr
    assert "s3cret" not in gone.stderr
    assert "Traceback" not in gone.stderr


def test_an_alarm_that_goes_nowhere_says_so(tmp_path: Path) -> None:
    result = _told(tmp_path)
    assert result.returncode == 1
    assert "set RETAIL_ALARM_MAIL_TO or RETAIL_ALARM_WEBHOOK" in result.stderr
