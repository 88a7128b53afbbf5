"""What is written into a run's log: each object that changed the run's state, with its hash, once.

`keep` may be called by anyone at any time: it looks at what lies in the bucket and adds what was not told yet. Whoever
dies between a change and its entry leaves an entry for the next to write, not a hole.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

import structlog

from caseferry import __version__
from caseferry.canonical import sha256, to_json
from caseferry.chain import HEAD, START, entry, head, name_of
from caseferry.keys import Run
from tasks.journey import STEPS, parts_of
from tasks.once import read_once, write_once
from tasks.stage import Services, present, stamp

_STEPS = {
    "arrival.json": "claimed", "0-original/manifest.json": "stored", "0-original/admission.json": "admitted",
    "1-split/tables.json": "split", "3-merge/manifest.json": "merged", "4-verify/ledger.json": "verified",
    "refused.json": "refused", "failed.json": "failed",
}  # fmt: skip
log = structlog.get_logger()
TRANSFORMED = "2-transform"
"""All outcomes of the parts together: their hashes, hashed in the order of the parts."""


def told_of(seen: Collection[str]) -> Iterator[tuple[str, str]]:
    """What changed the run, as far as its keys tell, in the order of the journey: a key below the run, and a word."""
    for key in ("arrival.json", "0-original/manifest.json"):
        if key in seen:
            yield key, _STEPS[key]
    for key in sorted(seen):
        if key.startswith("holds/"):
            yield key, "answered" if key.endswith(".released.json") else "held"
    for key in ("0-original/admission.json", "1-split/tables.json"):
        if key in seen:
            yield key, _STEPS[key]
    for key in sorted(seen):
        if key.startswith("attempts/") and key.endswith(".lost.json"):
            yield key, "attempt lost"
        elif key.startswith("aside/"):
            yield key, "part quarantined"
    parts = parts_of(seen)
    if "1-split/tables.json" in seen and all(STEPS["transform"].makes.format(part=part) in seen for part in parts):
        yield TRANSFORMED, "transformed"
    for key in ("3-merge/manifest.json", "4-verify/ledger.json", "refused.json", "failed.json"):
        if key in seen:
            yield key, _STEPS[key]


def keep(services: Services, run: Run, known: frozenset[str] | None = None) -> None:
    """Bring the log up to what the bucket holds.

    Args:
        known: what lay in the run a moment ago, if somebody has just looked.
    """
    store = services.store
    secret = services.settings.audit.key
    key = secret.get_secret_value() if secret else ""
    for last in (False, True):
        seen = present(store, run) if known is None or last else known
        try:
            chain, before = _chain(services, run, seen)
            break
        except _Damaged as damage:  # or others wrote on while we looked: what they wrote then lies there now
            if last:
                log.error("audit_log_damaged", run=run.run, reason=str(damage))  # verified, it says where; writing on would hide it
                return
    due = list(told_of(seen))
    about = {str(one["about"]) for _, one in chain}
    missing = [(what, word) for what, word in due if what not in about]
    for what, word in missing:
        data = _bytes(services, run, what, seen)
        by = json.loads(data).get("by", "") if word == "answered" else f"caseferry {__version__}"
        facts = {"at": stamp(services.clock()), "what": word, "by": by, "about": what, "sha256": sha256(data)}
        while what not in about:
            seq = len(chain) + 1
            prev = sha256(chain[-1][0]) if chain else START
            made = entry(seq, prev, facts, key)
            if write_once(store, run.at("audit", name_of(seq)), made):
                chain.append((made, json.loads(made)))
            else:
                try:
                    chain, before = _chain(services, run, present(store, run))
                except _Damaged:
                    return
                if len(chain) < seq:
                    return
            about = {str(one["about"]) for _, one in chain}
    if chain:
        _head(services, run, chain, key, before)


def _chain(services: Services, run: Run, seen: Collection[str]) -> tuple[list[tuple[bytes, dict[str, Any]]], tuple[bytes, str]]:
    """The entries so far, and the head with its version; an empty one where there is none.

    Raises:
        _Damaged: entries are missing or can't be read, or the log is gone that must have been begun.
    """
    names = sorted(name for name in seen if name.startswith("audit/") and not name.endswith(HEAD))
    if names != [f"audit/{name_of(n)}" for n in range(1, len(names) + 1)]:
        raise _Damaged("entries are missing")
    if not names and "0-original/manifest.json" in seen:
        raise _Damaged("the log is gone")
    try:
        chain = [(data, dict(json.loads(data))) for data in read_once(services.store, [run.home + name for name in names])]
        before = services.store.get_tagged(run.at("audit", HEAD)) if f"audit/{HEAD}" in seen else (b"", "")
        said = int(json.loads(before[0])["count"]) if before[1] else 0
    except (ValueError, KeyError, TypeError):
        raise _Damaged("an entry can't be read") from None
    if said > len(chain):
        raise _Damaged("entries were cut off")
    return chain, before


class _Damaged(Exception):
    """The log is not what it must be."""


def _head(services: Services, run: Run, chain: list[tuple[bytes, dict[str, Any]]], key: str, before: tuple[bytes, str]) -> None:
    """Set the head, unless somebody has set a later one.

    Args:
        before: the head and its version as they were a moment ago.
    """
    store, where = services.store, run.at("audit", HEAD)
    new = head(len(chain), sha256(chain[-1][0]), key)
    data, tag = before
    for _ in range(20):
        if tag and json.loads(data)["count"] >= len(chain):
            return
        if store.swap(where, new, tag) if tag else store.put_once(where, new):
            return
        try:
            data, tag = store.get_tagged(where)
        except KeyError:
            data, tag = b"", ""


def _bytes(services: Services, run: Run, what: str, seen: Collection[str]) -> bytes:
    if what != TRANSFORMED:
        return read_once(services.store, [run.home + what])[0]
    return transformed(read_once(services.store, [run.at("2-transform", f"{part}.json") for part in parts_of(seen)]))


def transformed(outcomes: list[bytes]) -> bytes:
    """What stands for all parts: the hashes of their outcomes, in order."""
    return to_json([sha256(one) for one in outcomes])
