"""Every few seconds: what has its inputs and not its output is sent again, and whoever fell silent is pronounced lost.
Every minute: uploads nobody told us of are found.

Both may run twice at once, and against runs that are well under way: a step that is done is not done again.
"""

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import structlog

from caseferry.canonical import to_json
from caseferry.errors import ExportRefused
from caseferry.keys import OPEN, BadKey, Migration, Run, parse_marker
from caseferry.reading.guard import WORKS, ask
from tasks.attempts import begun, is_dead, open_attempt, pronounce_lost
from tasks.intake.arrive import is_missed, read_choices
from tasks.journey import STEPS, Ticket, next_steps, state_of, within
from tasks.notify.deliver import due
from tasks.stage import Services, choices_tag, present, release, stamp

log = structlog.get_logger()
ENDS = {"ready", "refused", "failed"}


def reconcile(
    services: Services, send: Callable[[list[Ticket]], None], send_events: Callable[[Run, list[str]], None] = lambda run, endpoints: None
) -> None:
    """Look at every run that is under way."""
    runs = list(open_runs(services))
    random.shuffle(runs)  # should a look ever be cut short, the same runs are not left out each time
    for run in runs:
        try:
            _look_at(services, run, send, send_events)
        except Exception as error:  # one run's trouble is not the next one's
            log.warning("run_not_looked_at", run=run.run, exc_info=error)


def _look_at(services: Services, run: Run, send: Callable[[list[Ticket]], None], send_events: Callable[[Run, list[str]], None]) -> None:
    seen = present(services.store, run)
    if "arrival.json" not in seen:
        return  # its mark came first; the claim is a moment behind, or was never made and the sweep finds the upload
    services.tell(services, run)
    waiting = 0
    if services.settings.webhook.endpoints:
        late, waiting = due(services, run)
        send_events(run, late)
    state = state_of(seen)
    if state == "held":
        send(_answers_that_came(services, run, seen))
    elif state in ENDS:
        if not waiting:
            services.store.delete(run.marker)
    else:
        send(overdue(services, run, seen))


def sweep(services: Services, ring: Callable[[str], object]) -> None:
    """Ring for every upload that nobody told us of."""
    for key in missed_uploads(services):
        log.warning("upload_found_by_the_sweep")
        try:
            ring(key)
        except Exception as error:  # nor is one upload's
            log.warning("upload_not_rung_for", exc_info=error)


def overdue(services: Services, run: Run, seen: frozenset[str]) -> list[Ticket]:
    """The steps that can start and that nobody is at work on, long enough that their messages must be lost.

    What was seen at the last look lies in the bucket, so any reconciler can go on from it. Looks are counted beside
    seconds, because a clock may jump.
    """
    store, work, now, key = services.store, services.settings.work, services.clock(), run.at("watch.json")
    able = within(next_steps((run.firm, run.migration, run.run), seen), work)
    try:
        data, tag = store.get_tagged(key)
    except KeyError:
        data, tag = b"", ""
    before = _looked(data)
    after: dict[str, dict[str, Any]] = {}
    late: list[Ticket] = []
    for ticket in able:
        mark = open_attempt(ticket, seen)
        sign = _sign(services, run, ticket, mark, seen)
        last = before.get(ticket.name)
        if mark and is_dead(store, run, mark):
            if not _is_done(services, run, ticket):
                pronounce_lost(store, run, mark, stamp(now))
                late.append(ticket)
            continue
        if last is None or last["sign"] != sign:
            after[ticket.name] = {"sign": sign, "at": stamp(now), "looks": 0, "nudges": 0}
            continue
        waited = (now - datetime.fromisoformat(last["at"])).total_seconds()
        if waited < 0:  # the clock went back: begin to wait anew
            last["at"], waited = stamp(now), 0.0
        patience = work.silent_after.total_seconds() if mark else min(work.stalled_after.total_seconds() * 2 ** last["nudges"], 1800)
        after[ticket.name] = last | {"looks": last["looks"] + 1}
        if waited < patience or last["looks"] < 1:
            continue
        if mark:
            if _is_done(services, run, ticket):
                continue
            pronounce_lost(store, run, mark, stamp(now))
            log.warning("holder_lost", run=run.run, step=ticket.step, part=ticket.part)
            del after[ticket.name]
        else:
            after[ticket.name] |= {"at": stamp(now), "nudges": last["nudges"] + 1}
        late.append(ticket)
    new = to_json(after)
    if new != data:
        wrote = store.swap(key, new, tag) if tag else store.put_once(key, new)
        if not wrote:  # another reconciler looked at the same moment; what it nudges is enough, not so the dead
            late = [ticket for ticket in late if ticket.name not in after]
    if late:
        log.warning("run_nudged", run=run.run, step=late[0].step, count=len(late))
    return late


def _is_done(services: Services, run: Run, ticket: Ticket) -> bool:
    """True if the step was done since the run was looked at."""
    return services.store.stat(run.home + STEPS[ticket.step].makes.format(part=ticket.part)) is not None


def _looked(data: bytes) -> dict[str, dict[str, Any]]:
    """What the last look left; anything else begins anew."""
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _sign(services: Services, run: Run, ticket: Ticket, mark: str, seen: frozenset[str]) -> str:
    """What changes while a step is in good hands."""
    if not mark:
        return f"waiting:{len(begun(ticket, seen))}"
    beat = services.store.stat(run.home + f"{mark}.beat.json") if f"{mark}.beat.json" in seen else None
    return f"{mark.rsplit('.', 1)[-1]}:{beat.tag if beat else ''}"


def _answers_that_came(services: Services, run: Run, seen: frozenset[str]) -> list[Ticket]:
    """Choices that landed in the very moment the run came to be held: their own event found nothing to answer."""
    holds = [k for k in seen if k.startswith("holds/") and not k.endswith(".released.json") and k.removesuffix(".json") + ".released.json" not in seen]
    asked_with = {json.loads(services.store.get(run.home + key))["choices"] for key in holds}
    if choices_tag(services.store, run) in asked_with | {""}:
        return []
    try:
        changes = ask(f"{WORKS}mapping", read_choices(services.store, run.of.beside) or b"", "", services.settings.limits).made
    except ExportRefused:
        return []  # no answer anybody could read
    release(services, run, "migration.json", changes)
    return next_steps((run.firm, run.migration, run.run), present(services.store, run))


def open_runs(services: Services) -> Iterator[Run]:
    """Every run that is not at its end; a run whose events still travel counts as open."""
    for prefix in _prefixes(services, OPEN):
        for stat in services.store.listing(prefix):
            run = parse_marker(stat.key)
            if run is not None:
                yield run


def _prefixes(services: Services, home: str) -> list[str]:
    """Where to look: everywhere, or only at the firms this deployment may see."""
    return [f"{home}{firm}/" for firm in services.settings.work.firms] or [home]


def migrations(services: Services, prefix: str) -> Iterator[Migration]:
    for firm in services.store.folders(prefix):
        for migration in services.store.folders(f"{prefix}{firm}/"):
            try:
                yield Migration(firm, migration)
            except BadKey:
                continue


def missed_uploads(services: Services) -> Iterator[str]:
    """Uploads that no run has claimed. Ringing for one that is claimed after all changes nothing."""
    for prefix in _prefixes(services, "drops/"):
        for stat in services.store.listing(prefix):
            try:
                missed = is_missed(services, stat)
            except Exception as error:  # one that can't even be looked at: by its event it ends by name, or not at all
                log.warning("upload_not_looked_at", exc_info=error)
                continue
            if missed:
                yield stat.key
