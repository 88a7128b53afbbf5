"""Agreed crossings, small enough to check by eye: `samples/tiny-*/export` must end in `samples/tiny-*/expected`.

`UPDATE_GOLDEN=1` writes what came out, for a person to read as a difference.
"""

import json
import os
from pathlib import Path

import pytest

from samples.generate import Firm, archive
from tests.conftest import SAMPLE
from tests.crossing import Crossings, packed

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.mark.parametrize("name", sorted(p.parent.name for p in SAMPLES.glob("*/export")))
def test_a_tiny_firm_ends_as_agreed(crossing: Crossings, name: str) -> None:
    folder = SAMPLES / name
    files = {p.name: p.read_bytes() for p in sorted((folder / "export").iterdir())}
    run = crossing.upload(crossing.services(), packed(files))
    got = {n: run.raw(n) for n in run.names()}
    summary = {k: run.ledger[k] for k in ("state", "types", "derived", "money", "hours", "fallbacks", "to_bill", "custom_fields")}
    summary["findings"] = [{k: f[k] for k in ("rule", "record", "outcome", "count")} for f in run.ledger["findings"]]
    got["ledger-summary.json"] = (json.dumps(summary, indent=1) + "\n").encode()
    expected = folder / "expected"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.mkdir(exist_ok=True)
        for old in expected.iterdir():
            old.unlink()
        for file, data in got.items():
            (expected / file).write_bytes(data)
    assert {p.name: p.read_bytes() for p in expected.iterdir()} == got


def test_the_sample_is_what_its_generator_makes() -> None:
    firm = Firm(500, 7)
    assert archive(firm.files) == (SAMPLE / "LEAP-export.zip").read_bytes()
    assert json.loads((SAMPLE / "expected.json").read_text()) == firm.truth.as_json()
    assert json.loads((SAMPLE / "migration.json").read_text()) == firm.choices()
    assert 9 < len(Firm(5000, 7).matters) / len(firm.matters) < 11
