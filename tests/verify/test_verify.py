import copy
import csv
import io
import json
import re
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry.canonical import sha256
from caseferry.choices import Migration
from caseferry.mapping.target import load_target
from caseferry.reading.source import Source
from caseferry.rules import RULES
from caseferry.services.scratch import Scratch
from tasks.verify import recount, seen
from tasks.verify.checks import Check
from tasks.verify.evidence import Evidence
from tasks.verify.proof import Checks, Proof, lines_of
from tests.crossing import CARDS, ONE_CARD, ONE_MATTER, Crossed, Crossings, firm

from caseferry.manifest import Intake, Merged, Split  # isort: skip


@pytest.mark.requirement("E77", "B06", "C07")
def test_the_sample_firm_ends_in_the_ledger_its_generator_kept(sample: Crossed, expected: Any) -> None:
    for record, counts in expected["types"].items():
        assert {k: sample.type(record)[k] for k in counts} == counts, record
    money = {m["type"]: m for m in sample.ledger["money"]}
    assert money["receivable"]["written"] == expected["sums"]["receivable"]
    assert money["trust"]["written"] == expected["sums"]["trust"]
    assert money["time_entry"]["written"] == expected["sums"]["time_written"]
    assert money["time_entry"]["carried"] == expected["sums"]["time_exported"]
    assert sample.ledger["hours"]["written"] == expected["sums"]["hours_written"]
    assert sample.ledger["derived"] == expected["derived"]
    assert {e["name"]: e["rows"] for e in sample.ledger["exclusions"] if e["rows"]} == expected["exclusions"]
    assert sample.state == "completed_with_differences"
    assert all(c["passed"] for c in sample.ledger["checks"])


@pytest.mark.requirement("E103")
def test_mapping_conversion_and_verification_are_stages_of_their_own(sample: Crossed) -> None:
    assert sample.ledger["stages"] == ["field mapping", "format conversion", "accuracy verification"]
    assert [h[0] for h in sample.json("run.json")["history"]] == ["arrived", "received", "split", "transformed", "merged", "ready", "completed_with_differences"]


@pytest.mark.requirement("E78")
def test_ten_to_twenty_records_of_each_type_stand_side_by_side(sample: Crossed, crossing: Crossings) -> None:
    drawn = sample.json("4-verify", "sample.json")
    counts: dict[str, int] = {}
    for one in drawn:
        counts[one["file"]] = counts.get(one["file"], 0) + 1
    carried = {f["name"]: f["rows"] for f in sample.ledger["files"]}
    assert all(min(10, carried[name]) <= count <= 20 for name, count in counts.items())
    assert {one["record"] for one in drawn} >= {"contact", "matter", "task", "note", "time_entry", "receivable", "trust", "calendar_event"}
    assert all(one["source"] and one["target"] for one in drawn)
    page = sample.store.get(sample.run.at("4-verify", "report.html")).decode()
    assert page.count("☐ right ☐ wrong") == len(drawn) and "by chance, seed 1" in page
    tiny = crossing(firm()).json("4-verify", "sample.json")
    assert [one["record"] for one in tiny].count("matter") == 1


@pytest.mark.requirement("E79")
def test_every_email_and_phone_is_found_again(sample: Crossed) -> None:
    assert sample.check("contact_points")["passed"]
    assert re.match(r"6\d\d e-mail addresses and 8\d\d telephone numbers, 0 not found", sample.check("contact_points")["detail"])


@pytest.mark.requirement("E37")
def test_a_hundred_percent_is_printed_only_without_differences(sample: Crossed, crossing: Crossings) -> None:
    assert sample.ledger["accuracy"]["percent"] == "100"
    run = crossing(firm())
    broken = tampered(run, "01_contacts.csv", lambda text: text.replace("John", "Jon"))
    check = next(c for c in checked(broken) if c.name == "accuracy")
    assert not check.passed and check.detail.startswith("50.0000 %")
    assert check.differences == ({"table": "t001-cards", "row": 2, "field": "first_name"},)


