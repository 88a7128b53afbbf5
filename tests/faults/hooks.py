"""Receivers that misbehave, senders that die, signatures that do not fit."""

import base64
import hashlib
import hmac
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import jsonschema
import standardwebhooks
import svix.webhooks

from caseferry.services.folder import FolderStore
from caseferry.services.http import post
from config.settings import Settings
from tasks.notify.deliver import deliver, due
from tasks.notify.events import CATALOGUE, schema_of
from tasks.notify.sign import body_of, headers
from tasks.stage import Services, present
from tests.faults.campaign import Counts, Ground, fault
from tests.faults.firms import MARK
from tests.faults.receivers import SECRET, Receiver, endpoint, receiving, reply, told

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
EXAMPLES = Path(__file__).parents[2] / "docs" / "events"


def by_the_text(secret: str, given: dict[str, str], body: bytes) -> bool:
    """A verifier written from the text of Standard Webhooks alone."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = b".".join([given["webhook-id"].encode(), given["webhook-timestamp"].encode(), body])
    wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    signatures = [part.partition(",") for part in given["webhook-signature"].split(" ")]
    return any(version == "v1" and one.isascii() and hmac.compare_digest(one, wanted) for version, _, one in signatures)


def verifiers() -> dict[str, Callable[[dict[str, str], bytes], bool]]:
    def library(verify: Callable[[str, dict[str, str]], Any]) -> Callable[[dict[str, str], bytes], bool]:
        def check(given: dict[str, str], body: bytes) -> bool:
            try:
                verify(body.decode(), given)
                return True
            except Exception:
                return False

        return check

    return {
        "standardwebhooks": library(lambda body, given: standardwebhooks.Webhook(SECRET).verify(body, given)),
        "svix": library(lambda body, given: svix.webhooks.Webhook(SECRET).verify(body, given)),
        "the text of the standard": lambda given, body: by_the_text(SECRET, given, body),
    }


@fault(90, 100)
def signatures_and_contents(ground: Ground) -> Counts:
    """Every kind of event as it is sent: three verifiers accept it; with any bit of it turned, none does."""
    now = int(time.time())
    checks, kinds, refused, accepted, largest = verifiers(), 0, 0, 0, 0
    for kind in CATALOGUE:
        recorded = json.loads((EXAMPLES / f"{kind}.example.json").read_text())
        jsonschema.validate(recorded["data"], schema_of(kind))
        event = {"id": recorded["id"], "type": kind, "time": recorded["time"], "sequence": recorded["sequence"], "data": recorded["data"]}
        body = body_of(event, "firm", "run-1", "https://x.example")
        given = headers([SECRET], event["id"], now, body)
        largest = max(largest, len(body))
        kinds += 1
        for check in checks.values():
            assert check(given, body), kind
            accepted += 1
        for _ in range(ground.n(80, 8)):
            name, verify = ground.dice.choice(sorted(checks.items()))
            where = ground.dice.choice(["body", "webhook-id", "webhook-timestamp", "webhook-signature"])
            changed, other = dict(given), body
            raw = bytearray(body if where == "body" else given[where].encode())
            at = ground.dice.randrange(4 if where == "webhook-signature" else 0, len(raw) - (2 if where == "webhook-signature" else 0))
            raw[at] ^= 1 << ground.dice.randrange(7)
            if where == "body":
                other = bytes(raw)
            else:
                changed[where] = raw.decode("latin-1")
            assert not verify(changed, other), (kind, name, where, at)
            refused += 1
        assert MARK not in body.decode()
    assert largest < 20_000 and (refused >= 1000 or not ground.full)
    return {"kinds of events": kinds, "verifiers": len(checks), "accepted": accepted, "bits turned": refused, "turned and accepted": 0, "largest event, bytes": largest}


@fault(92)
def every_way_to_answer(ground: Ground) -> Counts:
    """What becomes of a delivery by what the receiver said: the end, or when it comes again."""
    clock = [datetime(2026, 1, 1, 12, tzinfo=UTC)]
    answers: dict[str, tuple[int, dict[str, str], str, float]] = {
        # path: status, headers, the end it comes to, seconds until it comes again
        "200": (200, {}, "delivered", 0), "204": (204, {}, "delivered", 0), "301": (301, {"location": "/elsewhere"}, "", 5), "307": (307, {"location": "http://169.254.169.254/"}, "", 5),
        "400": (400, {}, "", 5), "401": (401, {}, "", 5), "404": (404, {}, "", 5), "429": (429, {"retry-after": "120"}, "", 120), "500": (500, {}, "", 5), "502": (502, {}, "", 5),
        "503": (503, {"retry-after": "Thu, 01 Jan 2026 12:03:20 GMT"}, "", 200), "504": (504, {}, "", 5), "410": (410, {}, "disabled", 0), "abort": (400, {"webhook_delivery": "abort-message"}, "aborted", 0),
        "disable": (500, {"webhook_delivery": "disable"}, "disabled", 0),
    }  # fmt: skip
    followed: list[str] = []

    def answer(receiver: Receiver, handler: BaseHTTPRequestHandler, path: str) -> None:
        if path == "/elsewhere":
            followed.append(path)
        status, more, _, _ = answers[path.strip("/")]
        reply(handler, status, **more)

    with receiving(answer) as receiver:
        for name, (_, _, end, again) in answers.items():
            services, run = told(ground.folder / name, [endpoint(receiver, f"/{name}")], lambda: clock[0])
            deliver(services, run)
            state = json.loads(services.store.get(run.at("events", "delivery", "one", "0000000001.json")))
            assert state["done"] == end, (name, state)
            if not end:
                wait = (datetime.fromisoformat(state["next_at"]) - clock[0]).total_seconds()
                assert 0.9 * again - 1 <= wait <= 1.1 * again + 1, (name, wait)
            if name in {"410", "disable"}:
                assert services.store.stat("endpoints/one.disabled.json") is not None and deliver(services, run) == 0
    trouble = 0
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    for url in (f"http://127.0.0.1:{closed.getsockname()[1]}/", "https://no-such-host.invalid/"):
        services, run = told(ground.folder / f"trouble-{trouble}", [{"id": "one", "url": url, "secret": SECRET}], lambda: clock[0])
        assert deliver(services, run) > 0
        trouble += 1
    closed.close()
    trouble += _bad_certificates(ground.folder)
    assert followed == []
    return {"answers": len(answers), "as the standard says": len(answers), "redirects followed": len(followed), "no answer, bad or expired certificate, wrong name, no such host": trouble}


def _certificate(folder: Path, name: str, days: int, host: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate of our own making, for a local receiver."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    place = folder / f"{name}.pem"
    place.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place)
    return place, context


def _bad_certificates(folder: Path) -> int:
    """A good one is taken, under its own name alone; unknown, expired and misnamed ones are not."""
    refused = 0
    for name, days, host, trusted, taken in (("good", 30, "localhost", True, True), ("unknown", 30, "localhost", False, False), ("expired", -1, "localhost", True, False), ("other-name", 30, "elsewhere.example", True, False)):
        place, context = _certificate(folder, name, days, host)
        receiver = Receiver(context=context)
        try:
            answer = post(f"https://localhost:{receiver.port}/", b"{}", {}, LOOPBACK + (ipaddress.ip_network("::1/128"),), timedelta(seconds=5), 1000, authorities=place if trusted else None)
            assert taken and answer.status == 204, name
        except ConnectionError:
            assert not taken, name
            refused += 1
        finally:
            receiver.stop()
    return refused


@fault(93, 113)
def receivers_that_never_end(ground: Ground) -> Counts:
    """Dripping, silent, swelling, packed to swell: one deadline and 64 KiB; another endpoint is served meanwhile."""
    read: list[int] = []

    def answer(receiver: Receiver, handler: BaseHTTPRequestHandler, path: str) -> None:
        if path == "/drip":
            handler.send_response(200)
            handler.send_header("content-length", "1000")
            handler.end_headers()
            for _ in range(100):
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.3)
        elif path == "/headers":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for n in range(100):
                handler.wfile.write(f"x-{n}: y\r\n".encode())
                handler.wfile.flush()
                time.sleep(0.3)
        elif path == "/silent":
            time.sleep(30)
        elif path in {"/endless", "/packed"}:
            handler.send_response(200)
            if path == "/packed":
                handler.send_header("content-encoding", "gzip")
            handler.send_header("content-length", str(10 << 30))
            handler.end_headers()
            sent = 0
            with suppress(OSError):
                while sent < 64 << 20:
                    sent += handler.wfile.write(b"\x1f\x8b" + bytes(65_534))
            read.append(sent)
        else:
            reply(handler, 200)

    deadline = 15 if ground.full else 2
    slowest = 0.0
    with receiving(answer) as receiver:
        for path in ("/drip", "/headers", "/silent", "/endless", "/packed"):
            began = time.monotonic()
            with suppress(ConnectionError):
                post(receiver.url(path), b"{}", {}, LOOPBACK, timedelta(seconds=deadline), 65_536)
            slowest = max(slowest, time.monotonic() - began)
        services, run = told(ground.folder, [endpoint(receiver, "/silent", "slow"), endpoint(receiver, "/", "quick")], deadline=timedelta(seconds=deadline))
        began = time.monotonic()
        slow = threading.Thread(target=deliver, args=(services, run), kwargs={"endpoint": "slow"})
        slow.start()
        assert deliver(services, run, endpoint="quick") == 0
        quick = time.monotonic() - began
        slow.join()
        knocks = sum(1 for _ in receiver.heard) - 5
    assert slowest <= deadline + ground.within(2) and quick < deadline, (slowest, quick)
    assert max(read) < 8 << 20, read
    events = sum(1 for key in present(services.store, run) if key.startswith("events/0"))
    assert knocks == events + 1, "a receiver that hangs was knocked at for every event"
    return {"receivers": 5, "deadline, seconds": deadline, "slowest, seconds": round(slowest, 1), "the other endpoint's whole run, seconds": round(quick, 2), "knocks at the one that hangs": 1}


def _deaths(folder: str, url: str, kills: int) -> None:
    """In a process of its own: fork a sender for each delivery, which dies at one of the places around it."""
    import random

    from tests.faults.mortal import MortalStore

    dice, at = random.Random(1), [datetime(2026, 1, 1, tzinfo=UTC)]
    settings = Settings(_env_file=None, webhook={"endpoints": [{"id": "one", "url": url, "secret": SECRET}], "allow_networks": ["127.0.0.0/8"]})
    from caseferry.keys import Run

    store = FolderStore(Path(folder))
    home = next(stat.key for stat in store.listing("migrations/") if stat.key.endswith("arrival.json")).split("/")
    run = Run(home[1], home[2], home[4])
    died = 0
    while True:
        at[0] += timedelta(days=2)
        child = os.fork()
        if child == 0:
            point = dice.randrange(1, 13)
            mortal = MortalStore(Path(folder), {"outside": point} if died < kills else {}, os.open(os.devnull, os.O_WRONLY))
            deliver(Services(mortal, settings, clock=lambda: at[0]), run)
            os._exit(0)
        dice.random()
        _, status = os.waitpid(child, 0)
        died += os.WIFSIGNALED(status)
        for key in present(store, run):
            if "/delivery/" in "/" + key:  # so that the schedule of ten attempts does not end the campaign
                state = json.loads(store.get(run.home + key))
                if not state["done"] and state["attempts"] > 4:
                    store.put(run.home + key, json.dumps(state | {"attempts": 1}).encode())
        waiting = due(Services(store, settings, clock=lambda: at[0]), run)[1]
        if died >= kills and not waiting:
            break
        if died < kills and not waiting:
            for key in [key for key in present(store, run) if key.startswith("events/delivery/")]:
                store.delete(run.home + key)
            print("again", flush=True)
    print(died, flush=True)


@fault(94)
def senders_killed_around_each_delivery(ground: Ground) -> Counts:
    kills = ground.n(1000, 30)
    with receiving() as receiver:
        services, run = told(ground.folder, [endpoint(receiver)])
        events = {json.loads(services.store.get(run.home + key))["id"] for key in present(services.store, run) if key.startswith("events/0")}
        code = f"from tests.faults.hooks import _deaths; _deaths({str(services.store.root)!r}, {receiver.url()!r}, {kills})"  # type: ignore[attr-defined]
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=600, check=False)
        assert done.returncode == 0, done.stderr[-500:]
        lines = done.stdout.split()
        heard = [one for one, _ in receiver.heard]
        rounds = lines.count("again") + 1
    assert set(heard) == events, "an event was lost, or one nobody wrote was sent"
    assert int(lines[-1]) >= kills
    assert len(heard) >= rounds * len(events)
    return {"kills": int(lines[-1]), "events": len(events), "deliveries": len(heard), "rounds": rounds, "events lost": 0, "ids nobody wrote": 0}


@fault(97)
def a_receiver_that_fails_at_random(ground: Ground) -> Counts:
    """Runs with many events through a receiver that fails every third time; then the sequence is put together again."""
    runs = ground.n(40, 5)
    taken: dict[str, list[dict[str, Any]]] = {}
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]

    def answer(receiver: Receiver, handler: BaseHTTPRequestHandler, path: str) -> None:
        if ground.dice.random() < 0.33:
            return reply(handler, ground.dice.choice([500, 503, 400, 429]))
        event = json.loads(receiver.heard[-1][1])
        taken.setdefault(event["subject"], []).append(event)
        reply(handler, 204)

    sent = 0
    with receiving(answer) as receiver:
        for number in range(runs):
            services, run = told(ground.folder / str(number), [endpoint(receiver)], lambda: clock[0])
            for _ in range(200):
                if not deliver(services, run):
                    break
                clock[0] += timedelta(hours=3)
            events = [json.loads(services.store.get(run.home + key)) for key in sorted(present(services.store, run)) if key.startswith("events/0")]
            got = {event["sequence"]: event for event in taken[run.run]}
            standing = [json.loads(services.store.get(run.home + key))["done"] for key in present(services.store, run) if key.startswith("events/delivery/")]
            gaps = [event["sequence"] for event in events if event["sequence"] not in got]
            assert gaps == [] or "given_up" in standing, gaps
            assert [got[event["sequence"]]["id"] for event in events if event["sequence"] in got] == [event["id"] for event in events if event["sequence"] in got]
            numbers = [int(event["sequence"]) for event in events]
            assert numbers == list(range(1, len(events) + 1))
            last = max(got.values(), key=lambda event: event["sequence"])
            assert last["data"]["status"] == "completed"
            sent += len(events)
            taken.clear()
    return {"runs": runs, "events": sent, "attempts": len(receiver.heard), "gaps in a sequence": 0, "state rebuilt from the sequence": runs}
