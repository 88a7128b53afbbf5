"""What the promises rest on, looked at one by one: pass or fail, and what to do about it.

`caseferry doctor` prints all of it. A worker looks at what is marked as a must and does not start where one fails,
unless the settings allow that one by its name.
"""

import ipaddress
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from caseferry.canonical import to_json
from caseferry.codes import CODES
from caseferry.errors import CaseferryError, StorageRefused
from caseferry.keys import probe
from config.settings import S3Settings, Settings

LEAST_SCRATCH = 1 << 30
MOST_SKEW = 300


@dataclass(frozen=True)
class Finding:
    """One condition as it was found."""

    name: str
    passed: bool
    found: str
    remedy: str = ""
    must: bool = False
    is_definite: bool = True
    """False where a neighbour gave no answer: it may still be starting."""

    @property
    def code(self) -> str:
        """The message that says more, if there is one."""
        return _CODES.get(self.name, "")


def examine(settings: Settings, *, musts_only: bool = False) -> list[Finding]:
    """Look at every condition, several at a time; what was found, in the order of the list."""

    def one(check: "Check") -> list[Finding]:
        name, must, look = check
        try:
            return [Finding(name, passed, found, "" if passed else remedy, must) for passed, found, remedy in look(settings)]
        except Exception as error:  # whatever stands in the way of an answer is the answer
            return [Finding(name, False, f"no answer: {type(error).__name__}", "make the neighbour reachable, then look again", must, False)]

    with ThreadPoolExecutor(8) as pool:
        return [found for some in pool.map(one, (c for c in _CHECKS if c[1] or not musts_only)) for found in some]


def refusals(settings: Settings, patience: float = 60) -> list[Finding]:
    """The musts that fail and that nobody has allowed by name. Neighbours that start at the same time get a while."""
    deadline = time.monotonic() + patience
    while True:
        failing = [found for found in examine(settings, musts_only=True) if not found.passed and found.name not in settings.allow]
        if not failing or any(found.is_definite for found in failing) or time.monotonic() > deadline:
            return failing
        time.sleep(0.2)


Answer = Iterator[tuple[bool, str, str]]
Check = tuple[str, bool, Callable[[Settings], Answer]]


def _bucket(settings: Settings) -> Answer:
    """It is there, and keeps first-writer-wins: every promise rests on that."""
    store = _store(settings)
    key = probe(f"doctor-{os.getpid()}-{time.time_ns()}", *settings.work.firms[:1])
    try:
        first, second = store.put_once(key, to_json({"first": True})), store.put_once(key, to_json({"first": False}))
        tag = store.get_tagged(key)[1]
        swapped, lost = store.swap(key, to_json({"n": 2}), tag), store.swap(key, to_json({"n": 3}), tag)
    except StorageRefused as refusal:
        if refusal.code == "CF-144":
            raise  # the bucket may be made in a moment
        yield False, f"it can't be used ({refusal.code})", CODES[refusal.code].do
        return
    finally:
        _forget(store, key)
    holds = (first, second, swapped, lost) == (True, False, True, False)
    yield holds, "writes are kept apart" if holds else "two writers both won", "use an S3 server with conditional writes (If-None-Match, If-Match)"


def _forget(store: Any, key: str) -> None:
    try:
        store.delete(key)
    except CaseferryError:
        return  # a role that may delete nothing but marks of open work leaves a few bytes


def _private(settings: Settings) -> Answer:
    public = _store(settings).is_public()
    yield not public, "anybody can read it" if public else "nobody else can read it", "block public access on the bucket"


def _encryption(settings: Settings) -> Answer:
    chosen = settings.s3.encryption
    yield chosen != "none", f"objects are written with {chosen}", "set CASEFERRY_S3__ENCRYPTION to AES256 or aws:kms"


def _transport(settings: Settings) -> Answer:
    endpoint = settings.s3.endpoint
    safe = endpoint is None or str(endpoint).startswith("https") or _is_here(str(endpoint))
    yield safe, "the bucket is reached by TLS" if safe else "the bucket is reached in the clear", "use an https endpoint"


