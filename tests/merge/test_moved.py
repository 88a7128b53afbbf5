"""A later run of the same firm moves what is new, linked to what an earlier run has moved, and nothing twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.crossing import CHOICES, Crossed, Crossings, firm, packed
from tests.targets.firms import ANN, CARDS, JOHN, MAPPED

HEAD = "Matter No,Description,Client,Status,Open Date,Person Responsible,Other Side\n"
OLD = '23-0001,Old sale,"Smith, John",Closed,31/05/2023,Jane Doe,Odd Ltd\n23-0002,Old will,Early Bird Pty Ltd,Closed,31/05/2023,Jane Doe,\n'
OPEN = '24-0001,Sale of shop,"Smith, John",Open,31/05/2024,Jane Doe,Other Ltd\n'
LAST = "24-0002,Lease,Nobody Known Pty Ltd,Open,31/05/2024,Jane Doe,\n"
NOTES = "Date,Subject,File Note,Matter No\n31/05/2024,S,B,24-0001\n31/05/2023,T,C,23-0001\n31/05/2023,T,C,23-0001\n"
TIME = "Date,Staff,Matter No,Description,Hours,Rate,Amount\n31/05/2023,JD,23-0001,Advice,1,100.00,100.00\n31/05/2024,JD,24-0001,Draft,2,100.00,200.00\n"
DEBTS = 'Matter No,Debtor Name,Invoice No,Outstanding\n23-0001,"Smith, John",7,55.00\n24-0001,"Smith, John",8,66.00\n'
TRUST = 'Matter No,Client,Trust Balance\n23-0001,"Smith, John",5.00\n24-0001,"Smith, John",6.00\n'
TASKS = "Task,Due Date,Assigned To,Matter No\nCall,13/07/2024,RR,23-0001\nWrite,13/07/2024,RR,24-0001\n"
CLOSED = OPEN.replace("Open,31", "Closed,31")


def first(matters: str = HEAD + OLD + OPEN + LAST, **more: str) -> dict[str, str | bytes]:
    return firm(cards=CARDS + JOHN, matters=matters, **({"n": NOTES, "time": TIME, "d": DEBTS, "tr": TRUST, "t": TASKS} | more))


def then(crossing: Crossings, run: Crossed, files: dict[str, str | bytes], after: str = "", name: str = "later.zip", **choices: Any) -> Crossed:
    """The next export of the same migration."""
    given = CHOICES | {"options": {"open_matters_stay": True, "after": after or run.run.run}} | choices
    run.store.put(run.run.of.beside, json.dumps(given).encode())
    run.store.put(run.run.of.choices, json.dumps(given).encode())
    return crossing.upload(run.services, packed(files), name)


@pytest.mark.requirement("E98")
def test_what_was_open_is_moved_when_it_is_closed_and_nothing_twice(crossing: Crossings) -> None:
    run = crossing(first(), options={"open_matters_stay": True})
    assert [m["custom_number"] for m in run.rows("02_matters")] == ["23-0001", "23-0002"]
    notes = NOTES + "01/06/2024,New,N,23-0001\n31/05/2023,T,C,23-0001\n"
    done = then(crossing, run, first(HEAD + CLOSED + OLD + LAST, n=notes))
    assert done.state == "completed", done.ledger["checks"]
    assert [m["custom_number"] for m in done.rows("02_matters")] == ["24-0001"]
    assert [c["company"] for c in done.rows("01_contacts")] == ["Other Ltd"]  # whom the matter that is new names
    assert [(n["matter"], n["subject"]) for n in done.rows("matter_notes")] == [("24-0001", "S"), ("23-0001", "New"), ("23-0001", "T")]
    assert [(a["matter"], a["price"]) for a in done.all_rows("11_activities")] == [("24-0001", "100.00")]
    assert [(b["matter"], b["price"]) for b in done.all_rows("12_balances")] == [("24-0001", "66.00")]
    assert [(b["matter"], b["amount"]) for b in done.rows("trust_balances")] == [("24-0001", "6.00")]
    assert [c["contact"] for c in done.rows("related_contacts")] == ["Other Ltd"]
    assert [t["name"] for t in done.rows("tasks")] == ["Write"]
    assert [m["custom_number"] for m in done.rows("matters_there")] == ["23-0001", "23-0002"]
    left = {one["name"]: one["rows"] for one in done.ledger["exclusions"]}
    assert (left["open_matter_stays"], left["moved_before"]) == (1, 9)
    assert all(m["difference"] == "0.00" for m in done.ledger["money"])
    last = then(crossing, done, first(HEAD + CLOSED + OLD + LAST.replace("Open,31", "Closed,31"), n=notes), name="last.zip")
    assert last.state == "completed"
    assert [m["custom_number"] for m in last.rows("02_matters")] == ["24-0002"]
    assert [c["company"] for c in last.rows("01_contacts")] == ["Nobody Known Pty Ltd"]
    assert not any("matter_notes" in name or "activities" in name for name in last.names())


@pytest.mark.requirement("E98")
@pytest.mark.parametrize("target", MAPPED)
def test_new_records_hang_on_what_a_target_has_already(crossing: Crossings, target: str) -> None:
    run = crossing(first(), target=target, options={"open_matters_stay": True, "trust_stays": "LEAP"}).approved()
    done = then(crossing, run, first(HEAD + CLOSED + OLD + LAST), target=target, options={"open_matters_stay": True, "trust_stays": "LEAP", "after": run.run.run}).approved()
    assert not [check for check in done.ledger["checks"] if not check["passed"]]
    assert done.ledger["state"].startswith("completed")
    before, now = (_import_lines(one, target) for one in (run, done))
    assert not before & now
    again = then(crossing, done, first(HEAD + CLOSED + OLD + LAST), name="again.zip", target=target, options={"open_matters_stay": True, "trust_stays": "LEAP", "after": done.run.run}).approved()
    assert not _import_lines(again, target)


def _import_lines(run: Crossed, target: str) -> set[str]:
    names = [f["name"] for f in run.target(target)["files"] if f["is_import"]]
    read = (run.store.get(run.run.at("3-merge", target, "files", name)).decode("utf-8-sig") for name in names)
    lines = [line for text in read for line in text.splitlines()[1:]]
    return {line for line in lines if line.startswith("UID:") or not target.startswith(("vcard", "icalendar"))}


@pytest.mark.requirement("E98")
def test_what_says_something_else_by_now_is_listed_and_a_new_card_is_new(crossing: Crossings) -> None:
    run = crossing(first(), options={"another_follows": True})
    files = first(HEAD + OLD.replace("Old sale", "Old purchase") + OPEN + LAST, d=DEBTS.replace("55.00", "44.00")) | {"cards.csv": CARDS + ANN + JOHN.replace("Leeds", "York")}
    done = then(crossing, run, files, options={"after": run.run.run})
    assert {(f["rule"], f["field"]) for f in done.found("changed_since_moved")} == {("changed_since_moved", "row")}
    assert done.ledger["state"] == "completed"
    assert len(done.found("changed_since_moved")) == 3
    assert [c["last_name"] for c in done.rows("01_contacts")] == ["Able"]
    assert not any("balances_forward" in name for name in done.names())
    assert next(m for m in done.ledger["money"] if m["type"] == "receivable")["not_taken"] == "110.00"


@pytest.mark.requirement("E98")
def test_who_names_no_earlier_run_is_told_that_there_is_one(crossing: Crossings) -> None:
    run = crossing(first(), options={"open_matters_stay": True})
    assert not run.noted("earlier_run_not_named")
    later = then(crossing, run, first(), options={"open_matters_stay": True})
    assert [n["detail"] for n in later.noted("earlier_run_not_named")] == [run.run.run]
    assert len(later.rows("02_matters")) == 2


@pytest.mark.requirement("E98")
def test_a_run_that_is_not_there_is_asked_about(crossing: Crossings) -> None:
    run = crossing(first(), options={"open_matters_stay": True})
    held = then(crossing, run, first(), after="run-none")
    assert held.state == "held"
    assert [(r["code"], r["answer_with"]) for r in held.reasons] == [("CF-124", "options.after")]
    assert held.release("x", options={"after": run.run.run}).state == "completed"


@pytest.mark.requirement("E98")
def test_on_a_laptop_the_results_of_the_earlier_run_say_what_it_moved(tmp_path: Path) -> None:
    from workers.commands.crossing import run_export

    choices = CHOICES | {"options": {"open_matters_stay": True}}
    for name, files in (("one", first()), ("two", first(HEAD + CLOSED + OLD + LAST))):
        for file, text in files.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / file).write_bytes(text.encode() if isinstance(text, str) else text)
    assert run_export(tmp_path / "one", dict(choices), tmp_path / "out-1", None, again=False, as_json=False, strict=False) == 0
    assert run_export(tmp_path / "two", dict(choices), tmp_path / "out-2", None, again=False, as_json=False, strict=False, after=tmp_path / "out-1") == 0
    matters = (tmp_path / "out-2" / "import-files" / "02_matters.csv").read_text("utf-8-sig").splitlines()
    assert len(matters) == 2