class _Changed:
    """A store in which some objects read differently."""

    def __init__(self, store: Any, changed: dict[str, bytes]) -> None:
        self._store, self._changed = store, changed

    def get(self, key: str) -> bytes:
        found: bytes = self._changed[key] if key in self._changed else self._store.get(key)
        return found

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self.get(key)[start : start + length]

    def save(self, key: str, path: Path) -> None:
        path.write_bytes(self.get(key))


def tampered(run: Crossed, names: str | tuple[str, ...], change: Any, rehash: bool = True) -> Evidence:
    """The run's evidence, with files handed over that were changed after they were written."""
    keys = {name: run.run.at("3-merge", "files", name) for name in ([names] if isinstance(names, str) else names)}
    changed = {name: change(run.store.get(key).decode()).encode() for name, key in keys.items()}
    merged = run.json("3-merge", "manifest.json")
    for entry in merged["files"] if rehash else ():
        if entry["name"] in changed:
            entry["sha256"] = sha256(changed[entry["name"]])
    return Evidence(
        _Changed(run.store, {keys[name]: data for name, data in changed.items()}), run.run,  # type: ignore[arg-type]
        Migration.model_validate(run.json("0-original", "admission.json")), Intake.model_validate(run.json("0-original", "manifest.json")),
        Split.model_validate(run.split), Merged.model_validate(merged),
    )  # fmt: skip


def checked(evidence: Evidence) -> list[Check]:
    checks = Checks(evidence, load_target("clio"))
    for batch in evidence.batches():
        for judge in checks.judges:
            judge.see(batch)
    return checks.found


def added_up(evidence: Evidence) -> list[Check]:
    """The checks as they come of what several workers have seen, each of one batch, of all lines, or of all files."""
    every = []
    for number in range(1, len(evidence.merged.batches) + 1):
        with Scratch() as scratch:
            every.append(seen.written(Proof(evidence, scratch).seen(number, number)))
    with Scratch() as scratch:
        own = Proof(evidence, scratch)
        every += [seen.written(lines_of(evidence.originals)), seen.written(own.files())]
    with Scratch() as scratch:
        proof = Proof(evidence, scratch)
        for one in every:
            proof.add(seen.read(one))
        return proof.checks.found


DEBTORS = 'Matter No,Debtor Name,Outstanding\n24-0001,"Smith, John",100.10\n'
TRUST = 'Matter No,Client,Trust Balance\n24-0001,"Smith, John",55.55\n'
TIME = "Date,Matter No,Staff,Hours,Rate\n31/05/2024,24-0001,JD,1.5,200\n"


@pytest.mark.parametrize(
    ("name", "old", "new", "check"),
    [
        ("12_balances_forward_user-01.csv", "100.10", "100.11", "money_receivable"),
        ("NOT-AN-IMPORT-FILE_trust_balances.csv", "55.55", "55.54", "money_trust"),
        ("11_activities_user-01.csv", '"200.00"', '"200.01"', "money_time_entry"),
        ("11_activities_user-01.csv", '"1.5"', '"1.4"', "hours"),
        ("11_activities_user-01.csv", "Jane Doe", "Jon Doe", "references"),
        ("11_activities_user-01.csv", "24-0001", "24-0002", "references"),
        ("11_activities_user-01.csv", "05/31/2024", "31/05/2024", "schema"),
        ("02_matters.csv", '"Open"', '"Opened"', "schema"),
        ("02_matters.csv", '"Smith"', '"Smyth"', "references"),
        ("02_matters.csv", "custom_number", "customnumber", "schema"),
        ("01_contacts.csv", "john@x.example", "jon@x.example", "contact_points"),
    ],
)
def test_each_check_finds_the_fault_it_is_there_for(crossing: Crossings, name: str, old: str, new: str, check: str) -> None:
    run = crossing(firm(d=DEBTORS, t=TRUST, w=TIME), settings={"work": {"batch_rows": 1}})
    assert len(run.json("3-merge", "manifest.json")["batches"]) == 2
    assert all(c.passed for c in checked(tampered(run, name, lambda text: text)))
    # The details file holds the address too: it is taken from both.
    names = (name, "NOT-AN-IMPORT-FILE_contact_details.csv") if check == "contact_points" else (name,)
    evidence = tampered(run, names, lambda text: text.replace(old, new))
    alone = checked(evidence)
    assert not {c.name: c.passed for c in alone}[check]
    own = {"lines", "hashes"}  # who looks at pieces counts no originals here, and sees no more of a file than its pieces are long
    assert [c for c in added_up(evidence) if c.name not in own] == [c for c in alone if c.name not in own]


