"""News of uploads: doubled, out of order, lost, early, odd; and folders that are watched."""

import itertools
import json
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from caseferry.services.folder import FolderStore
from tasks.intake.arrive import arrive
from tasks.journey import Ticket
from tasks.stage import Services, perform, present, run_of
from tests.crossing import CHOICES, ONE_CARD, ONE_MATTER, firm, packed
from tests.faults.campaign import Counts, Ground, fault
from tests.faults.firms import export
from tests.faults.order import KEY, services_at
from workers.doorbell import keys_in
from workers.inprocess import cross
from workers.listener import watch_folder
from workers.reconciler import missed_uploads, sweep

BUCKET = "caseferry"


def record(key: str, name: str = "ObjectCreated:Put", sequencer: str = "0A", version: str = "2.1", **more: Any) -> dict[str, Any]:
    """One record of an S3 event, as the service writes it."""
    thing = {"key": quote_plus(key), "size": 1, "eTag": "e", "sequencer": sequencer, **more}
    return {"eventVersion": version, "eventSource": "aws:s3", "eventName": name, "s3": {"bucket": {"name": BUCKET}, "object": thing}}


def event(*records: dict[str, Any]) -> bytes:
    return json.dumps({"Records": list(records)}).encode()


def claims(services: Services) -> list[str]:
    return [stat.key for stat in services.store.listing("migrations/") if stat.key.endswith("arrival.json")]


