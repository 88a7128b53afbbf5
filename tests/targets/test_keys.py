"""Keys follow what records say: a later export of the same firm, in whatever order and however grown, gives the same keys."""

import io
import random
from collections import Counter
from typing import Any

import icalendar
import polars as pl
import pytest

from tasks.merge.targets.keys import IDENTITY, hashed, keys_of
from tests.crossing import ONE_MATTER, Crossed, Crossings, firm
from tests.targets.firms import ANN, CARDS, JOHN

CARDS_WITHOUT_IDS = CARDS + JOHN + ANN + '"Bell, Sam",Sam,Bell,,,,,Leeds,,\n"Bell, Sam",Sam,Bell,,,,,York,,\n'
MATTERS = ONE_MATTER + '24-0002,Will,"Able, Ann",Open,31/05/2024,Jane Doe\n24-0003,Estate,Nobody Known Ltd,Open,31/05/2024,Jane Doe\n24-0004,Lease,NOBODY KNOWN LTD,Open,31/05/2024,Jane Doe\n'
NOTES = "Date,Subject,File Note,Matter No\n" + "".join(f"{13 + n}/05/2024,S{n},Body {n},24-000{1 + n % 2}\n" for n in range(9)) + "23/05/2024,Same,Said twice,24-0001\n" * 2
TASKS = "Task,Due Date,Assigned To,Status,Matter No\n" + "Call,13/07/2024,RR,Pending,24-0001\nCall,13/07/2024,JD,Complete,24-0001\nCall,14/07/2024,RR,Pending,24-0001\nWrite,14/07/2024,RR,Pending,24-0002\n"
EVENTS = "Subject,Start Date,Start Time,End Date,End Time,All day event,Staff,Notes\nHearing,30/06/2024,09:30,30/06/2024,10:30,False,RR,x\nHearing,30/06/2024,09:30,30/06/2024,10:30,False,JD,x\nLunch,01/07/2024,,01/07/2024,,True,RR,\n"
TIME = "Date,Matter No,Staff,Hours,Rate,Amount,Description\n" + "31/05/2024,24-0001,RR,1.50,200.00,300.00,Draft\n" * 2 + "30/05/2024,24-0002,JD,0.50,200.00,100.00,Call\n"
DEBTS = 'Matter No,Debtor Name,Outstanding\n24-0001,"Smith, John",5.00\n24-0002,"Able, Ann",7.00\n'
TRUST = 'Matter No,Client,Trust Balance\n24-0001,"Smith, John",5.00\n,"Able, Ann",7.00\n'
PARTIES = 'Matter No,Role,Card Name\n24-0001,Witness,"Able, Ann"\n24-0002,Executor,"Smith, John"\n'
LISTS = {"cards": CARDS_WITHOUT_IDS, "matters": MATTERS, "n": NOTES, "t": TASKS, "e": EVENTS, "w": TIME, "d": DEBTS, "tr": TRUST, "p": PARTIES}
GROWN = {
    "cards": '"Ahead, Ada",Ada,Ahead,,ada@x.example,,,,,\n', "matters": '23-0009,Sale,"Ahead, Ada",Open,31/05/2024,Jane Doe\n', "n": "31/01/2024,First,Ahead of all,24-0001\n23/05/2024,Same,Said twice,24-0001\n",
    "t": "Aaa,31/01/2024,RR,Pending,24-0001\n", "e": "Aaa,29/06/2024,09:30,29/06/2024,10:30,False,RR,\n", "w": "29/05/2024,24-0001,RR,1.00,200.00,200.00,Ahead\n",
}  # fmt: skip


def shuffled(text: str, seed: int, more: str = "") -> str:
    """The same rows and some more in another order."""
    header, *rows = text.splitlines(keepends=True)
    rows += more.splitlines(keepends=True)
    random.Random(seed).shuffle(rows)
    return header + "".join(rows)


def lines(run: Crossed) -> Counter[tuple[str, Any]]:
    """Every line of every file of the package, whatever its place."""
    assert run.state.startswith("completed"), run.reasons
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []
    return Counter((f["name"], tuple(sorted(line.items()))) for f in run.target("generic_crm")["files"] for line in run.fitted("generic_crm", f["name"]))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Crossed:
    return Crossings(tmp_path_factory.mktemp("keys"))(named(LISTS), target="generic_crm", time_zone="America/New_York").approved()


def named(lists: dict[str, str], name: str = "{}") -> dict[str, str | bytes]:
    return {f"{name.format(key)}.csv": text for key, text in lists.items()}


@pytest.mark.requirement("E66")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_shuffled_export_gives_the_same_keys_whatever_the_files_are_called_and_however_it_is_cut(crossing: Crossings, first: Crossed, seed: int) -> None:
    again = named({key: shuffled(text, seed) for key, text in LISTS.items()}, f"{seed}-{{}}-renamed")
    settings = {"work": {"batch_rows": seed, "part_rows": 1 + seed}}
    run = crossing(again, target="generic_crm", time_zone="America/New_York", settings=settings).approved()
    assert lines(run) == lines(first)


