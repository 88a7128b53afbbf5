"""A receiver of webhooks on this computer, for the demo and for people who write one."""

import base64
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tasks.notify.sign import problem_with
from workers.commands.show import say


class Receiver:
    """Answers 204 to what verifies and 400 to what does not; keeps the ids it saw."""

    def __init__(self, secret: str = "", port: int = 0, show: bool = False) -> None:
        self.secret = secret or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self.ids: dict[str, dict[str, Any]] = {}
        self.refused: list[str] = []
        self._show = show
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/caseferry"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def serve(self) -> None:
        self._server.serve_forever()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                wrong = problem_with(receiver.secret, dict(self.headers), body, int(time.time()))
                if wrong:
                    receiver.refused.append(wrong)
                    if receiver._show:
                        say(f"✗ {wrong}")
                else:
                    event = json.loads(body)
                    repeat = event["id"] in receiver.ids
                    receiver.ids[event["id"]] = event
                    if receiver._show:
                        print(json.dumps(event, indent=2) if not repeat else f"repeat of {event['id']}", flush=True)
                self.send_response(400 if wrong else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
