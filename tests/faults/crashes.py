"""Death at every place where state changes."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any

from caseferry.services.folder import FolderStore
from tests.crossing import CHOICES
from tests.faults.campaign import Counts, Ground, fault
from tests.faults.firms import export
from tests.faults.mortal import Mortals

KEY = "drops/firm/trial/x.zip"
_SIZES = {0: (2, 100, 64_000, 1), 1: (3, 2, 5, 1), 2: (4, 2, 64_000, 1), 3: (5, 3, 4, 2)}
"""Matters, rows in a part, rows in a batch, and how many tasks lay batches, by seed: of several batches what they hold is counted
again apart."""


def lay(bucket: Path, seed: int) -> None:
    store = FolderStore(bucket)
    store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    store.put(KEY, export(seed, _SIZES[seed][0]))


def outcome(bucket: Path) -> dict[str, bytes]:
    """What a run made that must not depend on who died: parts, records, files, proof, events; and how the log tells it."""
    store = FolderStore(bucket)
    keep = {}
    for stat in store.listing("migrations/"):
        below = stat.key.split("/", 5)[-1]
        if below.startswith(("0-original/", "1-split/", "2-transform/", "3-merge/", "4-verify/")) and not below.startswith("4-verify/counted/"):
            keep[below] = store.get(stat.key)
    return keep


def is_whole(bucket: Path) -> None:
    """The log is unbroken, each event was said once and in turn, nothing half-written lies about."""
    from caseferry.chain import problems

    store = FolderStore(bucket)
    keys = [stat.key for stat in store.listing("migrations/")]
    log = {key.rsplit("/", 1)[1]: store.get(key) for key in keys if "/audit/" in key}
    broken = list(problems(log))
    assert not broken, (bucket.name, broken)
    events = [json.loads(store.get(key)) for key in sorted(keys) if "/events/0" in key]
    numbers = [int(event["sequence"]) for event in events]
    assert numbers == list(range(1, len(events) + 1)) and len({event["id"] for event in events}) == len(events), (bucket.name, numbers)
    left = list((bucket / ".staged").glob("*"))
    assert not left, (bucket.name, len(left))


class Deaths:
    """Runs one firm to its end through deaths, and holds each end against the clean one."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.folder, self.seed = ground.folder / f"seed-{seed}", seed
        self.settings: dict[str, Any] = {"work": {"part_rows": _SIZES[seed][1], "batch_rows": _SIZES[seed][2], "lay_window": _SIZES[seed][3]}}
        self.crashes = 0

    def clean(self, mortals: Mortals) -> dict[str, int]:
        """The end nobody disturbed, and how many places each step has to die at."""
        bucket = self.folder / "clean"
        lay(bucket, self.seed)
        done = mortals.live(bucket, KEY, self.settings, {})
        assert str(done["state"]).startswith("completed"), done
        self.expected = outcome(bucket)
        return dict(done["points"])

    def die(self, mortals: Mortals, name: str, deaths: dict[str, int]) -> int:
        """Die once in each of these steps, at the point given, each time in a new process; return how often it died."""
        bucket = self.folder / name
        lay(bucket, self.seed)
        left, died = dict(deaths), 0
        while True:
            done = mortals.live(bucket, KEY, self.settings, left)
            if not done["died"]:
                break
            del left[done["died"]]
            died += 1
        assert str(done["state"]).startswith("completed"), (name, done)
        found = outcome(bucket)
        differ = sorted(key for key in self.expected.keys() | found.keys() if self.expected.get(key) != found.get(key))
        assert not differ, (name, deaths, differ[:5])
        is_whole(bucket)
        shutil.rmtree(bucket)
        return died


def side_by_side(orders: list[Any], work: Callable[[Mortals, Any], None], hands: int = 2) -> dict[str, int]:
    """Work through orders with several forking parents; return what they left behind."""
    waiting: Queue[Any] = Queue()
    for order in orders:
        waiting.put(order)
    failures: list[BaseException] = []
    left: list[dict[str, int]] = []

    def hand() -> None:
        mortals = Mortals()
        try:
            first: dict[str, int] = {}
            while not waiting.empty() and not failures:
                try:
                    order = waiting.get_nowait()
                except Exception:
                    break
                work(mortals, order)
                first = first or mortals.leftovers()
            last = mortals.leftovers()
            left.append({"zombies": last["zombies"], "files": last["files"] - first.get("files", last["files"])})
        except BaseException as error:
            failures.append(error)
        finally:
            mortals.end()

    threads = [threading.Thread(target=hand) for _ in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return {"zombies": sum(one["zombies"] for one in left), "files": max(one["files"] for one in left)}


@fault(16, 46)
def killed_at_every_place_where_state_changes(ground: Ground) -> Counts:
    """In the n-th run of a firm every step dies at its n-th place; there are as many runs as the step with the most
    places has. So each place of each stage is died at once, and each run dies in every step.
    """
    counts: Counts = {"crashes": 0, "places": 0, "runs": 0, "stages": 0, "rows lost or doubled": 0, "outputs that differ": 0}
    orders: list[tuple[Deaths, str, dict[str, int]]] = []
    mortals = Mortals()
    for seed in (1, 2, 3) if ground.full else (0,):
        deaths = Deaths(ground, seed)
        points = deaths.clean(mortals)
        counts["places"] = int(counts["places"]) + sum(points.values())
        counts["stages"] = len({name.split("-")[0] for name in points})
        if ground.full:
            rounds = [{step: n for step, many in points.items() if n <= many} for n in range(1, max(points.values()) + 1)]
        else:  # in one step of each stage: before a write, within one, after one
            some = {name.split("-")[0]: name for name in points}.values()
            rounds = [{step: ground.dice.choice(range(kind, points[step] + 1, 3)) for step in some if kind <= points[step]} for kind in (1, 2, 3)]
        orders += [(deaths, f"{n}", places) for n, places in enumerate(rounds, 1)]
    mortals.end()
    lock = threading.Lock()

    def work(hand: Mortals, order: tuple[Deaths, str, dict[str, int]]) -> None:
        deaths, name, places = order
        died = deaths.die(hand, name, places)
        with lock:
            counts["crashes"] = int(counts["crashes"]) + died
            counts["runs"] = int(counts["runs"]) + 1

    left = side_by_side(orders, work)
    assert left == {"zombies": 0, "files": 0}, left
    if ground.full:
        assert counts["crashes"] == counts["places"] and int(counts["crashes"]) >= 1000, counts
    return counts | {"leftover files": 0, "zombies": 0}
