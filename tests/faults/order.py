"""Repeats, races, two of everything, and clocks that jump: over one bucket, in one process."""

import json
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from caseferry.manifest import FORMAT
from caseferry.services.folder import FolderStore
from config.settings import Settings
from tasks.attempts import begin, lost
from tasks.intake.arrive import arrive
from tasks.journey import Ticket, next_steps
from tasks.news import tell
from tasks.stage import Services, carry_out, perform, present, run_of
from tests.crossing import CHOICES, noon
from tests.faults.campaign import Counts, Ground, fault
from tests.faults.crashes import outcome
from tests.faults.firms import export
from workers.inprocess import cross
from workers.reconciler import reconcile

KEY = "drops/firm/trial/x.zip"


def services_at(bucket: Path, seconds: float = 0, **settings: Any) -> Services:
    given = Settings(_env_file=None, **{"work": {"part_rows": 2}, **settings})
    return Services(FolderStore(bucket), given, clock=lambda: noon() + timedelta(seconds=seconds), tell=tell)


def begun(bucket: Path, seed: int = 1, **choices: Any) -> tuple[Services, Ticket]:
    services = services_at(bucket)
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES | choices).encode())
    services.store.put(KEY, export(seed, 3))
    return services, arrive(services, KEY)[0]


def ready_for(services: Services, ticket: Ticket, step: str) -> list[Ticket]:
    """Carry the run on until this step is next."""
    name = (ticket.firm, ticket.migration, ticket.run)
    while (able := next_steps(name, present(services.store, run_of(ticket))))[0].step != step:
        perform(services, able[0])
    return able


@fault(22, 40)
def every_message_twice(ground: Ground) -> Counts:
    """Each step is carried out, then asked for again; at last every message of the whole run comes once more."""
    services, first = begun(ground.folder / "twice")
    run, seen, writes = run_of(first), [first], 0
    while able := next_steps((first.firm, first.migration, first.run), present(services.store, run)):
        for ticket in able:
            perform(services, ticket)
            seen.append(ticket)
            before = {stat.key: services.store.stat(stat.key) for stat in services.store.listing(run.home)}
            perform(services, ticket)
            after = {stat.key: services.store.stat(stat.key) for stat in services.store.listing(run.home)}
            writes += before != after
    settled = {stat.key: services.store.stat(stat.key) for stat in services.store.listing(run.home)}
    began = datetime.now()
    for ticket in [*seen, *reversed(seen)]:
        perform(services, ticket)
    took = (datetime.now() - began).total_seconds() / (2 * len(seen))
    assert {stat.key: services.store.stat(stat.key) for stat in services.store.listing(run.home)} == settled
    other, ticket = begun(ground.folder / "once")
    cross(other, run_of(ticket))
    assert outcome(ground.folder / "twice") == outcome(ground.folder / "once") and writes == 0
    assert took < ground.within(0.2)
    return {"messages": 2 * len(seen), "writes by repeats": writes, "seconds for one repeat": round(took, 3)}


