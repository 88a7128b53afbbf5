"""The object store busy, cut off, forgetful, lying, or closed to us."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from caseferry.errors import CaseferryError, PassingFault, StorageRefused
from caseferry.services.s3 import S3Store
from config.settings import S3Settings, Settings
from tasks.intake.arrive import arrive
from tasks.journey import JOURNEY
from tasks.news import tell
from tasks.stage import Services, run_of
from tests.crossing import firm, noon, packed
from tests.faults.campaign import Counts, Ground, fault
from tests.faults.deployment import Deployment, deployed
from tests.faults.firms import export
from tests.faults.workers import PART_ROWS, clean
from workers.inprocess import cross

KEY = "drops/firm/trial/x.zip"


def store_of(there: Deployment, endpoint: str = "") -> S3Store:
    given = {"bucket": "caseferry", "endpoint": endpoint or there.stack.endpoint, "access_key": there.stack.access_key, "secret_key": there.stack.secret_key, "timeout": "PT2S"}
    return S3Store(S3Settings.model_validate(given))


def services_of(store: Any) -> Services:
    return Services(store, Settings(_env_file=None, work={"part_rows": 2}), clock=noon, tell=tell)


def carried(services: Services, run: Any, tries: int = 200) -> tuple[str, int]:
    """Carry a run on as its workers would, trying again on passing faults, and where it stands still for no reason of
    its own, as the reconciler would; the state, and how many faults there were.
    """
    faults = 0
    while True:
        try:
            state = cross(services, run)
            if state not in {*(step.state for step in JOURNEY), "arrived"} or faults >= tries:
                return state, faults
        except CaseferryError:
            if faults >= tries:
                raise
        faults += 1
        time.sleep(0.05)


def begun(there: Deployment, firm_id: str, data: bytes, store: S3Store | None = None) -> tuple[Services, Any]:
    services = services_of(store or store_of(there))
    there.upload(f"{firm_id}/trial", data)
    for _ in range(60):
        try:
            return services, run_of(arrive(services, f"drops/{firm_id}/trial/x.zip")[0])
        except CaseferryError:
            time.sleep(0.05)
    raise AssertionError("the upload could not be claimed")


def made(there: Deployment, run: Any) -> dict[str, bytes]:
    keys = [key for key in there.keys(f"{run.firm}/{run.migration}") if key.startswith(run.home)]
    wanted = [key for key in keys if "/3-merge/files/" in key or key.endswith(("ledger.json", "report.html"))]
    return {key.rsplit("/", 1)[1]: there.get(key) for key in wanted}


def undisturbed(folder: Path, data: bytes) -> dict[str, bytes]:
    """What `made` must find: the work of one process over a bucket of files."""
    return {name: body for name, body in clean(folder, data, clock=noon).items() if not name.endswith((".xlsx", ".csv.gz"))}


@contextmanager
def after_a_clean_run(folder: Path, data: bytes) -> Iterator[tuple[Deployment, dict[str, bytes]]]:
    """A deployment, and what an undisturbed run makes of `data`."""
    with deployed(folder) as there:
        yield there, undisturbed(folder / "clean", data)


def answer(status: int, code: str) -> Callable[..., AWSResponse]:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()

    class Raw:
        def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
            yield body

        def read(self, *_: Any) -> bytes:
            return body

    return lambda **_: AWSResponse("http://x", status, HTTPHeaders.from_dict({"content-type": "application/xml"}), Raw())


@fault(12, 8)
def busy_broken_and_lying(ground: Ground) -> Counts:
    """503 four times in a row, 500s, colliding writes; then a way on which connections break, bodies are cut and bits flip."""
    data = export(2, 4)
    with after_a_clean_run(ground.folder, data) as (there, expected):
        store = store_of(there)
        counts: Counts = {"busy answers": 0, "collisions": 0}
        run_lengths = [0]

        def busy(**given: Any) -> AWSResponse | None:
            if run_lengths[0] > 0:
                run_lengths[0] -= 1
                counts["busy answers"] = int(counts["busy answers"]) + 1
                return answer(*((503, "SlowDown"), (500, "InternalError"))[run_lengths[0] % 2])()
            if ground.dice.random() < 0.02:
                run_lengths[0] = 4
            elif ground.dice.random() < 0.05 and given["request"].method == "PUT":
                counts["collisions"] = int(counts["collisions"]) + 1
                return answer(409, "ConditionalRequestConflict")()
            return None

        services, run = begun(there, "busy", data, store)
        store.client.meta.events.register("before-send.s3", busy)
        state, faults = carried(services, run)
        assert state.startswith("completed") and made(there, run) == expected
        counts["faults that reached a step"] = faults
        proxy = there.proxy("store")
        runs = ground.n(3, 1)
        for kind, share in (("reset_peer", 0.02), ("flip", 0.05 if ground.full else 0.03)):
            for number in range(runs if kind == "flip" else max(1, runs // 2)):
                name = f"{kind.replace('_', '-')}-{number}"
                services, run = begun(there, name, data, store_of(there, f"http://127.0.0.1:{proxy.port}"))
                proxy.set(kind, share=share)
                state, _ = carried(services, run)
                proxy.set()
                found = made(there, run)
                assert state.startswith("completed"), (name, state)
                assert found == expected, (name, [key for key in expected if found.get(key) != expected[key]])
                everything_reads(there, run)
        counts |= {"bits flipped": proxy.flipped, "flips that went unnoticed": 0, "outputs that differ": 0}
        assert proxy.flipped >= (100 if ground.full else 1), proxy.flipped
    return counts


def everything_reads(there: Deployment, run: Any) -> None:
    """Each object of a run is what was meant to be stored: its own checksum fits."""
    store = store_of(there)
    for stat in store.listing(run.home):
        store.get(stat.key)


@fault(9)
def an_object_replaced_while_it_is_read(ground: Ground) -> Counts:
    rounds = ground.n(7, 2)
    old, new = export(1, 3), export(2, 4)
    ends: dict[str, int] = {}
    with deployed(ground.folder) as there:
        expected = {name: undisturbed(ground.folder / name, data) for name, data in (("old", old), ("new", new))}
        for number in range(rounds):
            services, run = begun(there, f"round-{number}", old)
            pause = ground.dice.uniform(0, 0.15)

            def replace(number: int = number, pause: float = pause) -> None:
                time.sleep(pause)
                there.client.put_object(Bucket="caseferry", Key=f"drops/round-{number}/trial/x.zip", Body=new)

            thread = threading.Thread(target=replace)
            thread.start()
            state, _ = carried(services, run)
            thread.join()
            later = run_of(arrive(services, f"drops/round-{number}/trial/x.zip")[0])
            assert later != run and carried(services, later)[0].startswith("completed")
            assert made(there, later) == expected["new"]
            if state == "refused":
                assert json.loads(services.store.get(run.at("refused.json")))["code"] == "CF-140"
            else:
                assert made(there, run) == expected["old"]
            ends[state] = ends.get(state, 0) + 1
    return {"rounds": rounds, "mixed": 0, "superseded by name": ends.get("refused", 0), "finished with the first version": sum(n for state, n in ends.items() if state != "refused")}


@fault(13)
def the_store_away_in_the_middle(ground: Ground) -> Counts:
    seconds = 45 if ground.full else 4
    data = export(2, 4)
    expected = clean(ground.folder / "clean", data)
    with deployed(ground.folder, **PART_ROWS) as there:
        proxy = there.proxy("store")
        there.start(workers=2)
        there.upload("firm/trial", data)
        there.wait("firm/trial", "1-split/tables.json")
        proxy.set("down")
        time.sleep(seconds)
        proxy.set()
        healed = time.monotonic()
        assert there.results("firm/trial") == expected
        after = time.monotonic() - healed
    assert after <= ground.within(60), after
    return {"seconds away": seconds, "seconds to the end after it": round(after, 1), "outputs that differ": 0}


@fault(14, 118)
def closed_to_us(ground: Ground) -> Counts:
    """Each refusal at the reading of an upload, and at everything at once; then the bucket opens again."""
    kinds = {"AccessDenied": (403, "CF-116"), "KMS.DisabledException": (400, "CF-142"), "PermanentRedirect": (301, "CF-144"), "RequestTimeTooSkewed": (403, "CF-143"), "NoSuchBucket": (404, "CF-144")}
    slowest = 0.0
    with deployed(ground.folder) as there:
        for number, (code, (status, expected)) in enumerate(kinds.items()):
            store = store_of(there)
            services, run = begun(there, f"firm-{number}", packed(firm()), store)
            refuse = answer(status, code)

            def only_the_upload(request: Any, refuse: Any = refuse, **_: Any) -> AWSResponse | None:
                found: AWSResponse | None = refuse() if "/drops/" in request.url and request.method == "GET" else None
                return found

            store.client.meta.events.register("before-send.s3.GetObject", only_the_upload)
            began = time.monotonic()
            assert cross(services, run) == "failed"
            slowest = max(slowest, time.monotonic() - began)
            assert json.loads(services.store.get(run.at("failed.json")))["code"] == expected, code
        store = store_of(there)
        services, run = begun(there, "early", packed(firm()), store)
        refuse_all, let_in = answer(403, "AccessDenied"), [False]
        store.client.meta.events.register("before-send.s3", lambda **_: None if let_in[0] else refuse_all())
        refused = 0
        for _ in range(3):
            try:
                cross(services, run)
            except (StorageRefused, PassingFault):
                refused += 1
        let_in[0] = True
        assert cross(services, run) == "completed" and refused == 3
    assert slowest <= ground.within(5)
    return {"kinds": len(kinds), "ended by name": len(kinds), "slowest, seconds": round(slowest, 1), "tries while shut out": refused, "completed once let in": 1}


@fault(15)
def a_rule_that_deletes_the_upload(ground: Ground) -> Counts:
    data = export(2, 4)
    with after_a_clean_run(ground.folder, data) as (there, expected):
        services, run = begun(there, "deleted", data)
        from tasks.journey import next_steps
        from tasks.stage import perform, present

        perform(services, next_steps((run.firm, run.migration, run.run), present(services.store, run))[0])
        for stat in list(services.store.listing("drops/deleted/")):
            services.store.delete(stat.key)
        assert carried(services, run)[0].startswith("completed")
        assert made(there, run) == expected
    return {"uploads deleted": 1, "finished from the copy": 1, "outputs that differ": 0}


@fault(103)
def an_answer_that_is_lost(ground: Ground) -> Counts:
    """Writes succeed, and their answers do not arrive: the client asks again and is told that somebody was first."""
    data = export(2, 4)
    with after_a_clean_run(ground.folder, data) as (there, expected):
        store = store_of(there)
        services, run = begun(there, "lost", data, store)
        dropped = [0]

        def again(attempts: int, **_: Any) -> int | None:
            if attempts == 1 and ground.dice.random() < 0.3:
                dropped[0] += 1
                return 0
            return None

        store.client.meta.events.register_first("needs-retry.s3.PutObject", again)
        assert cross(services, run).startswith("completed")
        assert made(there, run) == expected
        assert not any(".lost.json" in stat.key for stat in services.store.listing(run.home))
    assert dropped[0] > 5
    return {"answers lost": dropped[0], "own writes taken for another's": 0, "outputs that differ": 0}


@fault(114)
def an_object_damaged_at_rest(ground: Ground) -> Counts:
    """A part, a record file and the archive that came are damaged behind our back, their own checksums left as they were."""
    noticed = 0
    with deployed(ground.folder) as there:
        for number, (victim, wanted) in enumerate((("1-split/parts/", "transform"), ("2-transform/t001", "merge"), ("0-original/2", "split"), ("0-original/2", "verify"))):
            services, run = begun(there, f"firm-{number}", packed(firm()))
            from tasks.journey import next_steps
            from tasks.stage import perform, present

            while (able := next_steps((run.firm, run.migration, run.run), present(services.store, run)))[0].step != wanted:
                perform(services, able[0])
            key = next(stat.key for stat in services.store.listing(run.home) if stat.key.startswith(run.home + victim) and not stat.key.endswith(".json"))
            found = there.client.get_object(Bucket="caseferry", Key=key)
            body = found["Body"].read()
            at = 50 if victim == "0-original/2" else len(body) - 1  # in the first list
            there.client.put_object(Bucket="caseferry", Key=key, Body=body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :], Metadata=found["Metadata"])
            assert cross(services, run) == "failed"
            noticed += json.loads(services.store.get(run.at("failed.json")))["code"] == "CF-145"
    assert noticed == 4
    return {"objects damaged": 4, "noticed before anything was made of them": noticed}
