"""Agreed crossings, small enough to check by eye: `samples/tiny-*/export` must end in `samples/tiny-*/expected`.

`UPDATE_GOLDEN=1` writes what came out, for a person to read as a difference.
"""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from caseferry.mapping.profile import known_sources
from caseferry.mapping.target import TARGETS
from samples.everyday import CASES
from samples.generate import Firm, archive
from samples.sources import MOVES, SOURCES, export, move
from tests.conftest import SAMPLE
from tests.crossing import Crossings, packed

SAMPLES = Path(__file__).parents[1] / "samples"


def below(folder: Path) -> dict[str, bytes]:
    """The files of a folder and of those in it, by their paths there."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("name", sorted(p.parent.name for p in SAMPLES.glob("*/export")))
def test_a_tiny_firm_ends_as_agreed(crossing: Crossings, name: str) -> None:
    folder = SAMPLES / name
    files = below(folder / "export")
    run = crossing.upload(crossing.services(), packed(files)).approved()
    got = {n: run.raw(n) for n in run.names()}
    for target in run.ledger["targets"]:
        fitted = {f["name"]: run.store.get(run.run.at("3-merge", target["target"], "files", f["name"])) for f in target["files"]}
        fitted["load-plan.json"] = run.store.get(run.run.at("3-merge", target["target"], "load-plan.json"))
        got |= {f"{target['target']}/{n}": data for n, data in fitted.items()}
    summary = {k: run.ledger[k] for k in ("state", "types", "derived", "money", "hours", "fallbacks", "to_bill", "custom_fields")}
    summary["findings"] = [{k: f[k] for k in ("rule", "record", "outcome", "count")} for f in run.ledger["findings"]]
    got["ledger-summary.json"] = (json.dumps(summary, indent=1) + "\n").encode()
    expected = folder / "expected"
    if os.environ.get("UPDATE_GOLDEN"):
        shutil.rmtree(expected, ignore_errors=True)
        for file, data in got.items():
            (expected / file).parent.mkdir(parents=True, exist_ok=True)
            (expected / file).write_bytes(data)
    assert below(expected) == got


def test_every_source_has_two_cases_and_every_target_one() -> None:
    choices = [json.loads(path.read_text()) for path in SAMPLES.glob("*/export/migration.json")]
    told = Counter(one.get("source") for one in choices)
    assert {source for source in known_sources() if told[source] < 2} <= {"leap"}  # LEAP has three that name no source
    fed = {name for one in choices for name in (one.get("target", "clio"), *one.get("also", ()))}
    assert fed == {path.stem for path in TARGETS.glob("*.yaml")}


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_the_exports_are_what_their_generator_makes(source: str) -> None:
    for case in ("solo", "partners"):
        folder = SAMPLES / f"{source}-{case}" / "export"
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == export(source, case)


@pytest.mark.parametrize("case", sorted(CASES))
def test_what_every_firm_also_has_is_what_its_generator_makes(case: str) -> None:
    assert below(SAMPLES / case / "export") == CASES[case]()


def test_the_sample_is_what_its_generator_makes() -> None:
    firm = Firm(500, 7)
    assert archive(firm.files) == (SAMPLE / "LEAP-export.zip").read_bytes()
    assert json.loads((SAMPLE / "expected.json").read_text()) == firm.truth.as_json()
    assert json.loads((SAMPLE / "migration.json").read_text()) == firm.choices()
    assert 9 < len(Firm(5000, 7).matters) / len(firm.matters) < 11


@pytest.mark.parametrize("name", sorted(MOVES))
def test_the_firms_that_go_several_ways_are_what_their_generator_makes(name: str) -> None:
    assert {p.name: p.read_bytes() for p in (SAMPLES / f"to-{name}" / "export").iterdir()} == move(name)