def _wiring(settings: Settings) -> Answer:
    events = settings.events
    sources = [name for name, on in (("webhook", events.webhook_port is not None), ("SQS", events.sqs_queue_url), ("Redis list", events.redis_url)) if on]
    yield bool(sources), f"uploads are heard of by {' and '.join(sources)}" if sources else "no source of events is set; only the sweep finds uploads", "set CASEFERRY_EVENTS__WEBHOOK_PORT, __SQS_QUEUE_URL or __REDIS_URL"
    if events.sqs_queue_url:
        from caseferry.services.aws import make_client

        client = make_client("s3", settings.s3)
        wired = client.get_bucket_notification_configuration(Bucket=settings.s3.bucket)
        names = [one["QueueArn"].rsplit(":", 1)[-1] for one in wired.get("QueueConfigurations", ())]
        told = events.sqs_queue_url.rstrip("/").rsplit("/", 1)[-1] in names or "EventBridgeConfiguration" in wired
        yield told, "the bucket tells the queue" if told else "the bucket does not tell that queue", "see NotificationConfiguration in deploy/aws.yaml"


def _broker(settings: Settings) -> Answer:
    if _redis(settings) is not None:  # or it does not answer, and says so
        yield True, "it answers", ""
        return
    from kombu import Connection

    from workers.transport import transport_options

    with Connection(settings.broker.url.get_secret_value(), transport_options=transport_options(settings.broker), connect_timeout=5) as one:
        one.ensure_connection(max_retries=1, timeout=5)
        yield True, "it answers", ""


def _eviction(settings: Settings) -> Answer:
    client = _redis(settings)
    if client is not None:
        policy = _said(client, "maxmemory-policy", "memory", "maxmemory_policy")
        yield policy == "noeviction", f"under memory pressure it goes by {policy}", "set maxmemory-policy noeviction: one evicted key is a whole queue"


def _persistence(settings: Settings) -> Answer:
    client = _redis(settings)
    if client is not None:
        kept = client.info("persistence").get("aof_enabled") == 1 or bool(_said(client, "save", "", ""))
        yield kept, "messages outlive a restart" if kept else "messages die with it", "set appendonly yes, appendfsync everysec; until then a restart costs seconds, never a row"


def _broker_transport(settings: Settings) -> Answer:
    url = settings.broker.url.get_secret_value()
    kind = url.split(":", 1)[0]
    safe = kind in {"rediss", "amqps"} or (kind == "sqs" and settings.broker.is_secure) or _is_here(url)
    yield safe, "the broker is reached by TLS, or on this computer" if safe else "the broker is reached in the clear", "use rediss:// or amqps://"


def _broker_password(settings: Settings) -> Answer:
    url = settings.broker.url.get_secret_value()
    safe = url.startswith("sqs") or _is_here(url) or bool(urlsplit(url).password)
    yield safe, "the broker asks who we are, or is on this computer" if safe else "anybody may write to the broker", "give Redis an ACL user limited to caseferry:* and put it into CASEFERRY_BROKER__URL"


def _workers(settings: Settings) -> Answer:
    """What a run may wait for in vain. Where no worker answers, none may have been started yet."""
    from workers.app import QUEUES, make_app

    if settings.broker.url.get_secret_value().startswith("sqs"):
        return  # it carries no questions to workers
    answers: dict[str, Any] = {}
    deaf = list(QUEUES)
    for seconds in (1, 4):  # one that is busy, or lets all others go first, may take a while
        answers |= make_app(settings).control.inspect(timeout=seconds).active_queues() or {}
        heard = {queue["name"] for queues in answers.values() for queue in queues}
        deaf = [name for name in QUEUES if name not in heard]
        if not deaf:
            break
    if answers:
        yield not deaf, "somebody listens to every queue" if not deaf else f"nobody listens to {', '.join(deaf)}", "start a worker on it, as deploy/compose.yaml does"


def _clock(settings: Settings) -> Answer:
    answer = _store(settings).client.list_objects_v2(Bucket=settings.s3.bucket, Prefix=probe("clock", *settings.work.firms[:1]), MaxKeys=1)
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = abs((datetime.now(UTC) - theirs).total_seconds())
    yield skew < MOST_SKEW, f"it is {skew:.0f} s off the bucket's", "set the clock by NTP"


