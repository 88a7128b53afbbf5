"""iCalendar files as a list: a row for each event, in the words a calendar's own CSV would have.

Days that an event lasts are counted as people do: iCalendar's end of a whole day is the day after. A repeated event is
one row with its rule. What was cancelled, or sent again in a newer version, is there and says so.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from caseferry.reading.components import Component, current_of, first, parts_of, text_of
from caseferry.reading.contentlines import Line
from caseferry.reading.grid import Grid, from_lists
from caseferry.reading.placed import place
from caseferry.reading.series import except_times
from caseferry.reading.todos import todos_of
from caseferry.reading.zones import known, zone_of

HEADINGS = (
    "Subject", "Start Date", "Start Time", "End Date", "End Time", "All Day Event", "Time Zone", "Location", "Description", "Organizer",
    "Attendees", "Categories", "Recurrence", "Event Status", "Created", "UID", "Reminder", "Other Fields", "Recurrence ID",
)  # fmt: skip
_SILENT = {"DTSTAMP", "SEQUENCE", "LAST-MODIFIED", "TRANSP", "CLASS", "DTSTART", "DTEND", "DURATION", "ALARM", "ATTENDEE", "CATEGORIES"}
_ONCE = {"SUMMARY", "LOCATION", "DESCRIPTION", "ORGANIZER", "STATUS", "CREATED", "UID"}
_WHOLE_DAY = re.compile(r"\d{8}$")
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?$", re.ASCII)
_LENGTH = re.compile(r"([+-])?P(?:(\d{1,4})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$", re.ASCII)
_REPEATS = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")


def read_calendar(text: str) -> list[Grid]:
    """Every event of a file, of however many calendars; and its to-dos, if it has any, as a list of their own."""
    parts = parts_of(text)
    notes = place(parts) + Counter({"journals_not_read": parts.journals} if parts.journals else {})
    todos = [todos_of(parts.todos)] if parts.todos else []
    if todos and not parts.events:
        return [Grid(todos[0].cells, todos[0].sheet, dict(notes) | todos[0].notes)]
    events = parts.events
    current = current_of(events)
    times = [first(event, "RECURRENCE-ID") for event in events]  # an exception of its series says it no longer once that is told
    notes += except_times(events, current)
    rows = [[*_row(event, is_current=number in current), times[number]] for number, event in enumerate(events)]
    return [from_lists(pl.Series("t", [list(HEADINGS), *rows], dtype=pl.List(pl.String)), notes=dict(notes)), *todos]


def _row(event: Component, *, is_current: bool) -> list[str]:
    start, end = _moment(event, "DTSTART"), _moment(event, "DTEND")
    all_day = "DTSTART" in event and bool(_WHOLE_DAY.match(event["DTSTART"][0].value.strip()))
    if not end[0] and "DURATION" in event:
        end = _after(event["DTSTART"][0] if "DTSTART" in event else None, event["DURATION"][0].value)
    end = _in_zone(end, start[2])
    if all_day and end[0]:
        end = (_day_before(end[0], start[0]), "", "")
    status = text_of(event, "STATUS").title()
    return [
        text_of(event, "SUMMARY"), start[0], start[1], end[0] or (start[0] if all_day else ""), end[1], "True" if all_day else "False", start[2] or end[2],
        text_of(event, "LOCATION"), text_of(event, "DESCRIPTION"), _person(event, "ORGANIZER"), "; ".join(_people(event)),
        "; ".join(line.text for line in event.get("CATEGORIES", ())), "\n".join(_as_written(line) for name in _REPEATS for line in event.get(name, ())),
        "Replaced" if not is_current else "Cancelled" if status in {"Cancelled", "Canceled"} else status,
        " ".join(_moment(event, "CREATED")[:2]).strip(), text_of(event, "UID"), "yes" if "ALARM" in event else "",
        "; ".join(_others(event)),
    ]  # fmt: skip


def _others(event: Component) -> Iterator[str]:
    """What has no column of its own."""
    for name, some in event.items():
        if name in _SILENT or name in _REPEATS:
            continue
        for line in some[1:] if name in _ONCE else some:
            if line.text.strip():
                yield line.text.strip() if name == "?" else f"{name}: {line.text.strip()}"
    for line in event.get("ORGANIZER", ())[:1]:
        if line.parameters.get("CN"):
            yield f"ORGANIZER: {line.value.strip()}"


def _as_written(line: Line) -> str:
    zone = next(iter(line.parameters.get("TZID", ())), "")
    if line.name != "RRULE" and _WHOLE_DAY.match(line.value.strip()):
        return f"{line.name};VALUE=DATE:{line.value}"
    return f"{line.name};TZID={zone}:{line.value}" if zone else f"{line.name}:{line.value}"


def _in_zone(end: tuple[str, str, str], zone: str) -> tuple[str, str, str]:
    """An end told in another zone, in the zone of the start; where one of them is not known it stands as it is."""
    if not end[1] or not end[2] or end[2] == zone or not {end[2], zone} <= known():
        return end
    try:
        there = datetime.fromisoformat(f"{end[0]}T{end[1]}").replace(tzinfo=ZoneInfo(end[2])).astimezone(ZoneInfo(zone))
    except (ValueError, OverflowError):
        return end
    return there.date().isoformat(), there.time().isoformat(), zone


def _moment(event: Component, name: str) -> tuple[str, str, str]:
    """Day, time of day and zone; text that is no moment stands as the day, for a person to see."""
    if name not in event:
        return "", "", ""
    line = event[name][0]
    found = _MOMENT.match(line.value.strip())
    if not found:
        return line.value.strip(), "", ""
    year, month, day, hour, minute, second, universal = found.groups()
    zone = "UTC" if universal else zone_of(next(iter(line.parameters.get("TZID", ())), ""))
    return f"{year}-{month}-{day}", f"{hour}:{minute}:{second or '00'}" if hour else "", zone if hour else ""


def _after(start: Line | None, length: str) -> tuple[str, str, str]:
    found, begun = _LENGTH.match(length.strip()), _MOMENT.match(start.value.strip()) if start else None
    if not found or not begun or not start:
        return "", "", ""
    sign, weeks, days, hours, minutes, seconds = found.groups()
    lasts = timedelta(weeks=int(weeks or 0), days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0))
    zone = zone_of(next(iter(start.parameters.get("TZID", ())), ""))
    try:
        starts = datetime(*(int(part or 0) for part in begun.groups()[:6]))  # type: ignore[arg-type]
        ends = starts + (-lasts if sign == "-" else lasts)
        if begun.group(4) and not begun.group(7) and zone in known() and sign != "-":  # days by the calendar, hours by the clock that may change meanwhile
            days_on = (starts + timedelta(days=lasts.days)).replace(tzinfo=ZoneInfo(zone))
            ends = (days_on.astimezone(UTC) + timedelta(seconds=lasts.seconds)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except (ValueError, OverflowError):  # beyond the calendar
        return "", "", ""
    if not begun.group(4) and ends.time() != time.min:
        ends += timedelta(days=1)  # of a whole day that is begun the end is the day after
    return ends.date().isoformat(), ends.time().isoformat() if begun.group(4) else "", ""


def _day_before(end: str, start: str) -> str:
    try:
        before = date.fromisoformat(end) - timedelta(days=1)
    except (ValueError, OverflowError):
        return end
    return max(before.isoformat(), start)


def _person(event: Component, name: str) -> str:
    line = next(iter(event.get(name, ())), None)
    return _named(line) if line else ""


def _people(event: Component) -> list[str]:
    named = [(_named(line), re.sub(r"(?i)^mailto:", "", line.value.strip())) for line in event.get("ATTENDEE", ())]
    return [name if name == address else f"{name} <{address}>" for name, address in named]


def _named(line: Line) -> str:
    known: Any = line.parameters.get("CN")
    address = re.sub(r"(?i)^mailto:", "", line.value.strip())
    return ", ".join(known) if known and known[0] else address
