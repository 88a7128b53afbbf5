"""The broker lost, emptied, slow, full, forgetful, or full of rubbish: the bucket knows what is open."""

import base64
import json
import pickle
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis

from config.settings import Settings
from tests.faults.campaign import Counts, Ground, fault
from tests.faults.deployment import Deployment, deployed
from tests.faults.firms import export
from tests.faults.workers import PART_ROWS, clean
from workers.doctor import refusals
from workers.embedded import answers, revive


def through(ground: Ground, breaks: dict[str, Callable[[Deployment], None]], rounds: int, **environment: Any) -> Counts:
    """Runs under way while the broker is broken in each of these ways; every one must end with the clean bytes."""
    data = export(2, 4)
    expected = clean(ground.folder / "clean", data)
    counts: Counts = {"runs": 0, "outputs that differ": 0, "steps by hand": 0}
    slowest = 0.0
    with deployed(ground.folder, **PART_ROWS, **environment) as there:
        if "proxied" in ground.folder.name:
            there.proxy("broker")
        there.start(workers=2)
        for name, broken in breaks.items():
            for number in range(rounds):
                where = f"{name.replace(chr(32), chr(45))}-{number}/trial"
                there.upload(where, data)
                if number % 2 == 0:
                    there.wait(where, "1-split/tables.json")
                time.sleep(ground.dice.uniform(0, 0.8))
                broken(there)
                healed = time.monotonic()
                assert there.results(where) == expected, where
                slowest = max(slowest, time.monotonic() - healed)
                counts["runs"] = int(counts["runs"]) + 1
            counts[f"{name}, times"] = rounds
    return counts | {"slowest end after healing, seconds": round(slowest, 1)}


def _flush(there: Deployment) -> None:
    for _ in range(3):
        there.redis().flushall()
        time.sleep(0.4)


def _away(seconds: float, empty: bool) -> Callable[[Deployment], None]:
    def go(there: Deployment) -> None:
        server = there.stack.processes[0]
        server.kill()
        server.wait()
        time.sleep(seconds)
        if empty:
            for path in (there.stack.state / "valkey").rglob("*"):
                if path.is_file():
                    path.unlink()
        revive(there.stack)
        _until_up(there)

    return go


def _until_up(there: Deployment) -> None:
    deadline = time.monotonic() + 120
    while not answers(there.stack.ports["valkey"]) and time.monotonic() < deadline:
        time.sleep(0.05)


def _no_memory(there: Deployment) -> None:
    client = there.redis()
    client.config_set("maxmemory", "1mb")
    time.sleep(6)
    client.config_set("maxmemory", "0")


def _evicting(there: Deployment) -> None:
    client = there.redis()
    client.config_set("maxmemory-policy", "allkeys-random")
    client.config_set("maxmemory", "1mb")
    for number in range(2000):
        with suppress(redis.ResponseError):
            client.set(f"other-{number}", b"x" * 2000)
    client.config_set("maxmemory", "0")
    client.config_set("maxmemory-policy", "noeviction")


@fault(24, 25, 26)
def the_broker_flushed_killed_and_emptied(ground: Ground) -> Counts:
    away = 8 if ground.full else 2
    return through(ground, {"flushed": _flush, "killed": _away(away, False), "back empty": _away(away, True)}, 1) | {"away, seconds": away}


@fault(29)
def the_broker_out_of_memory_and_evicting(ground: Ground) -> Counts:
    return through(ground, {"out of memory": _no_memory, "evicting": _evicting}, 1)


@fault(27, 28)
def the_way_to_the_broker_bad(ground: Ground) -> Counts:
    """Half-open: what is sent vanishes and nobody hangs up. Then slow, cut small, and with connections that break."""
    seconds = 30 if ground.full else 4

    def half_open(there: Deployment) -> None:
        there.proxies[0].set("timeout")
        time.sleep(seconds)
        there.proxies[0].set("down")  # healing: what waited is lost with its connections
        there.proxies[0].set()

    def slow(there: Deployment) -> None:
        there.proxies[0].set("slicer", latency=0.15)
        time.sleep(seconds)
        there.proxies[0].set("reset_peer", share=0.3)
        time.sleep(seconds / 2)
        there.proxies[0].set("bandwidth", rate=125_000)
        time.sleep(seconds / 2)
        there.proxies[0].set()

    inner = Ground(ground.folder / "proxied", ground.full, ground.seed)
    rounds = 5 if ground.full else 1  # what breaks just while the broker is told of a message's end is rare
    return through(inner, {"half-open": half_open, "slow and lossy": slow}, rounds) | {"seconds of each": seconds}