def test_a_row_lost_on_the_way_to_a_file_is_found(crossing: Crossings) -> None:
    run = crossing(firm(w=TIME + "31/05/2024,24-0001,JD,2,200\n"))
    evidence = tampered(run, "11_activities_user-01.csv", lambda text: text.rsplit("\r\n", 2)[0] + "\r\n")
    failed = {c.name for c in checked(evidence) if not c.passed}
    assert {"written", "hashes", "money_time_entry", "hours"} <= failed
    for lost in (" ", "\r\n" * 600_000):
        changed = tampered(run, "11_activities_user-01.csv", lambda text: text + lost, rehash=False)  # noqa: B023
        assert "hashes" in {c.name for c in checked(changed) if not c.passed} & {c.name for c in added_up(changed) if not c.passed}
    whole = tampered(run, "11_activities_user-01.csv", lambda text: text)
    assert all(c.passed for c in added_up(whole))


def test_a_report_whose_own_total_is_wrong_is_a_difference_not_a_failure(crossing: Crossings) -> None:
    run = crossing(firm(d=DEBTORS + "Total,,100.11\n"))
    assert run.state == "completed_with_differences"
    assert not run.check("control_totals")["passed"]
    assert run.check("control_totals")["differences"][0]["row"] == 3


def test_the_report_is_one_file_without_script_and_with_a_table_for_every_picture(sample: Crossed) -> None:
    page = sample.store.get(sample.run.at("4-verify", "report.html")).decode()
    assert "<script" not in page.lower() and "http://" not in page and "src=" not in page
    assert not re.findall(r"\son\w+=", page)
    assert '<html lang="en">' in page and page.count("<h1>") == 1
    assert "<title>Complete, with differences to look at" in page
    assert all("scope=" in head for head in re.findall(r"<th[ >][^>]*>", page))
    assert len(re.findall(r"<svg[^>]*role=\"img\"", page)) == page.count("<svg")
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_a_cell_can_not_run_in_either_report(crossing: Crossings) -> None:
    cards = CARDS + '"<script>alert(1)</script>",A,<b>B</b>,,a@x.example,\n,,,,nobody@x.example,"=HYPERLINK(""http://x"")"\n'
    run = crossing(firm(cards=cards))
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert "<script" not in page and "<b>B" not in page and "&lt;b&gt;B" in page
    book = openpyxl.load_workbook(io.BytesIO(run.store.get(run.run.at("4-verify", "report.xlsx"))))
    waits = next(sheet for sheet in book if sheet.title.startswith("Waits"))
    assert [c.value for c in waits[1]] == ["Row", "Card Name", "First Name", "Last Name", "Organisation", "Email", "Mobile", "Reason", "Your answer"]
    assert [c.value for c in waits[2]] == [3, None, None, None, None, "nobody@x.example", '=HYPERLINK("http://x")', "The card has no name at all.", None]
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    assert all(cell.hyperlink is None for sheet in book for row in sheet for cell in row)