@fault(23)
def the_last_two_parts_at_once(ground: Ground) -> Counts:
    """The last parts end behind one gate, then as many ask for the merge and the proof together."""
    rounds = ground.n(60, 8)
    merged = set()
    ready = ground.folder / "ready"
    services, first = begun(ready)
    *_, last, very_last = ready_for(services, first, "transform")
    for ticket in next_steps((first.firm, first.migration, first.run), present(services.store, run_of(first))):
        if ticket not in {last, very_last}:
            perform(services, ticket)
    import shutil

    for number in range(rounds):
        bucket = ground.folder / f"round-{number}"
        shutil.copytree(ready, bucket)
        here = services_at(bucket)
        gate = threading.Barrier(2)

        def go(ticket: Ticket, here: Services = here, gate: threading.Barrier = gate) -> None:
            gate.wait()
            seen = carry_out(here, ticket, present(here.store, run_of(ticket)))
            for following in next_steps((ticket.firm, ticket.migration, ticket.run), seen):
                perform(here, following)

        threads = [threading.Thread(target=go, args=(one,)) for one in (last, very_last)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cross(here, run_of(first))
        keys = [stat.key for stat in here.store.listing(run_of(first).home)]
        assert sum(1 for key in keys if key.endswith("3-merge/manifest.json")) == 1
        assert not any(key.endswith((".lost.json", "failed.json")) for key in keys)
        merged.add(here.store.get(run_of(first).at("3-merge", "manifest.json")))
        events = [json.loads(here.store.get(key)) for key in keys if "/events/0" in key]
        assert sum(1 for event in events if event["type"] == "job.merged") == 1
        shutil.rmtree(bucket)
    assert len(merged) == 1
    return {"rounds": rounds, "merges that differ": 0, "merged events a run": 1}


@fault(36)
def two_runs_of_one_firm(ground: Ground) -> Counts:
    bucket = ground.folder / "both"
    services, first = begun(bucket, 1)
    services.store.put("drops/firm/trial/delta.zip", export(2, 4))
    second = arrive(services, "drops/firm/trial/delta.zip")[0]
    results: dict[str, str] = {}

    def go(ticket: Ticket) -> None:
        results[ticket.run] = cross(services_at(bucket), run_of(ticket))

    threads = [threading.Thread(target=go, args=(one,)) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone, ticket = begun(ground.folder / "alone", 1)
    cross(alone, run_of(ticket))
    here = {stat.key.split("/", 5)[-1]: services.store.get(stat.key) for stat in services.store.listing(run_of(first).home)}
    there = outcome(ground.folder / "alone")
    assert {key: data for key, data in here.items() if key in there} == there
    assert len(results) == 2 and all(state.startswith("completed") for state in results.values())
    return {"runs": 2, "objects mixed": 0}


@fault(37, 111)
def two_reconcilers(ground: Ground) -> Counts:
    """Two look at the same runs at the same moments, and what they remember is damaged between two looks."""
    sent: dict[int, list[Ticket]] = {1: [], 2: []}
    for many in (1, 2):
        services, first = begun(ground.folder / f"with-{many}")
        seconds = 0
        while next_steps((first.firm, first.migration, first.run), present(services.store, run_of(first))):
            seconds += 10
            assert seconds < 3000
            for _ in range(many):
                tickets: list[Ticket] = []
                reconcile(services_at(ground.folder / f"with-{many}", seconds), tickets.extend)
                sent[many] += tickets
                for ticket in tickets:
                    perform(services, ticket)
            if seconds == 30:
                services.store.put(run_of(first).at("watch.json"), b'{"damaged')
    assert outcome(ground.folder / "with-1") == outcome(ground.folder / "with-2")
    return {"sent by one": len(sent[1]), "sent by two": len(sent[2]), "outputs that differ": 0}


@fault(38)
def clocks_that_jump(ground: Ground) -> Counts:
    """A holder that lives while the reconciler's clock leaps an hour forth and back; then a message that is lost."""
    services, first = begun(ground.folder / "bucket")
    run, ticket = run_of(first), ready_for(services, first, "transform")[0]
    mark = begin(services.store, run, ticket, present(services.store, run), "2024-06-03T12:00:00Z")
    others = next_steps((first.firm, first.migration, first.run), present(services.store, run))[1:]
    for other in others:
        perform(services, other)
    wrongly, jumps = 0, (0, 10, 3610, 3620, 20, 30, -3570, -3560, 40)
    for beat, seconds in enumerate(jumps):
        services.store.put(run.home + f"{mark}.beat.json", json.dumps({"beat": beat}).encode())
        sent: list[Ticket] = []
        reconcile(services_at(ground.folder / "bucket", seconds), sent.extend)
        wrongly += sum(1 for one in sent if one == ticket)
    assert wrongly == 0 and lost(ticket, present(services.store, run)) == 0
    late: list[Ticket] = []
    looks = 0
    while ticket not in late and looks < 12:  # now it falls silent, and the clock goes back an hour once more
        looks += 1
        reconcile(services_at(ground.folder / "bucket", -7200 + 10 * looks), late.extend)
    assert ticket in late, "nobody noticed the silence"
    return {"jumps": len(jumps), "pronounced lost for a clock": wrongly, "looks until a real death was noticed": looks}


@fault(33)
def old_and_new_workers(ground: Ground) -> Counts:
    """A run of a later layout reaches this worker; messages nobody knows reach it too. Two installations were not set
    up beside each other: the layout's number is raised instead.
    """
    from caseferry.errors import PassingFault

    services, first = begun(ground.folder / "bucket")
    run = run_of(first)
    arrival = json.loads(services.store.get(run.at("arrival.json")))
    services.store.put(run.at("arrival.json"), json.dumps(arrival | {"format": FORMAT + 1}).encode())
    here, left = services_at(ground.folder / "bucket"), 0  # another process than the one that claimed it
    try:
        perform(here, first)
    except PassingFault:
        left += 1
    keys = present(services.store, run)
    assert left == 1 and not any(key.startswith(("attempts/", "0-original/", "failed")) for key in keys)
    services.store.put(run.at("arrival.json"), json.dumps(arrival).encode())
    fresh = services_at(ground.folder / "bucket")
    assert cross(fresh, run).startswith("completed")
    return {"left to a newer worker": left, "dropped": 0}


@fault(112)
def held_again_and_again(ground: Ground) -> Counts:
    """A run is held and answered wrongly five times: that is no crash, and the sixth answer lets it go."""
    services, first = begun(ground.folder / "bucket", account_owner=False)
    run, holds = run_of(first), 0
    from tasks.stage import release

    assert cross(services, run) == "held"
    for _ in range(5):
        holds += 1
        release(services, run, "somebody", {"firm_name": f"x{holds}"})
        assert cross(services, run) == "held"
    release(services, run, "A. Specialist", {}, cleared=True)
    assert cross(services, run).startswith("completed")
    return {"times held": holds + 1, "counted as crashes": lost(first, present(services.store, run))}


@fault(104)
def midnight_between_two_attempts(ground: Ground) -> Counts:
    """The intake dies after it has kept the upload; the next one comes on another day."""
    services, first = begun(ground.folder / "bucket")
    run = run_of(first)
    real = services.store.put_once

    def die(key: str, data: bytes) -> bool:
        if key.endswith("0-original/manifest.json"):
            raise KeyboardInterrupt
        return real(key, data)

    services.store.put_once = die  # type: ignore[method-assign]
    with suppress(KeyboardInterrupt):
        perform(services, first)
    later = services_at(ground.folder / "bucket", 86_400)
    assert cross(later, run).startswith("completed")
    keys = present(later.store, run)
    kept = [key for key in keys if key.startswith("0-original/2024")]
    received = json.loads(later.store.get(run.at("0-original", "manifest.json")))["received_on"]
    assert len(kept) == 1 and received == "2024-06-03", (kept, received)
    return {"copies of the upload": len(kept), "days of receipt": 1}
