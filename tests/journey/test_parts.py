"""Wherever an export is cut, and whatever is brought together at a time, the same comes out."""

import json
import random

import pytest

from caseferry.canonical import sha256
from samples.generate import Firm, archive
from tasks.stage import present
from tests.crossing import Crossed, Crossings, firm

FIRM = Firm(60, 5)
TIME = "Date,Matter No,Staff,Description,Hours,Rate,Amount\n"


def outcome(run: Crossed) -> dict[str, str]:
    """A digest of everything handed over, and of all that is said about it."""
    keys = [key for key in present(run.store, run.run) if key.startswith(("3-merge/files/", "4-verify/")) and not key.startswith("4-verify/counted/")]
    return {key: sha256(run.store.get(run.run.home + key)) for key in keys}


def carried(crossing: Crossings, data: bytes, choices: dict[str, object] | None = None, **work: int) -> Crossed:
    services = crossing.services(work=work)
    if choices is not None:
        services.store.put("migrations/firm/trial/migration.json", json.dumps(choices).encode())
    return crossing.upload(services, data)


@pytest.mark.parametrize("work", [{"part_rows": 3}, {"batch_rows": 5}, {"part_rows": 7, "batch_rows": 20}, {"part_rows": 1_000, "batch_rows": 1}, {"portion_bytes": 4_000}])
def test_a_whole_firm_comes_out_the_same_however_it_is_cut(crossing: Crossings, work: dict[str, int]) -> None:
    data = archive(FIRM.files)
    whole, cut = carried(crossing, data, FIRM.choices()), carried(crossing, data, FIRM.choices(), **work)
    assert cut.state == whole.state and outcome(cut) == outcome(whole)
    assert len(cut.json("3-merge", "manifest.json")["batches"]) > 1 or not {"batch_rows", "portion_bytes"} & set(work)


def straddling(dice: random.Random) -> dict[str, str | bytes]:
    """Entries that stand twice, in one list and in two, at any distance from each other."""

    def line(n: int) -> str:
        return f"{13 + n % 15}/05/2024,24-0001,JD,Work {n},0.5,300,150.00\n"

    once = [line(n) for n in range(40)]
    twice = [*once, *dice.sample(once, 6)]
    dice.shuffle(twice)
    return firm(a=TIME + "".join(twice), b=TIME + "".join(dice.sample(once, 5)) + line(99))


@pytest.mark.parametrize("seed", range(4))
def test_work_told_twice_is_found_across_parts_and_batches(crossing: Crossings, seed: int) -> None:
    files = straddling(random.Random(seed))
    whole = crossing(files)
    assert len(whole.found("possible_duplicate")) == 12 and len(whole.found("same_in_two_lists")) == 5
    for work in ({"part_rows": 4, "batch_rows": 4}, {"part_rows": 1, "batch_rows": 1}, {"part_rows": 13, "batch_rows": 30}, {"portion_bytes": 300}):
        assert outcome(crossing(files, settings={"work": work})) == outcome(whole)
