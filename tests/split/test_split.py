import datetime as dt
import io
import random
from typing import Any

import openpyxl
import polars as pl
import pytest

from caseferry.mapping.profile import ProfileError, known_evidence, load_profile
from tasks.split.tables import Portion, _parts
from tests.crossing import CARDS, MATTERS, ONE_CARD, ONE_MATTER, Crossed, Crossings, book, firm, packed

GROUPED = """Doe & Roe LLP,,,
Matter List,,,
As at 31/05/2024,,,
,,,
Matter No,Description,Client,Open Date
Staff Responsible: Jane Doe,,,
24-0001,Sale,"Smith, John",31/05/2024
24-0002,Lease,"Smith, John",01/06/2024
Total Jane Doe,2,,
Matter No,Description,Client,Open Date
Richard Roe,,,
24-0003,Will,"Smith, John",13/06/2024
Grand Total,3,,
Page 1 of 1,,,
"""


def test_report_furniture_is_told_from_data(crossing: Crossings) -> None:
    run = crossing(firm(matters=GROUPED))
    table = next(t for t in run.split["tables"] if t["kind"] == "matters")
    assert table["lines"] == {"title": 3, "blank": 1, "header": 2, "group": 2, "data": 3, "subtotal": 1, "total": 1, "footer": 1}
    assert table["as_at"] == "2024-05-31"
    assert [r["responsible_attorney"] for r in run.rows("matter_users")] == ["Jane Doe", "Jane Doe", "Richard Roe"]
    assert run.state == "completed"


def test_a_header_on_two_rows_is_joined(crossing: Crossings) -> None:
    debtors = [["Aged Debtors"], [], ["Matter", "Debtor", "Aged Balances", ""], ["No", "Name", "30 Days", "Outstanding"],
               ["24-0001", "Smith, John", "5.00", "10.00"]]  # fmt: skip
    run = crossing({**firm(), "d.xlsx": book(debtors)})
    table = next(t for t in run.split["tables"] if t["kind"] == "receivables")
    assert [(c["heading"], c["field"]) for c in table["columns"]] == [
        ("Matter No", "matter"), ("Debtor Name", "client"), ("Aged Balances 30 Days", ""), ("Outstanding", "outstanding"),
    ]  # fmt: skip


def test_values_are_filled_down_inside_a_group_and_never_across_one(crossing: Crossings) -> None:
    debtors = "Matter No,Debtor Name,Invoice No,Outstanding\n24-0001,\"Smith, John\",I1,10.00\n,,I2,5.00\nTotal,,,15.00\n,,I3,7.00\nGrand Total,,,22.00\n"
    run = crossing(firm(d=debtors))
    assert [(c["row"], c["after"]) for c in run.changed("fill_down") if c["field"] == "matter"] == [(3, "24-0001")]
    assert [f["row"] for f in run.found("no_matter")] == [5]
    assert run.rows("balances")[0]["price"] == "15.00"


def test_a_flat_list_is_never_filled_down(crossing: Crossings) -> None:
    run = crossing(firm(d='Matter No,Debtor Name,Invoice No,Outstanding\n24-0001,"Smith, John",I1,10.00\n,,I2,5.00\n'))
    assert not run.changed("fill_down")
    assert run.type("receivable")["quarantined"] == 1


@pytest.mark.requirement("A11")
def test_the_source_is_told_from_headings_with_a_confidence(crossing: Crossings) -> None:
    run = crossing({"x1.csv": ONE_CARD, "x2.csv": ONE_MATTER}, source=...)
    assert run.split["product"] == "LEAP"
    assert run.split["confidence"] == 1.0
    assert run.ledger["source"]["version_guess"]
    lonely = crossing({"x1.csv": ONE_CARD})
    assert lonely.split["missing"] == ["matters"]


@pytest.mark.requirement("A23")
@pytest.mark.parametrize("heading", ["Responsible Solicitor", "Person Responsible", "Staff Responsible", "RESPONSIBLE SOLICITOR:"])
def test_both_headings_name_the_responsible_person(crossing: Crossings, heading: str) -> None:
    run = crossing(firm(matters=ONE_MATTER.replace("Person Responsible", heading).replace("Jane Doe", "Richard Roe")))
    assert run.rows("matter_users")[0]["responsible_attorney"] == "Richard Roe"


