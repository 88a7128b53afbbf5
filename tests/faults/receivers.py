"""A receiver of webhooks that answers as it is told, and a run with events for it."""

import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tasks.stage import Services
from tests.crossing import Crossings, firm

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Receiver:
    """A receiver that answers as it is told, and remembers."""

    def __init__(self, answer: Callable[["Receiver", BaseHTTPRequestHandler, str], None] | None = None, context: ssl.SSLContext | None = None) -> None:
        self.heard: list[tuple[str, bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                receiver.heard.append((self.headers.get("webhook-id", ""), body))
                if answer:
                    answer(receiver, self, self.path)
                else:
                    reply(self, 204)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def url(self, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **more: str) -> None:
    handler.send_response(status)
    for name, value in more.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def receiving(answer: Callable[[Receiver, BaseHTTPRequestHandler, str], None] | None = None) -> Iterator[Receiver]:
    receiver = Receiver(answer)
    try:
        yield receiver
    finally:
        receiver.stop()


def endpoint(receiver: Receiver, path: str = "/", name: str = "one") -> dict[str, Any]:
    return {"id": name, "url": receiver.url(path), "secret": SECRET}


def told(folder: Path, endpoints: list[dict[str, Any]], at: Callable[[], datetime] | None = None, **webhook: Any) -> tuple[Services, Any]:
    """A run at its end, with events to send to these endpoints."""
    given = {"webhook": {"endpoints": endpoints, "allow_networks": ["127.0.0.0/8"], **webhook}}
    run = Crossings(folder)(firm(), settings=given)
    return Services(run.store, run.services.settings, clock=at or (lambda: datetime.now(UTC)), tell=run.services.tell), run.run
