"""When an event that repeats takes place: by its zone's clock, with what was taken out and put in; or not at all where it can't be told."""

import time
from datetime import datetime

import pytest

from tasks.merge.repeated import MOST, moments_of
from tests.crossing import Crossings, firm

START, UNTIL = datetime(2024, 6, 3, 8, 30), datetime(2026, 6, 30, 23, 59)
ZONE = "America/New_York"


def shown(rule: str, start: datetime = START) -> list[str] | None:
    found = moments_of(rule, start, ZONE, UNTIL)
    return None if found is None else [one.strftime("%m-%d %H:%M") for one in found]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("RRULE:FREQ=WEEKLY;COUNT=3", ["06-03 08:30", "06-10 08:30", "06-17 08:30"]),
        ("RRULE:FREQ=WEEKLY;UNTIL=20240617T123000Z", ["06-03 08:30", "06-10 08:30", "06-17 08:30"]),
        ("RRULE:FREQ=WEEKLY;UNTIL=20240617T122900Z", ["06-03 08:30", "06-10 08:30"]),
        ("RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20240610T123000Z", ["06-03 08:30", "06-17 08:30"]),
        ("RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;VALUE=DATE:20240610", ["06-03 08:30", "06-17 08:30"]),
        ("RRULE:FREQ=WEEKLY;COUNT=2\nRDATE;TZID=America/New_York:20240605T150000", ["06-03 08:30", "06-05 15:00", "06-10 08:30"]),
        ("RRULE:FREQ=DAILY;COUNT=4;BYHOUR=9,14;BYMINUTE=0", ["06-03 08:30", "06-03 09:00", "06-03 14:00", "06-04 09:00", "06-04 14:00"]),
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", ["06-03 08:30", "07-31 08:30", "08-31 08:30"]),
    ],
)
def test_times_are_those_of_the_rule(rule: str, expected: list[str]) -> None:
    assert shown(rule) == expected


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=YEARLY;INTERVAL=0", "RRULE:FREQ=SECONDLY", "RRULE:FREQ=SECONDLY;INTERVAL=7;BYSECOND=1;BYMONTH=2;BYMONTHDAY=30",
        "RRULE:FREQ=HOURLY;COUNT=9999999", "RRULE:FREQ=MINUTELY\nEXRULE:FREQ=MINUTELY", "RRULE:FREQ=MONTHLY;BYDAY=99MO", "RRULE:FREQ=DAILY;UNTIL=00010101T000000Z",
        "RRULE:FREQ=SOMETIMES", "RRULE:FREQ", "RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY", "weekly", "RRULE:FREQ=DAILY;BYSETPOS=0", "RDATE:20240605T150000", "RRULE:",
        "RRULE:FREQ=WEEKLY\nRECURRENCE-ID;RANGE=THISANDFUTURE:20240617T083000",
    ],
)  # fmt: skip
def test_what_can_not_be_told_for_certain_stays_a_rule_and_ends_soon(rule: str) -> None:
    begun = time.monotonic()
    assert shown(rule) is None
    assert time.monotonic() - begun < 60


def test_what_happens_too_often_stays_a_rule() -> None:
    assert shown("RRULE:FREQ=DAILY", datetime(2010, 1, 1, 9)) is None
    daily = moments_of("RRULE:FREQ=DAILY", START, ZONE, UNTIL)
    assert daily is not None
    assert 700 < len(daily) < MOST
    forever = moments_of("RRULE:FREQ=DAILY;UNTIL=99991231T235959Z", START, "Australia/Sydney", UNTIL)
    assert forever is None or len(forever) == len(daily)


def test_one_time_of_a_series_told_by_itself_is_an_exception_of_it(crossing: Crossings) -> None:
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
    series = "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Docket\r\nDTSTART;TZID=America/New_York:20240603T083000\r\nDTEND;TZID=America/New_York:20240603T090000\r\nRRULE:FREQ=WEEKLY;COUNT=4\r\nEND:VEVENT\r\n"
    moved = "BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID;TZID=America/New_York:20240610T083000\r\nSUMMARY:Docket, moved\r\nDTSTART;TZID=America/New_York:20240611T100000\r\nDTEND;TZID=America/New_York:20240611T103000\r\nEND:VEVENT\r\n"
    gone = "BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID;TZID=America/New_York:20240617T083000\r\nSUMMARY:Docket\r\nSTATUS:CANCELLED\r\nDTSTART;TZID=America/New_York:20240617T083000\r\nEND:VEVENT\r\n"
    files = firm() | {"c.ics": head + series + moved + gone + "END:VCALENDAR\r\n"}
    rows = crossing(files, options={"recurrence": "expand"}).rows("calendar_events")
    assert [(r["summary"], r["start_date"], r["start_time"]) for r in rows] == [
        ("Docket", "06/03/2024", "08:30:00"), ("Docket", "06/24/2024", "08:30:00"), ("Docket, moved", "06/11/2024", "10:00:00"),
    ]  # fmt: skip
    kept = crossing(files).rows("calendar_events")
    assert kept[0]["recurrence"].splitlines() == ["RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;TZID=America/New_York:20240610T083000", "EXDATE;TZID=America/New_York:20240617T083000"]
    assert kept[1]["recurrence"] == ""
