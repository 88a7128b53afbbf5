"""The listener: hears of uploads by webhook, SQS or a Redis list, whichever are set, and rings the doorbell.

A message is answered only after its ticket was handed on; what is lost in between, the reconciler finds in the bucket.
"""

import hmac
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import structlog

from caseferry.reading.archive import is_noise
from config.settings import Settings
from workers.doorbell import keys_in

log = structlog.get_logger()
Ring = Callable[[str], Any]
_MOST = 1 << 20
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp", ".swp")


class Listener:
    """All sources of events of one deployment, each in a thread."""

    def __init__(self, settings: Settings, ring: Ring) -> None:
        self.settings, self._ring = settings, ring
        self.stopping = threading.Event()
        self.threads: list[threading.Thread] = []
        self.server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        events = self.settings.events
        if events.webhook_port is not None:
            self.server = ThreadingHTTPServer((events.webhook_host, events.webhook_port), self._handler())
            self._run(self.server.serve_forever)
        if events.sqs_queue_url:
            self._run(self._poll_sqs)
        if events.redis_url:
            self._run(self._poll_redis)

    def stop(self) -> None:
        self.stopping.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()

    def _run(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self.threads.append(thread)

    def hear(self, message: bytes | str) -> int:
        """Ring for every key a message names; return how many there were."""
        keys = keys_in(message, self.settings.s3.bucket)
        for key in keys:
            self._ring(key)
        return len(keys)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self
        token = self.settings.events.webhook_token

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                given = self.headers.get("authorization", "").removeprefix("Bearer ")
                if token and not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
                    return self._answer(401)
                if length > _MOST:
                    return self._answer(413)
                body = self.rfile.read(length)
                # The embedded server sends once and never again: take the news before it is looked at.
                self._answer(202)
                try:
                    listener.hear(body)
                except Exception as error:
                    log.warning("event_left_to_the_sweep", exc_info=error)

            def do_GET(self) -> None:
                self._answer(200 if self.path == "/livez" else 404)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass  # a request line would hold a key

        return Handler

    def _poll_sqs(self) -> None:
        from caseferry.services.aws import make_client

        events = self.settings.events
        client = make_client("sqs", self.settings.s3.model_copy(update={"endpoint": events.sqs_endpoint}))
        while not self.stopping.is_set():
            try:
                got = client.receive_message(QueueUrl=events.sqs_queue_url, WaitTimeSeconds=2, MaxNumberOfMessages=10)
                for message in got.get("Messages", ()):
                    self.hear(message["Body"])
                    client.delete_message(QueueUrl=events.sqs_queue_url, ReceiptHandle=message["ReceiptHandle"])
            except Exception as error:  # a message stays on the queue until its ticket is sent
                log.warning("events_unreachable", dialect="sqs", exc_info=error)
                self.stopping.wait(2)

    def _poll_redis(self) -> None:
        import redis

        url = self.settings.events.redis_url
        assert url is not None
        client = redis.Redis.from_url(url.get_secret_value())
        while not self.stopping.is_set():
            try:
                got: Any = client.blpop([self.settings.events.redis_key], timeout=2)
                if got:
                    self.hear(got[1])
            except Exception as error:
                log.warning("events_unreachable", dialect="redis", exc_info=error)
                self.stopping.wait(2)


def watch_folder(folder: Path, put: Callable[[str, bytes], None], stopping: threading.Event, misplaced: Callable[[], None] = lambda: None, quiet: float = 2.0) -> None:
    """Feed a local folder's files into the bucket, each once it has been quiet for a while.

    `<folder>/<firm>/<migration>/<file>` becomes `drops/<firm>/<migration>/<file>`.
    """
    from watchfiles import watch

    folder = folder.resolve()
    here = len(folder.parts)
    waiting: dict[Path, tuple[int, float]] = {}
    sent: dict[Path, tuple[int, int]] = {}

    def look() -> None:
        """Every file is looked at: a folder made and filled in one breath is filled before anyone can watch it."""
        for path in folder.rglob("*"):
            if path.is_file() and path not in waiting and not _is_leftover(path.relative_to(folder).as_posix()):
                stat = path.stat()
                if sent.get(path) != (stat.st_size, stat.st_mtime_ns):
                    waiting[path] = (stat.st_size, time.monotonic())

    def flush() -> None:
        """Send what is quiet, one migration at a time, and none of it while another of its files still grows."""
        now, busy = time.monotonic(), set()
        for path, (size, since) in list(waiting.items()):
            if not path.is_file():
                del waiting[path]
            elif path.stat().st_size != size:
                waiting[path] = (path.stat().st_size, now)
                busy.add(path.parts[: here + 2])
            elif now - since < quiet:
                busy.add(path.parts[: here + 2])
        for path in sorted((p for p in waiting if p.parts[: here + 2] not in busy), key=_turn):
            del waiting[path]
            sent[path] = (path.stat().st_size, path.stat().st_mtime_ns)
            if len(path.parts) < here + 3:
                log.warning("file_outside_a_migration", code="CF-136")
                misplaced()
            else:
                put(f"drops/{path.relative_to(folder).as_posix()}", path.read_bytes())

    look()
    for _ in watch(folder, stop_event=stopping, rust_timeout=500, yield_on_timeout=True):
        flush()
        look()


def _is_leftover(name: str) -> bool:
    """True for what systems and programs leave lying about, and for files that are still on their way."""
    return is_noise(name) or any(step.startswith(".") for step in name.split("/")) or name.casefold().endswith(_UNFINISHED)


def _turn(path: Path) -> tuple[int, Path]:
    """Lists before the choices that close their drop, archives after: each finds what it needs when it lands."""
    if path.name in {"migration.json", "_complete"}:
        return (1 if path.name == "migration.json" else 3, path)
    with path.open("rb") as file:
        head = file.read(4)
    return (2 if head.startswith(b"PK\x03\x04") else 0, path)