def all_at_once(work: list[Any]) -> list[Any]:
    gate, results = threading.Barrier(len(work)), []

    def go(one: Any) -> None:
        gate.wait()
        results.append(one())

    threads = [threading.Thread(target=go, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@fault(1, 7)
def one_event_many_times_at_once(ground: Ground) -> Counts:
    """Ten deliveries at once become one run; twenty claims at once, many rounds, one winner each."""
    services = services_at(ground.folder / "ten")
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put(KEY, export(1, 2))
    heard = [key for _ in range(10) for key in keys_in(event(record(KEY)), BUCKET)]
    tickets = all_at_once([lambda key=key: arrive(services, key) for key in heard])
    assert len({one[0] for one in tickets}) == 1 and len(claims(services)) == 1
    run = run_of(tickets[0][0])
    all_at_once([lambda: cross(services_at(ground.folder / "ten"), run) for _ in range(4)])
    cross(services, run)
    events = [json.loads(services.store.get(run.home + key)) for key in present(services.store, run) if key.startswith("events/0")]
    assert len({one["id"] for one in events}) == len(events) == len({one["key"] for one in events})
    rounds = ground.n(50, 5)
    winners = 0
    for number in range(rounds):
        where = ground.folder / f"claims-{number}"
        stores = [FolderStore(where) for _ in range(20)]
        winners += sum(all_at_once([lambda store=store, n=n: store.put_once("claim", b"%d" % n) for n, store in enumerate(stores)]))
    assert winners == rounds
    return {"deliveries": 10, "runs": 1, "claims at once": 20, "rounds": rounds, "winners a round": 1, "extra events": 0}


@fault(2)
def versions_in_every_order(ground: Ground) -> Counts:
    """Two versions of one key, two events each, in all 24 orders; the moments the object is replaced at go round with them."""
    runs = superseded = 0
    orders = list(itertools.permutations(["v1", "v1 again", "v2", "v2 again"]))
    for number, order in enumerate(orders if ground.full else ground.dice.sample(orders, 3)):
        for replaced_after in {number % 5, (number + 2) % 5} if ground.full else {2 * number}:
            services = services_at(ground.folder / f"{number}-{replaced_after}")
            services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
            services.store.put(KEY, packed(firm()))
            tickets: set[Ticket] = set()
            for place, _ in enumerate(order):
                if place == replaced_after:
                    services.store.put(KEY, packed(firm(cards=ONE_CARD + ",Ada,Lee,,,\n")))
                tickets |= set(arrive(services, KEY))
            if replaced_after >= len(order):
                services.store.put(KEY, packed(firm(cards=ONE_CARD + ",Ada,Lee,,,\n")))
                tickets |= set(arrive(services, KEY))
            states = [cross(services, run_of(ticket)) for ticket in sorted(tickets)]
            ends = [json.loads(services.store.get(run_of(t).at("refused.json")))["code"] for t, s in zip(sorted(tickets), states, strict=True) if s == "refused"]
            assert sum(1 for state in states if state == "completed") == 1 and set(ends) <= {"CF-140"}, states
            runs += 1
            superseded += len(ends)
    return {"orders": ground.n(len(orders), 3), "runs that completed": runs, "versions superseded by name": superseded, "mixed": 0}


@fault(3)
def an_event_that_never_comes(ground: Ground) -> Counts:
    services = services_at(ground.folder)
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    for number in range(5):
        services.store.put(f"drops/firm/trial-{number}/x.zip", export(number, 2))
    missed = len(list(missed_uploads(services)))
    sweep(services, lambda key: arrive(services, key))
    again = list(missed_uploads(services))
    assert (missed, len(claims(services)), again) == (6, 5, [])
    return {"uploads": 5, "found by one sweep": len(claims(services)), "rung again": len(again), "seconds between sweeps": 60}


@fault(4)
def news_that_is_none(ground: Ground) -> Counts:
    good = record(KEY, version="2.9", future={"x": [1]})
    odd: list[bytes] = [
        b'{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"caseferry"}', event(record(KEY, "ObjectRemoved:Delete")),
        event(record(KEY, "ReducedRedundancyLostObject")), event({"eventVersion": "3.0"}), b"null", b"[]", b"{", b"\xff\xfe", b"[" * 100_000,
        json.dumps({"Records": [None, 1, "x", {"eventName": "ObjectCreated:Put", "s3": None}]}).encode(), event(record("other/x.zip")).replace(b"caseferry", b"elsewhere"),
        json.dumps({"Records": "x"}).encode(), json.dumps({"Type": "Notification", "Message": "{"}).encode(),
    ]  # fmt: skip
    assert [keys_in(message, BUCKET) for message in odd] == [[] for _ in odd]
    assert keys_in(event(good), BUCKET) == [KEY]
    return {"messages": len(odd) + 1, "heard of those that are none": 0, "errors": 0}


@fault(5)
def keys_of_every_spelling(ground: Ground) -> Counts:
    names = [
        "an export.zip", "a+b.zip", "100%.zip", "Müller.zip", "Cafe\u0301.zip", "a%2Fb.zip", "x" * 200 + ".zip", "=1+1.zip", "'quoted'.zip", "日本.zip", "a&b;c.zip", "tab​less.zip".replace("​", ""),
        "deep/er/export.zip",
    ]  # fmt: skip
    services = services_at(ground.folder)
    read = refused = 0
    for number, name in enumerate(names):
        key = f"drops/firm/trial-{number}/{name}"
        data = packed(firm(cards=ONE_CARD + f",Ada,Lee{number},,,\n"))
        services.store.put(f"drops/firm/trial-{number}/migration.json", json.dumps(CHOICES).encode())
        services.store.put(key, data)
        heard = keys_in(event(record(key)), BUCKET)
        assert heard == [key], name
        tickets = arrive(services, heard[0])
        if not tickets:
            refused += 1
            continue
        perform(services, tickets[0])
        manifest = json.loads(services.store.get(run_of(tickets[0]).at("0-original", "manifest.json")))
        assert services.store.get(manifest["files"][0]["key"]) == data and manifest["files"][0]["name"] == name.rsplit("/", 1)[-1]
        read += 1
    assert (read, refused) == (len(names), 0)
    return {"keys": len(names), "right object read": read, "not taken": refused}


@fault(6)
def an_event_before_its_object(ground: Ground) -> Counts:
    services = services_at(ground.folder / "early")
    assert arrive(services, KEY) == []
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put(KEY, export(1, 2))
    ticket = arrive(services, KEY)[0]
    real, looks = services.store.save, [0]

    def late(key: str, path: Path, version: Any = None) -> None:
        looks[0] += version is not None
        if version is not None and looks[0] < 4:
            raise KeyError(key)
        real(key, path, version)

    services.store.save = late  # type: ignore[method-assign]
    assert cross(services, run_of(ticket)).startswith("completed")
    gone = services_at(ground.folder / "gone")
    gone.store.put(KEY, export(1, 2))
    ticket = arrive(gone, KEY)[0]
    gone.store.delete(KEY)
    began = time.monotonic()
    assert cross(gone, run_of(ticket)) == "refused"
    code = json.loads(gone.store.get(run_of(ticket).at("refused.json")))["code"]
    assert code == "CF-141"
    return {"looks until it was there": looks[0], "end of the one that was gone": code, "seconds to it": round(time.monotonic() - began, 1)}


@fault(10)
def nothing_to_start_from(ground: Ground) -> Counts:
    services = services_at(ground.folder)
    started = 0
    for key, data in (("drops/firm/trial/empty.zip", b""), ("drops/firm/trial/folder/", b""), ("drops/firm/trial/.uploads/part", b"PK"), ("drops/firm/x.zip", b"PK\x03\x04")):
        if not key.endswith("/"):
            services.store.put(key, data)
        started += len(arrive(services, key))
    embedded = {"event_type": "create", "key": f"/buckets/{BUCKET}/drops/firm/trial/.uploads/1.part", "message": {"new_entry": {}}}
    started += len(keys_in(json.dumps(embedded), BUCKET))
    assert started == 0 and claims(services) == []
    return {"objects": 5, "runs started": started}


@fault(105)
def a_file_behind_the_closing_one(ground: Ground) -> Counts:
    """Loose files, closed; then a file more. The sweep looks again and again: no half drop starts until it is closed."""
    services = services_at(ground.folder)
    services.store.put("migrations/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/cards.csv", ONE_CARD.encode())
    services.store.put("drops/firm/trial/matters.csv", ONE_MATTER.encode())
    services.store.put("drops/firm/trial/_complete", b"")
    first = arrive(services, "drops/firm/trial/_complete")[0]
    assert cross(services, run_of(first)) == "completed"
    services.store.put("drops/firm/trial/notes.csv", b"Date,Subject,File Note,Matter No\n31/05/2024,a,b,24-0001\n")
    early = [key for _ in range(3) for key in missed_uploads(services)]
    time.sleep(0.01)
    services.store.put("drops/firm/trial/_complete", b"")
    found = list(missed_uploads(services))
    second = arrive(services, found[0])[0]
    assert cross(services, run_of(second)) == "completed" and second.run != first.run
    assert early == [] and found == ["drops/firm/trial/_complete"]
    return {"half drops started": len(early), "whole drops started": 2}


@fault(11)
def a_watched_folder(ground: Ground) -> Counts:
    """A slow writer, a rename into place, and twenty kinds of leftovers."""
    leftovers = [
        ".DS_Store", "~$x.xlsx", "Thumbs.db", "desktop.ini", "x.part", "x.crdownload", "x.tmp", "x.partial", ".~lock.x#", "@eaDir/x", "__MACOSX/x", ".stfolder/x", ".syncthing.x.tmp",
        "x.download", "x.filepart", "#recycle/x", "$RECYCLE.BIN/x", ".Trash-0/x", "x.swp", ".nfs0001",
    ]  # fmt: skip
    home = ground.folder / "drops" / "firm" / "trial"
    home.mkdir(parents=True)
    sent: list[tuple[str, bytes]] = []
    stopping = threading.Event()
    thread = threading.Thread(target=watch_folder, args=(ground.folder / "drops", lambda key, data: sent.append((key, data)), stopping), kwargs={"quiet": 1.0}, daemon=True)
    thread.start()
    for name in leftovers:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"left over")
    data = export(1, 2)
    with (home / "slow.zip").open("wb") as file:
        step = max(1, len(data) // ground.n(20, 8))
        for at in range(0, len(data), step):
            file.write(data[at : at + step])
            file.flush()
            time.sleep(0.2)
    (home / "moving.zip.part").write_bytes(data + b"")
    (home / "moving.zip.part").rename(home / "moved.zip")
    deadline = time.monotonic() + 120
    while len(sent) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    stopping.set()
    thread.join(10)
    assert sorted(key for key, _ in sent) == ["drops/firm/trial/moved.zip", "drops/firm/trial/slow.zip"], [key for key, _ in sent]
    assert all(body == data for _, body in sent)
    return {"files": 2, "sent": len(sent), "sent before they were whole": 0, "leftovers": len(leftovers), "leftovers sent": 0}