@pytest.mark.requirement("A35")
def test_every_column_ends_somewhere_and_the_sum_is_right(crossing: Crossings) -> None:
    cards = "Card Name,Email,Website,Letter Dear,Mystery,Mystery,\nSmith,a@b.example,w.example,Hi,1,2,3\n"
    run = crossing(firm(cards=cards))
    table = next(t for t in run.ledger["columns"] if t["kind"] == "cards")
    assert table["uses"] == {"mapped": 2, "custom_field": 1, "ignored": 1, "archive_only": 3}
    assert table["total"] == sum(table["uses"].values()) == 7
    assert len(run.noted("unknown_column")) == 3
    assert run.noted("duplicate_column")[0]["count"] == 2


def test_columns_may_stand_in_any_order_under_any_file_name(crossing: Crossings) -> None:
    run = crossing({"Rechnungen.dat": "Mobile;Surname;First Name\n0412;Smith;John\n", "notes.txt": "Status\tMatter No\tDescription\nOpen\t1\tx\n"})
    assert {t["kind"] for t in run.split["tables"]} == {"cards", "matters"}


@pytest.mark.requirement("A30")
def test_dates_nobody_decides_are_asked_and_never_guessed(crossing: Crossings) -> None:
    held = crossing(firm(matters=MATTERS + '1,x,"Smith, John",Open,03/04/2024,\n'))
    assert held.state == "held"
    assert held.reasons[0]["code"] == "CF-106"
    assert "column 5" in held.reasons[0]["where"]
    assert not held.has("3-merge/manifest.json")
    dmy = held.release(options={"dates": "dmy"})
    assert dmy.rows("02_matters")[0]["open_date"] == "04/03/2024"
    mdy = crossing(firm(matters=MATTERS + '1,x,"Smith, John",Open,03/04/2024,\n'), options={"dates": {"matters.opened_on": "mdy"}})
    assert mdy.rows("02_matters")[0]["open_date"] == "03/04/2024"


def test_a_column_with_both_orders_is_asked_too(crossing: Crossings) -> None:
    rows = "".join(f'{n},x,"Smith, John",Open,{day},\n' for n, day in enumerate(["31/12/2024", "12/31/2024", "01/02/2024"]))
    assert crossing(firm(matters=MATTERS + rows)).state == "held"


def test_typed_dates_and_day_numbers_of_workbooks_need_no_order(crossing: Crossings) -> None:
    rows: list[list[Any]] = [MATTERS.strip().split(","), ["1", "x", "Smith, John", "Open", dt.datetime(2024, 4, 3), ""], ["2", "y", "Smith, John", "Open", 45385, ""]]
    run = crossing({"cards.csv": ONE_CARD, "m.xlsx": book(rows)})
    assert [r["open_date"] for r in run.rows("02_matters")] == ["04/03/2024", "04/03/2024"]
    old = crossing({"cards.csv": ONE_CARD, "m.xlsx": book([rows[0], ["2", "y", "Smith, John", "Open", 43923, ""]], date_1904=True)})
    assert old.rows("02_matters")[0]["open_date"] == "04/03/2024"


@pytest.mark.requirement("A01", "E71", "E72")
def test_the_quality_report_is_there_before_anything_is_transformed(crossing: Crossings) -> None:
    cards = CARDS + "a,John,Smith,,j@x.example,0412 345 678\nb,Jon,,,j@x.example,\n,,,,,\n"
    held = crossing(firm(cards=cards, time="Date,Matter No,Staff,Hours,Rate\n31/05/2024,9999,JD,1,100\n"), account_owner=True)
    report = {q["record"]: q for q in held.json("1-split", "quality.json")["tables"]}
    assert report["contact"]["rows"] == 2
    assert report["contact"]["duplicates"]["by"] == [{"keys": "e-mail", "groups": 1, "rows": 2}]
    empty = {c["field"]: c["empty"] for c in report["contact"]["columns"]}
    assert (empty["last_name"], empty["email"], empty["phone_mobile"]) == (1, 0, 1)
    assert report["time_entry"]["orphans"] == 1
    assert 0 <= report["contact"]["score"] <= 100
    started = next(e for e in held.events() if e["type"] == "job.started")
    assert started["data"]["quality"][0]["duplicates"] == 1


