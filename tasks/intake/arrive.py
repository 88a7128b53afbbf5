"""An uploaded object rings: is there something to start, and is it new?

The claim is `arrival.json` below the run's own prefix, written once. The run is named after what arrived (bucket key
and version), so the same upload twice is the same run, whichever way the news of it came.
"""

import hashlib

import structlog

from caseferry.canonical import to_json
from caseferry.errors import ExportRefused
from caseferry.keys import Migration, parse_drop
from caseferry.manifest import Arrival, Uploaded
from caseferry.reading.guard import WORKS, ask
from caseferry.reading.kinds import Kind
from caseferry.services.store import ObjectStore, Stat
from tasks.intake.unpack import kind_behind
from tasks.journey import Ticket, next_steps
from tasks.once import write_once
from tasks.stage import Services, present, release

log = structlog.get_logger()
CLOSERS = ("_complete", "migration.json")
TEMPLATES = "templates/"
_PEEK = 65_536
_CHOICES_BYTES = 1 << 20


def run_id(key: str, version: str) -> str:
    """A run's name, from what arrived and nothing else."""
    return "run-" + hashlib.sha256(f"{key}\n{version}".encode()).hexdigest()[:16]


def arrive(services: Services, key: str) -> list[Ticket]:
    """What an upload starts: one run, or the held runs of its migration, or nothing yet.

    Args:
        key: the object that was uploaded. It is looked up again: an event may be old, doubled or wrong.
    """
    store = services.store
    drop, stat = parse_drop(key), store.stat(key)
    if drop is None:
        log.warning("upload_outside_a_migration", code="CF-136")
        return []
    if stat is None or drop.path.startswith(TEMPLATES):
        return []
    where = drop.migration
    if drop.name in CLOSERS:
        tickets: list[Ticket] = []
        if store.stat(where.closed(closing(stat))) is not None:
            log.info("event_repeated", firm=where.firm, migration=where.migration)
            return []  # acted upon; what lies there by now may be the beginning of the next drop
        if drop.name == "migration.json":
            choices = read_choices(store, key)
            if choices is not None:
                store.put(where.choices, choices)
                tickets = _answer_held(services, where)
        loose = loose_files(services, where)
        if loose:
            tickets += _claim(services, where, stat, loose)
        store.put_once(where.closed(closing(stat)), b"{}")
        return tickets
    if _peek(services, stat) is Kind.ARCHIVE:
        return _claim(services, where, stat, [])
    return []  # a loose file waits for the one that closes the drop


def read_choices(store: ObjectStore, key: str) -> bytes | None:
    """The firm's choices as they lie there. One larger than any choices are is left alone, unread."""
    stat = store.stat(key)
    if stat is None:
        return None
    if stat.size > _CHOICES_BYTES:
        log.warning("choices_too_large", bytes=stat.size, limit=_CHOICES_BYTES, code="CF-124")
        return b"{}too large"  # refused as no JSON, by name
    try:
        return store.get(key)
    except KeyError:
        return None


def closing(stat: Stat) -> str:
    """A closing file to the very moment: `_complete` is empty each time, and files may be added between two of them."""
    return hashlib.sha256(f"{stat.key}\n{stat.version or stat.tag}\n{stat.changed}".encode()).hexdigest()[:32]


def is_missed(services: Services, stat: Stat) -> bool:
    """True for an upload that ought to have started something and did not."""
    store = services.store
    drop, found = parse_drop(stat.key), store.stat(stat.key)
    if drop is None or found is None or drop.path.startswith(TEMPLATES):
        return False
    if drop.name in CLOSERS:
        return store.stat(drop.migration.closed(closing(found))) is None
    run = drop.migration.run(run_id(found.key, found.version or found.tag))
    return store.stat(run.at("arrival.json")) is None and _peek(services, found) is Kind.ARCHIVE


def _answer_held(services: Services, where: Migration) -> list[Ticket]:
    """New choices answer every run of the migration that waits for some."""
    tickets: list[Ticket] = []
    try:
        changes = ask(f"{WORKS}mapping", services.store.get(where.choices), "", services.settings.limits).made
    except ExportRefused:
        changes = {}
    for name in _runs(services.store, where):
        run = where.run(name)
        if release(services, run, "migration.json", changes):
            tickets += next_steps((run.firm, run.migration, run.run), present(services.store, run))
    return tickets


def _claim(services: Services, where: Migration, stat: Stat, loose: list[Stat]) -> list[Ticket]:
    """Claim what arrived for one run. Its mark among the open work is set first: a claim is never out of sight."""
    store = services.store
    objects = tuple(Uploaded(key=one.key, size=one.size, tag=one.tag, version=one.version) for one in (loose or [stat]))
    version = stat.version or stat.tag
    if loose:
        # The closing file may be empty each time: what arrived is everything that lies there.
        version = hashlib.sha256(repr(sorted((one.key, one.tag) for one in objects)).encode()).hexdigest()
    run = where.run(run_id(stat.key, version))
    arrival = Arrival(key=stat.key, version=version, size=stat.size, at=services.clock(), objects=objects, loose=bool(loose))
    if store.stat(run.at("arrival.json")) is None:
        store.put_once(run.marker, b"{}")
        if write_once(store, run.at("arrival.json"), to_json(arrival)):
            return [Ticket(run.firm, run.migration, run.run, "intake")]
    log.info("event_repeated", firm=run.firm, migration=run.migration, run=run.run)
    return [Ticket(run.firm, run.migration, run.run, "intake")]


def loose_files(services: Services, where: Migration) -> list[Stat]:
    """The files of a drop that start together, to the version, in the order of their names."""
    names = [stat for stat in services.store.listing(where.drops) if _is_loose(services, stat)]
    return [found for stat in names if (found := services.store.stat(stat.key)) is not None]


def _is_loose(services: Services, stat: Stat) -> bool:
    drop = parse_drop(stat.key)
    if drop is None or drop.name in CLOSERS or drop.path.startswith(TEMPLATES):
        return False
    return _peek(services, stat) is not Kind.ARCHIVE


def _peek(services: Services, stat: Stat) -> Kind:
    """What an object is, from its two ends. One that ends its reader is for the intake to refuse by name."""
    store = services.store
    head = store.get_range(stat.key, 0, min(_PEEK, stat.size))
    tail = store.get_range(stat.key, max(0, stat.size - _PEEK), _PEEK) if stat.size > _PEEK else b""
    try:
        return kind_behind(head + tail, "", services.settings.limits, len(head) if tail else -1)
    except ExportRefused:
        return Kind.DOCUMENT


def _runs(store: ObjectStore, where: Migration) -> list[str]:
    return [name for name in store.folders(where.home + "runs/") if not name.startswith(".")]
