"""What tasks of their own have counted: handed over whole, added up, and never taken for more than it is."""

import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from caseferry.choices import Migration
from caseferry.errors import BrokenPromise
from caseferry.manifest import Intake, Kept, Merged, Split
from caseferry.services.scratch import Scratch
from caseferry.services.store import ObjectStore
from tasks.intake.arrive import arrive
from tasks.journey import counts_of, next_steps
from tasks.stage import perform, present, run_of
from tasks.verify import notes, seen
from tasks.verify.evidence import Evidence
from tasks.verify.lines import Lines
from tasks.verify.proof import Proof
from tests.crossing import CARDS, Crossed, Crossings, firm, packed
from workers.inprocess import cross

MANY = {"work": {"batch_rows": 1}}
TIME = "Date,Matter No,Staff,Hours,Rate\n" + "31/05/2024,24-0001,JD,1.5,200\n" * 4


def evidence_of(run: Crossed, store: ObjectStore | None = None) -> Evidence:
    return Evidence(
        store or run.store, run.run, Migration.model_validate(run.json("0-original", "admission.json")),
        Intake.model_validate(run.json("0-original", "manifest.json")), Split.model_validate(run.split), Merged.model_validate(run.json("3-merge", "manifest.json")),
    )  # fmt: skip


def test_a_run_that_fails_while_it_is_counted_says_so(crossing: Crossings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> dict[str, seen.Seen]:
        raise BrokenPromise("what was counted is nothing")

    monkeypatch.setattr(Proof, "seen", broken)
    run = crossing(firm(w=TIME), settings=MANY)
    assert run.state == "failed" and [reason["code"] for reason in run.reasons] == ["CF-132"]


def test_notes_a_dead_merge_left_behind_neither_hold_a_run_nor_change_it(crossing: Crossings) -> None:
    whole = crossing(firm(w=TIME), settings=MANY)
    services = crossing.services(**MANY)
    services.store.put("drops/firm/trial/migration.json", whole.store.get("drops/firm/trial/migration.json"))
    services.store.put("drops/firm/trial/export.zip", packed(firm(w=TIME)))
    tickets = arrive(services, "drops/firm/trial/export.zip")
    run = run_of(tickets[0])
    while tickets[0].step != "count":
        assert all([perform(services, ticket) for ticket in tickets])
        tickets = next_steps((run.firm, run.migration, run.run), present(services.store, run))
    for number in range(50, 60):
        services.store.put(run.at("3-merge", "rows", f"{number:04d}.zip"), services.store.get(run.at("3-merge", "rows", "0002.zip")))
    assert len(counts_of(present(services.store, run))) > len(tickets)
    found = Crossed(services, run, cross(services, run))
    assert found.ledger == whole.ledger and found.state == whole.state


CUT = {"work": {"part_rows": 2}}
"""So small that a list of four rows is cut, and one batch holds it all."""


@pytest.mark.parametrize("target", ["clio", "wealthbox"])
def test_the_lines_of_a_list_that_was_cut_are_counted_beside_the_merge_and_nowhere_else(
    crossing: Crossings, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    begun: list[list[str]] = []
    begin = Lines._count_together

    def counted(lines: Lines, files: list[Kept]) -> list[Any]:
        begun.append([file.name for file in files])
        return begin(lines, files)

    monkeypatch.setattr(Lines, "_count_together", counted)
    run = crossing(firm(w=TIME), settings=CUT, target=target).approved()
    assert run.state.startswith("completed"), run.reasons
    names = [name for some in begun for name in some]
    assert names and len(names) == len(set(names)) and run.has("4-verify/counted/lines.zip")
    assert not run.has("4-verify/counted/files.zip")
    del begun[:]
    plain = crossing(firm(w=TIME), target=target).approved()
    assert not plain.has("4-verify/counted/lines.zip")
    assert [c for c in plain.ledger["checks"] if c["name"] == "lines"] == [c for c in run.ledger["checks"] if c["name"] == "lines"]


def test_lines_counted_beside_the_merge_are_what_is_judged(crossing: Crossings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.verify.lines._by_sheet", lambda made: {"": 1_000})
    run = crossing(firm(w=TIME), settings=CUT)
    assert run.state == "failed" or not next(c["passed"] for c in run.ledger["checks"] if c["name"] == "lines")


class _Flips:
    """A store whose answer is damaged on its way once, and once only."""

    def __init__(self, store: Any) -> None:
        self._store, self.left = store, 1

    def get_range(self, key: str, start: int, length: int) -> bytes:
        data: bytes = self._store.get_range(key, start, length)
        if self.left and key.endswith("01_contacts.csv"):
            self.left -= 1
            return bytes([data[0] ^ 1]) + data[1:]
        return data


def test_a_byte_that_flips_on_the_way_is_read_again(crossing: Crossings) -> None:
    run = crossing(firm(w=TIME), settings=MANY)
    store: Any = _Flips(run.store)
    with Scratch() as scratch:
        proof = Proof(evidence_of(run, store), scratch)
        proof.add(seen.read(seen.written(proof.files())))
        (is_broken, facts) = proof.files()["files"].facts
    assert store.left == 0 and not is_broken
    assert facts[2] == {file["name"]: file["sha256"] for file in run.json("3-merge", "manifest.json")["files"]}


def test_whoever_adds_up_holds_no_more_than_one_who_sees_all(crossing: Crossings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "EACH", 5)
    cards = CARDS + "".join(f'"Card {n}",A{n},B{n},,not an address,\n' for n in range(40))
    run = crossing(firm(cards=cards, w=TIME), settings=MANY | {"work": {"batch_rows": 1, "part_rows": 2}})
    every = []
    with Scratch() as scratch:
        evidence = evidence_of(run)
        for number in range(1, len(evidence.merged.batches) + 1):
            every.append(seen.written(Proof(evidence, scratch).seen(number, number)))
        proof = Proof(evidence, scratch)
        for _ in range(9):
            for one in every:
                proof.add(seen.read(one))
        held = pl.concat(proof.findings._first).group_by("table", "rule").len()
    assert (held["len"] < 2 * 5).all()  # once there are enough no more are kept
    asked = next(one for one in proof.checks.judges if one.name == "references")
    assert list(asked.seen().facts[1][1]) == []


def test_what_nobody_saw_is_nothing_and_adds_up(crossing: Crossings, tmp_path: Path) -> None:
    run = crossing(firm(w=TIME), settings=MANY)
    with Scratch() as scratch:
        proof = Proof(evidence_of(run), scratch)
        none = seen.read(seen.written(proof.seen(90, 99)))
        proof.add(none)
        assert proof.waiting.groups == [] and not none["sample"].facts[0]["01_contacts.csv"]
    assert seen.read(io.BytesIO(seen.written({"a": seen.Seen([None, 1], {"t": pl.DataFrame({"x": [1]})})})).getvalue())["a"].tables["t"].height == 1