@pytest.mark.requirement("E72")
def test_an_important_column_that_is_not_there_is_missing_in_every_row(crossing: Crossings) -> None:
    matters = "Matter No,Description,Status,Open Date,Person Responsible\n24-0001,Sale,Open,31/05/2024,Jane Doe\n"
    run = crossing(firm(matters=matters))
    report = next(q for q in run.json("1-split", "quality.json")["tables"] if q["record"] == "matter")
    assert report["missing"] == ["client"]
    assert report["score"] == 83


@pytest.mark.requirement("E71", "E72", "E73")
def test_the_reports_show_the_quality_of_every_list(crossing: Crossings) -> None:
    cards = CARDS + "a,John,Smith,,j@x.example,0412 345 678\nb,Jon,,,j@x.example,+61 2 5550 1234\n"
    run = crossing(firm(cards=cards))
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert "<td>Last Name 1; Organisation 2</td><td>Mobile</td><td>1 groups of 2 rows by e-mail</td>" in page
    sheets = openpyxl.load_workbook(io.BytesIO(run.store.get(run.run.at("4-verify", "report.xlsx"))))
    assert ("cards.csv", None, "Last Name", 2, 1, "yes", None, None) in list(sheets["Quality"].iter_rows(values_only=True))
    assert list(sheets["Duplicates"].iter_rows(min_row=2, values_only=True)) == [("cards.csv", None, "e-mail", 1, 2)]


@pytest.mark.requirement("A02", "E73")
def test_the_formats_of_a_column_are_counted_and_mixtures_flagged(crossing: Crossings) -> None:
    run = crossing(firm(matters=ONE_MATTER + '2,y,"Smith, John",Open,2024-06-01,\n3,z,"Smith, John",Open,30/06/2024,\n'))
    report = next(q for q in run.json("1-split", "quality.json")["tables"] if q["record"] == "matter")
    dates = next(c for c in report["columns"] if c["field"] == "opened_on")
    assert dates["formats"] == {"9/9/yyyy": 2, "yyyy-9-9": 1}
    assert dates["mixed"]
    assert "Sale of shop" not in str(report)


def test_a_second_reading_gives_the_same_bytes(crossing: Crossings) -> None:
    def bytes_of(run: Crossed) -> dict[str, bytes]:
        return {name: run.raw(name) for name in run.names()} | {"ledger": run.store.get(run.run.at("4-verify", "ledger.json"))}

    one, two = crossing(firm(matters=GROUPED)), crossing(firm(matters=GROUPED))
    assert bytes_of(one) == bytes_of(two)


def test_small_parts_give_the_same_files_as_large_ones(crossing: Crossings) -> None:
    rows = MATTERS + "".join(f'24-{n:04d},Matter {n},"Smith, John",Open,{13 + n % 15}/05/2024,JD\n' for n in range(50))
    whole, cut = crossing(firm(matters=rows)), crossing(firm(matters=rows), settings={"work": {"part_rows": 7}})
    assert len(next(t for t in cut.split["tables"] if t["kind"] == "matters")["parts"]) == 8
    assert [cut.raw(n) for n in cut.names()] == [whole.raw(n) for n in whole.names()]


def test_a_profile_that_misspells_a_field_is_told_which_one(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "bad.yaml").write_text("source: bad\nproduct: B\nwords: {}\ntables: {t: {record: contact, columns: {last_nam: [Surname]}}}\n")
    with pytest.raises(ProfileError, match="did you mean 'last_name'"):
        load_profile("bad", folder)


def test_hidden_rows_are_read_and_said(crossing: Crossings) -> None:
    import io

    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as made:
        sheet = made.add_worksheet("S")
        for number, row in enumerate([["Surname", "First Name", "Email"], ["Smith", "John", "j@x.example"], ["Doe", "Ann", "a@x.example"]]):
            sheet.write_row(number, 0, row)
        sheet.set_row(2, None, None, {"hidden": True})
    run = crossing({"c.xlsx": buffer.getvalue(), "m.csv": ONE_MATTER})
    assert run.type("contact")["read"] == 2
    assert run.noted("hidden_rows")[0]["count"] == 1


