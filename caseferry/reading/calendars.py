"""iCalendar files as a list: a row for each event, in the words a calendar's own CSV would have.

Days that an event lasts are counted as people do: iCalendar's end of a whole day is the day after. A repeated event is
one row with its rule. What was cancelled, or sent again in a newer version, is there and says so.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from caseferry.reading.contentlines import Line, lines
from caseferry.reading.grid import Grid, from_lists
from caseferry.reading.zones import known, zone_of

HEADINGS = (
    "Subject", "Start Date", "Start Time", "End Date", "End Time", "All Day Event", "Time Zone", "Location", "Description", "Organizer",
    "Attendees", "Categories", "Recurrence", "Event Status", "Created", "UID", "Reminder", "Other Fields",
)  # fmt: skip
_SILENT = {"DTSTAMP", "SEQUENCE", "LAST-MODIFIED", "TRANSP", "CLASS", "DTSTART", "DTEND", "DURATION", "ALARM", "ATTENDEE", "CATEGORIES"}
_ONCE = {"SUMMARY", "LOCATION", "DESCRIPTION", "ORGANIZER", "STATUS", "CREATED", "UID"}
_WHOLE_DAY = re.compile(r"\d{8}$")
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?$", re.ASCII)
_NO_EVENT = re.compile(r"(?im)^BEGIN:(?:VTODO|VJOURNAL)\b")
_LENGTH = re.compile(r"([+-])?P(?:(\d{1,4})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$", re.ASCII)
_REPEATS = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")


def read_calendar(text: str) -> Grid:
    """Every event of a file, of however many calendars."""
    events = list(_events(text))
    newest: dict[tuple[str, str], int] = {}
    for number, event in enumerate(events):
        which = (_first(event, "UID"), _first(event, "RECURRENCE-ID"))
        known = newest.get(which)
        if known is None or not which[0] or _sequence(event) >= _sequence(events[known]):
            newest[which] = number
    current = set(newest.values())
    _except(events, current)
    rows = [_row(event, is_current=number in current or not _first(event, "UID")) for number, event in enumerate(events)]
    others = len(_NO_EVENT.findall(text))
    return from_lists(pl.Series("t", [list(HEADINGS), *rows], dtype=pl.List(pl.String)), notes={"todos_not_read": others} if others else {})


def _except(events: list[dict[str, list[Line]]], current: set[int]) -> None:
    """One time of a series that is told by itself is an exception of the series: it was moved or cancelled."""
    masters = {_first(events[number], "UID"): events[number] for number in sorted(current) if "RRULE" in events[number] or "RDATE" in events[number]}
    for number in sorted(current):
        told = events[number].get("RECURRENCE-ID")
        master = masters.get(_first(events[number], "UID"))
        if not told or master is None or master is events[number] or _first(events[number], "RECURRENCE-ID") == "":
            continue
        if "THISANDFUTURE" in "".join(told[0].parameters.get("RANGE", ())):
            continue  # it changes the rest of the series: that is for a person
        master.setdefault("EXDATE", []).append(replace(told[0], name="EXDATE"))
        events[number] = {name: lines for name, lines in events[number].items() if name != "RECURRENCE-ID"}


def _events(text: str) -> list[dict[str, list[Line]]]:
    """The properties of each event, without those of what is inside it, such as alarms."""
    found: list[dict[str, list[Line]]] = []
    inside: list[str] = []
    for line in lines(text):
        if line.name == "BEGIN":
            inside.append(line.value.strip().upper())
            if inside[-1] == "VEVENT":
                found.append({})
            elif inside[-1] == "VALARM" and "VEVENT" in inside:
                found[-1].setdefault("ALARM", []).append(line)
        elif line.name == "END":
            if inside and line.value.strip().upper() in inside:
                del inside[len(inside) - 1 - inside[::-1].index(line.value.strip().upper()) :]
        elif inside and inside[-1] == "VEVENT":
            found[-1].setdefault(line.name, []).append(line)
    return found


def _row(event: dict[str, list[Line]], *, is_current: bool) -> list[str]:
    start, end = _moment(event, "DTSTART"), _moment(event, "DTEND")
    all_day = "DTSTART" in event and bool(_WHOLE_DAY.match(event["DTSTART"][0].value.strip()))
    if not end[0] and "DURATION" in event:
        end = _after(event["DTSTART"][0] if "DTSTART" in event else None, event["DURATION"][0].value)
    end = _in_zone(end, start[2])
    if all_day and end[0]:
        end = (_day_before(end[0], start[0]), "", "")
    status = _text(event, "STATUS").title()
    return [
        _text(event, "SUMMARY"), start[0], start[1], end[0] or (start[0] if all_day else ""), end[1], "True" if all_day else "False", start[2] or end[2],
        _text(event, "LOCATION"), _text(event, "DESCRIPTION"), _person(event, "ORGANIZER"), "; ".join(_people(event)),
        "; ".join(line.text for line in event.get("CATEGORIES", ())), "\n".join(_as_written(line) for name in _REPEATS for line in event.get(name, ())),
        "Replaced" if not is_current else "Cancelled" if status in {"Cancelled", "Canceled"} else status,
        " ".join(_moment(event, "CREATED")[:2]).strip(), _text(event, "UID"), "yes" if "ALARM" in event else "",
        "; ".join(_others(event)),
    ]  # fmt: skip


def _others(event: dict[str, list[Line]]) -> Iterator[str]:
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


def _first(event: dict[str, list[Line]], name: str) -> str:
    return event[name][0].value.strip() if name in event else ""


def _text(event: dict[str, list[Line]], name: str) -> str:
    return event[name][0].text.strip() if name in event else ""


def _sequence(event: dict[str, list[Line]]) -> tuple[int, str]:
    number = _first(event, "SEQUENCE")
    return (int(number) if re.fullmatch(r"[0-9]{1,9}", number) else 0, _first(event, "LAST-MODIFIED") or _first(event, "DTSTAMP"))


def _moment(event: dict[str, list[Line]], name: str) -> tuple[str, str, str]:
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
    try:
        ends = datetime(*(int(part or 0) for part in begun.groups()[:6])) + (-lasts if sign == "-" else lasts)  # type: ignore[arg-type]
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


def _person(event: dict[str, list[Line]], name: str) -> str:
    line = next(iter(event.get(name, ())), None)
    return _named(line) if line else ""


def _people(event: dict[str, list[Line]]) -> list[str]:
    named = [(_named(line), re.sub(r"(?i)^mailto:", "", line.value.strip())) for line in event.get("ATTENDEE", ())]
    return [name if name == address else f"{name} <{address}>" for name, address in named]


def _named(line: Line) -> str:
    known: Any = line.parameters.get("CN")
    address = re.sub(r"(?i)^mailto:", "", line.value.strip())
    return ", ".join(known) if known and known[0] else address