@pytest.mark.requirement("E28")
def test_every_deadline_ahead_stands_old_beside_new_with_its_zone(crossing: Crossings) -> None:
    events = "Subject,Start Date,Start Time,End Date,End Time,Staff,Matter No\nTrial,30/06/2024,9:30 AM,30/06/2024,5:00 PM,JD,24-0001\nPast,13/01/2024,9:30 AM,13/01/2024,10:00 AM,JD,24-0001\n"
    tasks = "Task,Due Date,Assigned To,Status\nFile motion,14/06/2024,RR,\n"
    run = crossing(firm(e=events, t=tasks), time_zone="America/New_York", cut_off="2024-05-31")
    book = openpyxl.load_workbook(io.BytesIO(run.store.get(run.run.at("4-verify", "report.xlsx"))))
    rows = [[c.value for c in row] for row in book["Deadlines"].iter_rows(min_row=2)]
    assert [row[1:6] for row in rows] == [
        ["File motion", None, "14/06/2024", "06/14/2024", "all day"], ["Trial", "24-0001", "30/06/2024 9:30 AM", "06/30/2024 09:30:00", "America/New_York"],
    ]  # fmt: skip
    assert [row[7] for row in rows] == [None, None]
    assert (run.ledger["deadlines_differ"], run.state) == (0, "completed")
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert "Deadlines to check" in page and "Past" not in page.split("Deadlines to check")[1].split("<h2")[0]


def test_every_rule_that_can_be_found_is_explained_in_plain_words(sample: Crossed) -> None:
    told = {n["rule"] for n in sample.notes("findings")} | {n["rule"] for n in sample.notes("changes")} | {n["rule"] for n in sample.ledger["noted"]}
    assert told - set(RULES) - {e["name"] for e in sample.ledger["exclusions"]} == set()
    source = "".join(path.read_text() for room in ("transform", "merge", "split") for path in (Path(__file__).parents[2] / "tasks" / room).glob("*.py"))
    named = set(re.findall(r'"(\w+)",\s+"(?:carried|emptied|quarantined|excluded)",?\s*[^\]]', source)) - {"carried", "quarantined"}
    assert len(named) > 40 and named <= set(RULES)


def test_the_recount_reads_amounts_as_a_bookkeeper_does() -> None:
    for text, value in (("(1,234.50)", "-1234.50"), ("$5", "5"), ("5 CR", "-5"), ("5-", "-5"), ("-", "0"), ("USD 1.10", "1.10")):
        assert str(recount.amount(text)) == value
    assert recount.amount("n/a") is None
    known = {"EUR 5": None, "£5": None, "A$5": None, "CHF 5": None, "US$ 5.10 CR": Decimal("-5.10"), "5 USD": Decimal(5), "$5.00 USD": Decimal("5.00"), "$5.00 CAD": None, "($5)": Decimal(-5)}
    assert {text: recount.amount(text, currency="USD") for text in known} == known
    assert recount.count(Source.of(b'a,b\n"x\ny",1\n'), {}, None) == 2


def test_a_column_of_amounts_is_read_as_each_of_them_is() -> None:
    shapes = ("{}", "-{}", "${}", "-${}", "$-{}", "({})", "{}-", "{} CR", "{}DR", "A${}", "US${}", "£{}", "+{}", " {} ", "{}.", "{}\n", "−{}", "{}e3", "{}%")
    figures = (
        "0", "00", "7", "1,234.50", "1.234,50", "1,2,3", "1.2.3", "1234567890123456789012", "12345678901234567890", "0.123456", "0.1234567", ".5", ",5",
        "5,", "1 000", "٣", "1'000.00", "-", "", "n/a", "9" * 31, "999999999999999999.99",
    )  # fmt: skip
    texts = [shape.format(figure) for shape in shapes for figure in figures]
    for credit_is_negative, comma, currency in product((True, False), (True, False), ("", "USD", "AUD", "GBP", "XYZ")):
        read = recount.amounts(pl.Series(texts), credit_is_negative, comma, currency)
        alone = [recount.amount(text, credit_is_negative, comma, currency) for text in texts]
        assert read.to_list() == pl.Series([None if value is None else str(value) for value in alone], dtype=pl.String).cast(pl.Decimal(38, 6)).to_list()



