"""What a calendar or a mail program calls a record is what it is known by: a second export gives the same key, whatever changed."""

import pytest

from tests.crossing import Crossed, Crossings, firm

CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n"


def event(uid: str, summary: str, start: str, more: str = "") -> str:
    return f"BEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:{summary}\r\nDTSTART:{start}\r\nDTEND:{start[:-3]}30Z\r\n{more}END:VEVENT\r\n"


def message(number: str, subject: str, body: str = "Text", day: int = 31) -> str:
    return f"From: jane@firm.example\nTo: john@x.example\nDate: Fri, {day} May 2024 10:00:00 +0000\nMessage-ID: {number}\nSubject: {subject}\n\n{body}\n"


def keys(run: Crossed, name: str, by: str) -> dict[str, str]:
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []
    return {line[by]: line["ID"] for line in run.fitted("generic_crm", name)}


@pytest.mark.requirement("E66")
def test_an_event_that_was_moved_and_renamed_keeps_its_key_and_the_times_of_a_series_theirs(crossing: Crossings) -> None:
    series = event("s", "Docket", "20240603T083000Z", "RRULE:FREQ=WEEKLY;COUNT=4\r\n")
    before = [event("a", "Lunch", "20240610T120000Z"), series, event("s", "Docket moved", "20240611T090000Z", "RECURRENCE-ID:20240610T083000Z\r\n"),
              event("s", "Docket moved too", "20240618T090000Z", "RECURRENCE-ID:20240617T083000Z\r\n")]  # fmt: skip
    after = [before[3].replace("moved too", "again").replace("0618T09", "0619T11"), before[2], series, before[0].replace("Lunch", "Dinner").replace("0610T12", "0611T19")]
    todo = "BEGIN:VTODO\r\nUID:t\r\nSUMMARY:{}\r\nDUE;VALUE=DATE:20240701\r\nEND:VTODO\r\n"
    runs = [
        crossing(firm() | {"c.ics": CALENDAR.format("".join(events) + todo.format(name))}, target="generic_crm", time_zone="UTC", settings={"work": {"part_rows": rows}}).approved()
        for events, name, rows in ((before, "File", 100), (after, "File it", 2))
    ]  # fmt: skip
    first, second = (keys(run, "07_events", "Subject") for run in runs)
    assert len(set(first.values())) == 4
    assert second == {"Dinner": first["Lunch"], "Docket": first["Docket"], "Docket moved": first["Docket moved"], "Docket again": first["Docket moved too"]}
    assert keys(runs[0], "06_tasks", "Name")["File"] == keys(runs[1], "06_tasks", "Name")["File it"]


@pytest.mark.requirement("E66")
def test_a_message_keeps_its_key_in_another_folder_and_one_in_two_folders_is_told_and_carried_twice(crossing: Crossings) -> None:
    one, two = message("<1@x>", "Deed"), message("<2@x>", "Map")
    first = crossing(firm() | {"Inbox/1.eml": one, "Inbox/2.eml": two}, target="generic_crm").approved()
    later = {"24-0001/b.eml": two, "all.mbox": "From jane@firm.example Fri May 31 10:00:00 2024\n" + one.replace("Text", "Text, converted")}
    second = crossing(firm() | later, target="generic_crm").approved()
    assert keys(first, "08_emails", "Subject") == keys(second, "08_emails", "Subject")
    for target in ("clio", "generic_crm"):
        run = crossing(firm() | {"Inbox/1.eml": one, "Inbox/2.eml": two, "24-0001/copy.eml": one.replace("Deed", "FW: Deed")}, target=target, settings={"work": {"part_rows": 1, "batch_rows": 1}}).approved()
        told = run.found("message_told_again")
        assert [(f["outcome"], "the same message as" in f["value"], f["proposal"]) for f in told] == [("carried", True, "take one of them away")]
        assert (run.type("email")["read"], run.type("email")["carried"]) == (3, 3)
    made = [line["ID"] for line in run.fitted("generic_crm", "08_emails")]
    assert len(set(made)) == 3 and {key.removesuffix("~2") for key in made} == set(keys(first, "08_emails", "Subject").values())


def test_one_id_for_every_message_of_a_program_tells_nothing(crossing: Crossings) -> None:
    run = crossing(firm() | {"1.eml": message("<same>", "Deed"), "2.eml": message("<same>", "Map", day=30), "3.eml": message("", "A"), "4.eml": message("", "B")}, target="generic_crm").approved()
    assert run.found("message_told_again") == []
    assert len(set(keys(run, "08_emails", "Subject").values())) == 4