def test_an_upload_that_is_one_workbook_needs_no_archive(crossing: Crossings) -> None:
    assert packed({"a": "b"})[:2] == b"PK"  # a workbook is a zip too, and must not be taken for an archive
    run = crossing({"lists/Book1.xlsx": book([["Surname", "First Name", "Email"], ["Smith", "John", "j@x.example"]])})
    assert run.type("contact")["carried"] == 1


@pytest.mark.parametrize("source", [name for name, told in known_evidence().items() if told])
def test_every_source_is_told_by_the_headings_only_it_writes(crossing: Crossings, source: str) -> None:
    mark = load_profile(source).evidence[0]
    cards = "Card Name,First Name,Last Name,Organisation,Email,Mobile," + mark + '\n"Smith, John",John,Smith,,john@x.example,0412 345 678,x\n'
    assert crossing(firm(cards=cards), source=...).split["source"] == source


def test_a_cell_that_says_what_another_system_heads_its_columns_with_decides_nothing(crossing: Crossings) -> None:
    marks = [mark for name, told in known_evidence().items() if told for mark in load_profile(name).evidence]
    notes = "Date,Author,Subject,File Note,Matter No\n" + "".join(f'13/05/2024,JD,"{mark}","{mark}",24-0001\n' for mark in marks)
    assert crossing({**firm(), "n.csv": notes}, source=...).split["source"] == "leap"


def test_a_part_holds_no_more_rows_and_no_more_text_than_it_may() -> None:
    dice = random.Random(1)
    for _ in range(300):
        frames = [
            pl.DataFrame({"row": range(rows), "c0": [dice.choice([None, "", "é" * dice.randrange(6)]) for _ in range(rows)]}, schema={"row": pl.UInt32, "c0": pl.String})
            for rows in [dice.randrange(9) for _ in range(4)]
        ]  # fmt: skip
        portion, whole = Portion(dice.randrange(1, 7), dice.randrange(1, 20)), pl.concat(frames)
        parts = list(_parts(iter(frames), portion))
        assert pl.concat([whole.clear(), *(part for part, _ in parts)]).equals(whole)
        for part, size in parts:
            assert size == part["c0"].drop_nulls().str.len_bytes().sum()
            assert part.height <= portion.rows and (size <= portion.bytes or part.height == 1)


def test_lists_in_forms_nobody_here_reads_are_named_and_never_pass_as_papers(crossing: Crossings) -> None:
    files = firm() | {"people.jsonl": '{"a": 1}\n{"a": 2}\n', "m.xml": "<?xml version='1.0'?><a><b>1</b></a>", "Papers/24-0001/order.xml": "<?xml version='1.0'?><o/>"}
    run = crossing(files)
    assert sorted(f["where"] for f in run.noted("data_not_read")) == ["m.xml", "people.jsonl"]
    assert run.state == "completed_with_differences"


def test_a_table_of_what_is_not_taken_is_told_by_its_headings_not_by_our_names(crossing: Crossings) -> None:
    run = crossing(firm(w="Who,What,Day\nAnn Able,Asked about the will,2024-01-02\n"))
    assert [(one["file"], one["reason"]) for one in run.split["unknown"]] == [("w.csv", "no table of this source has these columns")]


@pytest.mark.parametrize("header", ["Date,Matter No,Disbursement Type,Description", "Date,Matter No,Description,Amount"])
def test_a_list_that_lacks_what_makes_it_one_is_not_read_as_another(crossing: Crossings, header: str) -> None:
    row = "2024-05-01,24-0001,Filing fee,45.00\n"
    run = crossing(firm(d=f"{header}\n{row}{row}"))
    assert [(one["file"], one["rows"]) for one in run.split["unknown"]] == [("d.csv", 3)]
    assert "has to be there" in run.split["unknown"][0]["reason"]
    assert len(run.rows("02_matters")) == 1 and run.state == "completed_with_differences"


def test_a_line_below_a_report_is_no_matter(crossing: Crossings) -> None:
    lines = "Erstellt am 31.05.2024 von Bob,,,,,\nÉdité par: M. Leclerc,,,,,\n*** fin,,,,,\nThis report is for the use of the firm only,,,,,\n24-0009,,,,,\n"
    run = crossing(firm(matters=ONE_MATTER + lines))
    assert [row["custom_number"] for row in run.rows("02_matters")] == ["24-0001", "24-0009"]
