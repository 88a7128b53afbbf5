"""An uploaded object rings: is there something to start, and is it new?

The claim is `arrival.json` below the run's own prefix, written once. The run is named after what arrived (bucket key
and version), so the same upload twice is the same run, whichever way the news of it came.
"""

import hashlib
import json

from caseferry.canonical import to_json
from caseferry.keys import Migration, parse_drop
from caseferry.manifest import Arrival
from caseferry.reading.kinds import Kind, kind_of
from caseferry.services.store import ObjectStore, Stat
from tasks.journey import Ticket, next_steps
from tasks.stage import Services, present, release

CLOSERS = ("_complete", "migration.json")
TEMPLATES = "templates/"
_PEEK = 65_536


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
    if drop is None or stat is None or drop.path.startswith(TEMPLATES):
        return []
    where = drop.migration
    if drop.name in CLOSERS:
        tickets: list[Ticket] = []
        if drop.name == "migration.json":
            store.put(where.choices, store.get(key))
            tickets = _answer_held(services, where)
        if any(_is_loose(store, other) for other in store.listing(where.drops)):
            tickets += _claim(store, where, stat, loose=True)
        return tickets
    if _peek(store, stat) is Kind.ARCHIVE:
        return _claim(store, where, stat, loose=False)
    return []  # a loose file waits for the one that closes the drop


def _answer_held(services: Services, where: Migration) -> list[Ticket]:
    """New choices answer every run of the migration that waits for some."""
    tickets: list[Ticket] = []
    try:
        changes = json.loads(services.store.get(where.choices))
    except ValueError:
        changes = {}
    for name in _runs(services.store, where):
        run = where.run(name)
        if release(services, run, "migration.json", changes if isinstance(changes, dict) else {}):
            tickets += next_steps((run.firm, run.migration, run.run), present(services.store, run))
    return tickets


def _claim(store: ObjectStore, where: Migration, stat: Stat, *, loose: bool) -> list[Ticket]:
    version = stat.tag
    if loose:
        # The closing file may be empty each time: what arrived is everything that lies there.
        every = sorted((s.key, store_tag(store, s)) for s in store.listing(where.drops) if _is_loose(store, s))
        version = hashlib.sha256(repr(every).encode()).hexdigest()
    run = where.run(run_id(stat.key, version))
    store.put_once(run.at("arrival.json"), to_json(Arrival(key=stat.key, version=version, size=stat.size, loose=loose)))
    return [Ticket(run.firm, run.migration, run.run, "intake")]


def store_tag(store: ObjectStore, stat: Stat) -> str:
    """The version of an object; a folder's listing does not carry it."""
    if stat.tag:
        return stat.tag
    found = store.stat(stat.key)
    return found.tag if found else ""


def loose_files(store: ObjectStore, where: Migration) -> list[Stat]:
    """The files of a drop that start together, in the order of their names."""
    return [stat for stat in store.listing(where.drops) if _is_loose(store, stat)]


def _is_loose(store: ObjectStore, stat: Stat) -> bool:
    drop = parse_drop(stat.key)
    if drop is None or drop.name in CLOSERS or drop.path.startswith(TEMPLATES):
        return False
    return _peek(store, stat) is not Kind.ARCHIVE


def _peek(store: ObjectStore, stat: Stat) -> Kind:
    """What an object is, from its two ends."""
    head = store.get_range(stat.key, 0, min(_PEEK, stat.size))
    tail = store.get_range(stat.key, max(0, stat.size - _PEEK), _PEEK) if stat.size > _PEEK else b""
    return kind_of(head, tail)


def _runs(store: ObjectStore, where: Migration) -> list[str]:
    return [name for name in store.folders(where.home + "runs/") if not name.startswith(".")]