@pytest.mark.requirement("E66")
def test_a_grown_export_keeps_every_key_that_was_there(crossing: Crossings, first: Crossed) -> None:
    run = crossing(named({key: shuffled(text, 5, GROWN.get(key, "")) for key, text in LISTS.items()}), target="generic_crm", time_zone="America/New_York").approved()
    before, after = lines(first), lines(run)
    assert before - after == Counter()
    assert sum((after - before).values()) == sum(text.count("\n") for text in GROWN.values())


def test_two_cards_of_one_name_follow_all_they_say_and_equal_records_are_counted(first: Crossed) -> None:
    people = first.fitted("generic_crm", "01_people")
    bells = {p["City"]: p["Contact ID"] for p in people if p["Last Name"] == "Bell"}
    assert len(set(bells.values())) == 2
    assert all("~" in key for key in bells.values())
    same = sorted(n["ID"] for n in first.fitted("generic_crm", "05_notes") if n["Subject"] == "Same")
    assert same[1] == f"{same[0]}~2"


def test_what_comes_and_goes_does_not_change_a_key(crossing: Crossings, first: Crossed) -> None:
    done = TASKS.replace("Call,14/07/2024,RR,Pending", "Call,14/07/2024,JD,Complete")
    run = crossing(named(LISTS | {"t": done}), target="generic_crm", time_zone="America/New_York").approved()
    keys = [{t["ID"] for t in one.fitted("generic_crm", "06_tasks")} for one in (first, run)]
    assert keys[0] == keys[1]


def test_a_calendar_that_is_fetched_again_names_its_events_the_same(crossing: Crossings) -> None:
    calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n"
    one = "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Docket\r\nDTSTART;TZID=America/New_York:20240603T083000\r\nDTEND;TZID=America/New_York:20240603T090000\r\nRRULE:FREQ=WEEKLY;COUNT=4\r\nEND:VEVENT\r\n"
    two = "BEGIN:VEVENT\r\nUID:b\r\nSUMMARY:Lunch\r\nDTSTART;VALUE=DATE:20240610\r\nEND:VEVENT\r\n"
    uids = []
    for events in (one + two, two + one):
        run = crossing(firm() | {"c.ics": calendar.format(events)}, also=["icalendar"], options={"recurrence": "expand"})
        data = run.store.get(run.run.at("3-merge", "icalendar", "files", "01_events.ics"))
        uids.append({(str(e["UID"]), str(e.decoded("DTSTART"))) for e in icalendar.Calendar.from_ical(data).walk("VEVENT")})
    assert uids[0] == uids[1]
    assert len(uids[0]) == 5


def test_attachments_follow_their_message(crossing: Crossings) -> None:
    def message(subject: str, files: list[tuple[str, str]]) -> str:
        parts = "".join(f'--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename="{name}"\n\n{text}\n' for name, text in files)
        return f'From jane@firm.example Fri May 31 10:00:00 2024\nFrom: jane@firm.example\nTo: john@x.example\nDate: Fri, 31 May 2024 10:00:00 +0000\nSubject: {subject}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nSee [24-0001]\n{parts}--b--\n\n'

    one, two = message("Deed [24-0001]", [("deed.txt", "x"), ("deed.txt", "y")]), message("Map [24-0001]", [("deed.txt", "x")])
    found = []
    for mail in ({"a.mbox": one + two}, {"b.mbox": two + one}, {"a.mbox": one, "b.mbox": two}):
        run = crossing(firm() | mail, target="generic_crm", options={"documents": True}, settings={"work": {"batch_rows": 1}}).approved()
        rows = [run.store.get(stat.key) for stat in run.store.listing(run.run.at("3-merge", "generic_crm", "rows"))]
        keys = pl.concat([pl.read_parquet(io.BytesIO(data)) for data in rows]).filter(pl.col("file") == "12_documents.csv")["key"].to_list()
        assert len(set(keys)) == len(keys) == 3
        found.append(set(keys))
    assert found[0] == found[1] == found[2]


def test_the_hash_of_a_record_is_written_down() -> None:
    """Keys outlive the version that made them: whoever changes this doubles the records of every firm that comes again."""
    frame = pl.DataFrame({"table": ["t"], "row": [7], "written_on": ["2024-05-31"], "subject": ["S"], "body": [None], "matter": ["24-0001"]}, schema_overrides={"row": pl.UInt32, "body": pl.String})
    again = pl.DataFrame(schema={"table": pl.String, "row": pl.UInt32, "again": pl.UInt32})
    assert keys_of("note", frame, again)["key"].to_list() == ["note:a93f32e55dc8fe4fa4162bc9"]
    assert hashed(pl.Series(["é"]), 4).to_list() == ["954544c2"]
    assert set(IDENTITY["note"]) == {"written_on", "subject", "body", "author", "matter", "contact"}
