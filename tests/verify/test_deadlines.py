"""A deadline that is still ahead is never out of sight: not where its day can't be read, nor where it stands in the matter list."""

import io
from datetime import date
from typing import Any

import openpyxl
import pytest

from tasks.verify.deadlines import _says
from tests.crossing import Crossed, Crossings, firm

pytestmark = pytest.mark.requirement("E28")


def listed(run: Crossed) -> list[dict[str, Any]]:
    book = openpyxl.load_workbook(io.BytesIO(run.store.get(run.run.at("4-verify", "report.xlsx"))))
    header, *rows = book["Deadlines"].iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def test_a_deadline_whose_day_did_not_arrive_is_one_to_explain(crossing: Crossings) -> None:
    tasks = "Task,Due Date,Assigned To,Matter No\nServe notice,14/06/2024,RR,24-0001\nFile motion,31/06/2024,RR,24-0001\nNo day at all,,RR,24-0001\n"
    events = "Subject,Start Date,Start Time,End Date,End Time,Staff,Matter No\nTrial,30/02/2025,9:30 AM,,,JD,24-0001\n"
    run = crossing(firm(t=tasks, e=events))
    assert [(line["What"], line["In old system"], line["In file"], line["Difference"]) for line in listed(run)] == [
        ("File motion", "31/06/2024", None, "the file has no day"), ("Trial", "30/02/2025", None, "it waits, and is in no file"),
        ("Serve notice", "14/06/2024", "06/14/2024", None),
    ]  # fmt: skip
    assert (run.ledger["deadlines_differ"], run.state) == (2, "completed_with_differences")
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert "2 differ: each has to be explained before you accept" in page


def test_a_limitation_period_in_the_matter_list_is_a_deadline(crossing: Crossings) -> None:
    matters = "Display Number,Description,Client,Status,Responsible Attorney,Open Date,Statute of Limitations Date\n"
    matters += "00001-A,Sale,John Smith,Open,Jane Doe,03/13/2023,09/15/2024\n00002-A,Lease,John Smith,Open,Jane Doe,03/13/2023,02/31/2025\n00003-A,Will,John Smith,Open,Jane Doe,03/13/2023,09/15/2021\n"
    cards = "Type,First Name,Last Name,Name,Primary Email Address\nPerson,John,Smith,John Smith,j@x.example\n"
    run = crossing({"contacts.csv": cards, "matters.csv": matters}, source="clio")
    assert [(line["What"], line["Matter"], line["In file"], line["Difference"]) for line in listed(run)] == [
        ("Statute of Limitations", "00002-A", None, "the file has no day"), ("Statute of Limitations", "00001-A", "09/15/2024", None),
    ]  # fmt: skip
    assert run.state == "completed_with_differences"


def test_what_began_before_and_repeats_is_still_ahead(crossing: Crossings) -> None:
    event = "BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:{n}\r\nDTSTART;TZID=Europe/London:20230605T090000\r\n{more}END:VEVENT\r\n"
    text = "BEGIN:VCALENDAR\r\n" + event.format(n="Monthly filing", more="RRULE:FREQ=MONTHLY\r\n") + event.format(n="Once", more="") + "END:VCALENDAR\r\n"
    told = listed(crossing(firm() | {"c.ics": text}))
    assert [(line["What"], line["Zone"], line["Difference"]) for line in told] == [("Monthly filing", "Europe/London", None)]


def test_a_day_is_the_same_in_whatever_order_and_no_other() -> None:
    day = date(2024, 6, 3)
    assert all(_says(text, day) for text in ("03/06/2024", "6/3/24", "3 June 2024", "2024-06-03T09:30", "20240603", "45446"))
    assert not any(_says(text, day) for text in ("03/07/2024", "04/06/2024", "03/06/2023", "20240604", "45447"))
