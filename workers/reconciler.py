"""Every half minute: what has its inputs and not its output is sent again, and uploads nobody told us of are found.

It may run twice at once, and against runs that are well under way: a step that is done is not done again.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime

import structlog

from caseferry.canonical import to_json
from caseferry.keys import BadKey, Migration, Run
from tasks.journey import Ticket, next_steps, state_of
from tasks.stage import Services, choices_tag, present, release, stamp

log = structlog.get_logger()


def reconcile(services: Services, send: Callable[[list[Ticket]], None], ring: Callable[[str], object]) -> None:
    """Look at every open run, then at every drop."""
    for run in open_runs(services):
        seen = present(services.store, run)
        services.tell(services, run)
        if state_of(seen) == "held":
            send(_answers_that_came(services, run, seen))
            continue
        able = next_steps((run.firm, run.migration, run.run), seen)[: services.settings.work.window]
        if able and _has_stalled(services, run, seen):
            log.warning("run_nudged", run=run.run, step=able[0].step, count=len(able))
            send(able)
        if services.settings.webhook.endpoints:
            from tasks.notify.deliver import deliver

            deliver(services, run)
    for key in missed_uploads(services):
        ring(key)


def _answers_that_came(services: Services, run: Run, seen: frozenset[str]) -> list[Ticket]:
    """Choices that landed in the very moment the run came to be held: their own event found nothing to answer."""
    holds = [k for k in seen if k.startswith("holds/") and not k.endswith(".released.json") and k.removesuffix(".json") + ".released.json" not in seen]
    asked_with = {json.loads(services.store.get(run.home + key))["choices"] for key in holds}
    if choices_tag(services.store, run) in asked_with | {""}:
        return []
    release(services, run, "migration.json", json.loads(services.store.get(run.of.beside)))
    return next_steps((run.firm, run.migration, run.run), present(services.store, run))


def open_runs(services: Services) -> Iterator[Run]:
    """Every run that is not at its end; a run whose events still travel counts as open."""
    for migration in migrations(services, "migrations/"):
        for name in services.store.folders(migration.home + "runs/"):
            run = migration.run(name)
            seen = present(services.store, run)
            ended = "4-verify/ledger.json" in seen or "refused.json" in seen or "failed.json" in seen
            if not ended or "run.json" not in seen or services.settings.webhook.endpoints:
                yield run


def migrations(services: Services, prefix: str) -> Iterator[Migration]:
    for firm in services.store.folders(prefix):
        for migration in services.store.folders(f"{prefix}{firm}/"):
            try:
                yield Migration(firm, migration)
            except BadKey:
                continue


def _has_stalled(services: Services, run: Run, seen: frozenset[str]) -> bool:
    """True if nothing new came to lie in the run since the last look but one, long enough ago.

    What was seen is kept in the bucket, so any reconciler can tell; each nudge doubles the patience.
    """
    now, key = services.clock(), run.at("nudges.json")
    count = len(seen - {"nudges.json", "run.json"})
    patience = services.settings.work.stalled_after.total_seconds()
    try:
        data, tag = services.store.get_tagged(key)
        last = json.loads(data)
    except KeyError:
        services.store.put_once(key, to_json({"seen": count, "at": stamp(now), "nudges": 0}))
        return False
    waited = (now - datetime.fromisoformat(last["at"])).total_seconds()
    if last["seen"] != count:
        services.store.swap(key, to_json({"seen": count, "at": stamp(now), "nudges": 0}), tag)
        return False
    if waited < min(patience * 2 ** last["nudges"], 1800):
        return False
    return services.store.swap(key, to_json({"seen": count, "at": stamp(now), "nudges": last["nudges"] + 1}), tag)


def missed_uploads(services: Services) -> Iterator[str]:
    """Uploads that no run has claimed. Ringing for one that is claimed after all changes nothing."""
    from tasks.intake.arrive import CLOSERS, run_id

    for migration in migrations(services, "drops/"):
        started = set(services.store.folders(migration.home + "runs/"))
        for stat in services.store.listing(migration.drops):
            found = services.store.stat(stat.key)
            name = stat.key.rsplit("/", 1)[-1]
            if found is None or run_id(stat.key, found.tag) in started or (name == "migration.json" and _taken(services, migration, stat.key)):
                continue
            if name in CLOSERS or stat.key.count("/") == 3:
                yield stat.key


def _taken(services: Services, migration: Migration, key: str) -> bool:
    """True if these choices are the ones the migration goes by already."""
    try:
        return services.store.get(migration.choices) == services.store.get(key)
    except KeyError:
        return False