@given(st.lists(st.text('a"\r\n,', max_size=6), max_size=6))
def test_rows_are_counted_alike_wherever_the_text_is_cut(pieces: list[str]) -> None:
    text, is_open, ends, before = "".join(pieces), False, 0, ""
    for char in text:
        ends += not is_open and (char == "\r" or (char == "\n" and before != "\r"))
        is_open ^= char == '"'
        before = "" if is_open else char
    rows = recount._Rows()
    for piece in pieces:
        rows.see(piece.encode())
    assert rows.count == (None if is_open else ends + (not text.endswith(("\r", "\n")) if text else False))


def test_the_ledger_is_data_without_a_clock(sample: Crossed) -> None:
    text = json.dumps(sample.ledger)
    assert sample.run.run not in text and "2024-06-03T" not in text
    assert copy.deepcopy(sample.ledger) == sample.ledger


def test_every_file_ends_its_last_line_and_none_is_blank(sample: Crossed) -> None:
    for name in sample.names():
        data = sample.store.get(sample.run.at("3-merge", "files", name))
        assert data.endswith(b"\r\n") and not data.endswith(b"\r\n\r\n")
        assert all(any(row) for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_the_smallest_firm_is_complete(crossing: Crossings) -> None:
    run = crossing({"c.csv": ONE_CARD, "m.csv": ONE_MATTER})
    assert run.state == "completed"
    assert run.reasons == []


def _count_of_cells(text: str) -> int | None:
    return recount.count_closely(Source.of(text.encode()), {}, None)


def test_inch_marks_in_several_rows_are_characters(crossing: Crossings) -> None:
    notes = ["Matter No,Date,Note", '24-0001,2024-05-01,"Quoted, and ""said"""', *(f"24-0001,2024-05-{day:02d},Call {day}" for day in range(2, 9))]
    for place, text in ((3, 'see 12" plan'), (6, 'and 9" wall'), (8, 'tube 3"')):
        notes[place] = notes[place].rpartition(",")[0] + "," + text
    for some in (notes, notes[:8], [*notes, '24-0001,2024-05-20,5"']):
        run = crossing(firm(notes="\n".join(some) + "\n"))
        assert next(check["passed"] for check in run.ledger["checks"] if check["name"] == "lines"), run.ledger["checks"]
        assert _count_of_cells("\n".join(some)) == len(some)
    torn = crossing(firm(notes="\n".join([*notes[:8], '24-0001,2024-05-20,x"Spoke', 'and wrote"']) + "\n"))
    assert not next(check["passed"] for check in torn.ledger["checks"] if check["name"] == "lines")
    assert 'see 12"" plan' in run.store.get(run.run.at("3-merge", "files", "NOT-AN-IMPORT-FILE_matter_notes.csv")).decode()


@pytest.mark.parametrize(("text", "rows"), [
    ('x"y\nz",w\n', None), ('a\n\ufeff"a\nb",w\n', None), ('he said "yes",y\nz 9",w\n', 2), ('"open\nb",c"\n', None),
    ("", 0), ("a", 1), ("a\n", 1), ("a\r\nb\rc", 3), ('"a\nb",c\nd', 2), ('"a ""b""\n",c\n', 1), ('x 12",y\nz 9",w\n', 2), ('"open,b\nc,d"x\ne', None), ('a,"\n",b\n', 1), ('"",""\n""', 2),
])  # fmt: skip
def test_cells_are_counted_one_by_one_where_marks_alone_do_not_tell(text: str, rows: int | None) -> None:
    assert _count_of_cells(text) == rows