@fault(31)
def rubbish_in_the_queue(ground: Ground) -> Counts:
    canary = ground.folder / "code-ran"

    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (canary,))

    def message(body: bytes, kind: str, task: str = "caseferry.split") -> bytes:
        return json.dumps({
            "body": base64.b64encode(body).decode(), "content-encoding": "binary", "content-type": kind,
            "headers": {"lang": "py", "task": task, "id": "x", "root_id": "x", "parent_id": None, "group": None},
            "properties": {"correlation_id": "x", "delivery_mode": 2, "delivery_info": {"exchange": "parts", "routing_key": "parts"}, "priority": 0, "body_encoding": "base64", "delivery_tag": "x"},
        }).encode()  # fmt: skip

    plain = json.dumps([[], {"firm": "../..", "migration": "x", "run": "y"}, {}]).encode()
    rubbish = [
        b"garbage", b"{", b"null", b"[]", b"\xff\xfe\x00", message(pickle.dumps(Evil()), "application/x-python-serialize"), message(b"{", "application/json"),
        message(b"[]", "application/json"), message(plain, "application/json", "caseferry.unknown"), message(plain, "application/json"),
        message(json.dumps([[1, 2, 3], {"nothing": "known"}, {}]).encode(), "application/json"), message(b"x" * (64 << 20) if ground.full else b"x" * (1 << 20), "application/json"),
    ]  # fmt: skip
    data = export(2, 4)
    expected = clean(ground.folder / "clean", data)
    slowest, restarts = 0.0, 0
    with deployed(ground.folder, **PART_ROWS) as there:
        there.start(workers=1, concurrency=1)
        there.upload("before/trial", data)
        there.results("before/trial")
        for number, one in enumerate(rubbish):
            there.redis().lpush("caseferry:parts", one)
            if ground.full or number in {5, len(rubbish) - 1}:
                began = time.monotonic()
                there.upload(f"after-{number}/trial", data)
                deadline = time.monotonic() + 900
                while not any(key.endswith("ledger.json") for key in there.keys(f"after-{number}/trial")) and time.monotonic() < deadline:
                    restarts += there.revive()
                    time.sleep(0.2)
                assert there.results(f"after-{number}/trial", seconds=5) == expected
                slowest = max(slowest, time.monotonic() - began)
    assert not canary.exists(), "a pickle was unpacked"
    return {"kinds of rubbish": len(rubbish), "code that ran": 0, "workers that ended and were started again": restarts, "slowest run behind it, seconds": round(slowest, 1)}


@fault(30, 117)
def a_neighbour_no_promise_can_rest_on(ground: Ground) -> Counts:
    """Evicting, unencrypted, without a password, public, without first-writer-wins: each refused by name, then allowed."""
    with deployed(ground.folder) as there:
        base: dict[str, Any] = {
            "s3": {"bucket": "caseferry", "endpoint": there.stack.endpoint, "access_key": there.stack.access_key, "secret_key": there.stack.secret_key},
            "broker": {"url": there.stack.broker},
        }  # fmt: skip

        def names(patience: float = 0, **changes: Any) -> list[str]:
            return sorted({found.name for found in refusals(Settings(_env_file=None, **(base | changes)), patience)})

        assert names() == []
        there.redis().config_set("maxmemory-policy", "allkeys-lru")
        assert names() == ["broker.eviction"]
        assert names(allow=("broker.eviction",)) == []
        started = there.add_worker()
        assert started.wait(300) == 78, "a worker started on an evicting broker"
        there.workers.clear()
        there.redis().config_set("maxmemory-policy", "noeviction")
        clear = {"s3": base["s3"] | {"endpoint": "http://s3.example:8333"}, "broker": {"url": "redis://broker.example:6379/0"}}
        found = names(**clear, allow=("bucket", "bucket.private", "clock"))
        assert {"bucket.tls", "broker.tls", "broker.password"} <= set(found), found
        assert "bucket.encryption" in names(s3=base["s3"] | {"encryption": "none"})
        proxy = there.proxy("store")
        careless = base["s3"] | {"endpoint": f"http://127.0.0.1:{proxy.port}"}
        from caseferry.services.s3 import S3Store

        real = S3Store.put_once
        S3Store.put_once = lambda self, key, data: self.put(key, data) or True  # type: ignore[method-assign,func-returns-value]
        try:
            assert "bucket" in names(s3=careless)
        finally:
            S3Store.put_once = real  # type: ignore[method-assign]
    return {"conditions broken": 6, "refused by name": 6, "started when allowed by name": 1}
