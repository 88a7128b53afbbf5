"""Who is at work on a step, whether they still live, and how often it ended its process.

An attempt is written before the work begins. While it lasts its holder says so every few seconds; nobody else works on
the step meanwhile, however often its message comes. An attempt whose holder is seen to be dead, or has fallen silent,
is pronounced lost: only that counts against the step.

    attempts/<step>.<n>.json         begun, by whom
    attempts/<step>.<n>.beat.json    a number that grows
    attempts/<step>.<n>.ended.json   nothing was decided; it did not die
    attempts/<step>.<n>.lost.json    it died
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from caseferry.canonical import to_json
from caseferry.errors import CaseferryError
from caseferry.keys import Run
from caseferry.services.store import ObjectStore
from tasks.journey import Ticket

_MARKS = ("beat", "ended", "lost")
_PATIENCE = 600
_MINE: Counter[str] = Counter()
"""The attempts of this very process, each as often as one of its threads has it or reaches for it."""
_HAND = threading.Lock()


def _take(attempt: str) -> None:
    with _HAND:
        _MINE[attempt] += 1


def _let_go(attempt: str) -> None:
    with _HAND:
        _MINE[attempt] -= 1
        if _MINE[attempt] <= 0:
            del _MINE[attempt]


def begun(ticket: Ticket, seen: Collection[str]) -> list[str]:
    """The attempts of a step, oldest first, as keys without their ending."""
    home = f"attempts/{ticket.name}."
    numbers = {key[len(home) :].split(".", 1)[0] for key in seen if key.startswith(home)}
    return [home + number for number in sorted(numbers, key=int)]


def lost(ticket: Ticket, seen: Collection[str]) -> int:
    """How often this step ended its process."""
    return sum(1 for mark in begun(ticket, seen) if f"{mark}.lost.json" in seen)


def open_attempt(ticket: Ticket, seen: Collection[str]) -> str:
    """The attempt under way, or nothing."""
    going = [m for m in begun(ticket, seen) if f"{m}.ended.json" not in seen and f"{m}.lost.json" not in seen and f"{m}.json" in seen]
    return going[-1] if going else ""


def pronounce_lost(store: ObjectStore, run: Run, mark: str, at: str) -> None:
    store.put_once(run.home + f"{mark}.lost.json", to_json({"at": at}))


def begin(store: ObjectStore, run: Run, ticket: Ticket, seen: Collection[str], at: str) -> str:
    """Take the step's next attempt; nothing if somebody has it. The last holder must be settled before."""
    mark = f"attempts/{ticket.name}.{len(begun(ticket, seen))}"
    _take(run.home + mark)
    try:
        if store.put_once(run.home + f"{mark}.json", to_json({"at": at, "who": me()})):
            return mark
    except CaseferryError:
        ended(store, run, mark)  # it may have been written and its answer lost: then it was begun by nobody
        raise
    _let_go(run.home + mark)
    return ""


def is_dead(store: ObjectStore, run: Run, mark: str) -> bool:
    """True if the holder ran on this very computer and is no more. Of another computer nothing can be said from here."""
    try:
        who = json.loads(store.get(run.home + f"{mark}.json")).get("who") or {}
    except KeyError:
        return False
    if who.get("here") != _here() or not who.get("here"):
        return False
    if who == me():
        return run.home + mark not in _MINE
    return _started(int(who["pid"])) != str(who["started"])


@contextmanager
def alive(store: ObjectStore, run: Run, mark: str, every: float) -> Iterator[None]:
    """Say every few seconds that the holder lives, for as long as the block lasts."""
    stop = threading.Event()

    def beat() -> None:
        number = 0
        while not stop.wait(every):
            number += 1
            try:
                store.put(run.home + f"{mark}.beat.json", to_json({"beat": number}))
            except Exception:  # noqa: S112  the store is away: whoever would pronounce us lost can't either
                continue

    thread = threading.Thread(target=beat, daemon=True, name="alive")
    thread.start()
    try:
        yield
    finally:
        stop.set()


def ended(store: ObjectStore, run: Run, mark: str) -> None:
    """The attempt came to nothing, and not by dying. If the store can't be told now it is told later: what ended the
    attempt may well be that the store was away, and that must not count as a death.
    """
    told = to_json({"at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})

    def tell() -> bool:
        try:
            store.put_once(run.home + f"{mark}.ended.json", told)
        except Exception:
            return False
        _let_go(run.home + mark)
        return True

    def tell_later() -> None:
        for _ in range(_PATIENCE):
            time.sleep(1)
            if tell():
                return
        _let_go(run.home + mark)

    if not tell():
        threading.Thread(target=tell_later, daemon=True, name="ended").start()


def done_with(run: Run, mark: str) -> None:
    """The attempt is over, whichever way; its step's own object or a mark says how."""
    _let_go(run.home + mark)


def me() -> dict[str, Any]:
    """This process, told apart from any that had its number before."""
    return {"here": _here(), "pid": os.getpid(), "started": _started(os.getpid())}


@lru_cache
def _here() -> str:
    """This computer since it was started, and this container of it; nothing where that can't be told."""
    if sys.platform != "linux":
        return ""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + ":" + os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process began, in ticks since the computer did; nothing if there is no such process, or only its remains."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if words[0] in {"Z", "X"} else words[19]