def _scratch(settings: Settings) -> Answer:
    folder = tempfile.gettempdir()
    try:
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x" * 4096)
            file.flush()
    except OSError as error:
        yield False, f"nothing can be written to it ({type(error).__name__})", "point TMPDIR at a folder that can be written to"
        return
    free, inodes = shutil.disk_usage(folder).free, os.statvfs(folder)
    enough = free >= LEAST_SCRATCH and (inodes.f_files == 0 or inodes.f_favail > 1000)
    yield enough, f"{free >> 20} MiB and {inodes.f_favail} names are free; {LEAST_SCRATCH >> 20} MiB are needed", "free some, or point TMPDIR at a larger disk"


def _readers(settings: Settings) -> Answer:
    """Foreign bytes are read behind the guard, and the guard holds."""
    from caseferry.reading.guard import ask

    limits = settings.limits
    held = ask("workers.doctor:what_a_reader_may", b"x", "", limits).made
    yield held["answer"], "a reader starts and answers", "see which limit of CASEFERRY_LIMITS is too low for this computer"
    yield not held["network"], "a reader has no network" if not held["network"] else "a reader could reach the network", "run on Linux with seccomp, as every container engine has it"


def what_a_reader_may(data: object, limits: dict[str, Any], blobs: object) -> dict[str, bool]:
    """Run behind the guard: what is possible there."""
    try:
        socket.socket().close()
        network = True
    except OSError:
        network = False
    return {"answer": True, "network": network}


def _webhooks(settings: Settings) -> Answer:
    from caseferry.services.http import AddressRefused, check_address

    for endpoint in settings.webhook.endpoints:
        try:
            _, address, port = check_address(endpoint.url, settings.webhook.allow_networks, settings.webhook.allow_ports)
            with socket.create_connection((address, port), timeout=5):
                yield True, f"{endpoint.id} can be reached", ""
        except AddressRefused as refused:
            yield False, f"{endpoint.id}: {refused.why}", "use a public https address, or CASEFERRY_WEBHOOK__ALLOW_NETWORKS"
        except OSError as error:
            yield False, f"{endpoint.id} can't be reached ({type(error).__name__})", "start the receiver, or let us through to it"


def _audit(settings: Settings) -> Answer:
    signed = settings.audit.key is not None
    yield signed, "the log of each run is signed" if signed else "the log of each run is chained but not signed", "set CASEFERRY_AUDIT__KEY: caseferry audit key"


_CHECKS: tuple[Check, ...] = (
    ("bucket", True, _bucket),
    ("bucket.private", True, _private),
    ("bucket.encryption", True, _encryption),
    ("bucket.tls", True, _transport),
    ("bucket.events", False, _wiring),
    ("broker", True, _broker),
    ("broker.eviction", True, _eviction),
    ("broker.persistence", False, _persistence),
    ("broker.tls", True, _broker_transport),
    ("broker.password", True, _broker_password),
    ("workers", False, _workers),
    ("clock", True, _clock),
    ("scratch", True, _scratch),
    ("readers", True, _readers),
    ("webhooks", False, _webhooks),
    ("audit.signed", False, _audit),
)
_CODES = {
    "bucket": "CF-116", "bucket.private": "CF-134", "broker": "CF-117", "broker.eviction": "CF-117", "broker.tls": "CF-117",
    "broker.password": "CF-117", "clock": "CF-143", "scratch": "CF-120", "webhooks": "CF-118",
}  # fmt: skip
NAMES = tuple(name for name, _, _ in _CHECKS)


def _store(settings: Settings) -> Any:
    return _store_at(settings.s3)


@lru_cache(maxsize=1)
def _store_at(given: S3Settings) -> Any:
    """One client for all checks: making one costs more than asking with it."""
    from caseferry.services.s3 import S3Store

    return S3Store(given)


def _redis(settings: Settings) -> Any:
    """A client of the broker, if it is one of that family and answers."""
    from workers.transport import client_of, is_redis

    if not is_redis(settings.broker):
        return None
    client = client_of(settings.broker)
    client.ping()
    return client


def _said(client: Any, setting: str, section: str, field: str) -> str:
    """A setting of the broker; where it may not be asked for, what its own figures tell."""
    import redis

    try:
        return str(client.config_get(setting).get(setting, ""))
    except redis.ResponseError:
        return str(client.info(section).get(field, "")) if section else ""


def _is_here(url: str) -> bool:
    """True for an address of this computer alone, or for several that all are."""
    if ";" in url:
        return all(map(_is_here, url.split(";")))
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or url.startswith("unix:") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

