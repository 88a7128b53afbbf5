"""How a campaign is written down, run and counted."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Counts = dict[str, int | float | str]


@dataclass
class Ground:
    """What a campaign is given: a folder of its own, dice, and how much to do."""

    folder: Path
    full: bool
    seed: int = 1
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.folder.mkdir(parents=True, exist_ok=True)

    def n(self, full: int, slice_: int) -> int:
        """How many: all of it, or a slice."""
        return full if self.full else slice_

    def within(self, seconds: float) -> float:
        """How long a thing may take. A slice runs on any machine, beside anything, and is given ten times as long: it
        shows that the thing ends, the full campaign how soon.
        """
        return seconds if self.full else 10 * seconds


@dataclass(frozen=True)
class Campaign:
    name: str
    rows: tuple[int, ...]
    run: Callable[[Ground], Counts]
    only_full: str
    """Why there is no slice of it, if there is none."""


CAMPAIGNS: dict[str, Campaign] = {}


def fault(*rows: int, only_full: str = "") -> Callable[[Callable[[Ground], Counts]], Callable[[Ground], Counts]]:
    """A campaign: it breaks things, asserts what must hold, and returns what it counted."""

    def register(run: Callable[[Ground], Counts]) -> Callable[[Ground], Counts]:
        CAMPAIGNS[run.__name__] = Campaign(run.__name__, rows, run, only_full)
        return run

    return register


def carry(campaign: Campaign, folder: Path, full: bool, seed: int = 1) -> dict[str, Any]:
    """Run one campaign and say how it went. Its failure is its result."""
    began = time.monotonic()
    try:
        counts: Counts = campaign.run(Ground(folder, full, seed))
        passed, why = True, ""
    except Exception as error:
        counts, passed, why = {}, False, f"{type(error).__name__}: {error}"[:500]
    return {"rows": list(campaign.rows), "passed": passed, "why": why, "counts": counts, "seconds": round(time.monotonic() - began, 1)}


def all_campaigns() -> dict[str, Campaign]:
    """Every campaign, in the order of its first row."""
    from tests.faults import (  # noqa: F401
        addresses,
        archives,
        broker,
        crashes,
        disk,
        events,
        hooks,
        lists,
        order,
        secrets,
        storage,
        tenancy,
        workbooks,
        workers,
    )

    return dict(sorted(CAMPAIGNS.items(), key=lambda item: item[1].rows[0]))
