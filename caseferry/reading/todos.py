"""The to-dos of iCalendar files as a list: a row for each, in the words a task list would have.

What was cancelled, or sent again in a newer version, is there and says so. One that repeats is a row with its rule.
"""

import re
from collections.abc import Iterator

import polars as pl

from caseferry.reading.components import Component, current_of, first, text_of
from caseferry.reading.grid import Grid, from_lists

SHEET = "to-dos"
"""What the list is called beside the events of the same file."""
HEADINGS = (
    "Task", "Due Date", "Due Time", "Start Date", "Assigned To", "Status", "Priority", "Description", "Date Completed", "Percent Complete", "Categories", "Recurrence",
    "Created", "UID", "Other Fields", "Recurrence ID",
)  # fmt: skip
_SILENT = {
    "DTSTAMP", "SEQUENCE", "LAST-MODIFIED", "CLASS", "DTSTART", "DUE", "PRIORITY", "PERCENT-COMPLETE", "COMPLETED", "ALARM", "CATEGORIES", "RRULE", "RDATE", "EXDATE",
    "RECURRENCE-ID",
}  # fmt: skip
_ONCE = {"SUMMARY", "DESCRIPTION", "STATUS", "CREATED", "UID"}
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?$", re.ASCII)
_PRIORITIES = {"1": "High", "5": "Normal", "9": "Low"}
"""The numbers that mean a word and nothing else. Source: RFC 5545, 3.8.1.9."""
_LEVELS = {"2": "High", "3": "High", "4": "High", "6": "Low", "7": "Low", "8": "Low"}


def todos_of(todos: list[Component]) -> Grid:
    current = current_of(todos)
    rows = [_row(todo, is_current=number in current) for number, todo in enumerate(todos)]
    repeat = sum(1 for todo in todos if "RRULE" in todo or "RDATE" in todo)
    universal = sum(1 for todo in todos if _moment(todo, "DUE")[1].endswith(" UTC"))
    notes = {name: count for name, count in (("todos_that_repeat", repeat), ("due_in_universal_time", universal)) if count}
    return from_lists(pl.Series("t", [list(HEADINGS), *rows], dtype=pl.List(pl.String)), sheet=SHEET, notes=notes)


def _row(todo: Component, *, is_current: bool) -> list[str]:
    day, clock = _moment(todo, "DUE")
    status = first(todo, "STATUS").replace("-", " ").capitalize()
    if not status and (first(todo, "COMPLETED") or first(todo, "PERCENT-COMPLETE") == "100"):
        status = "Completed"
    number = first(todo, "PRIORITY")
    return [
        text_of(todo, "SUMMARY"), day, clock, " ".join(filter(None, _moment(todo, "DTSTART"))), _who(todo), "Replaced" if not is_current else status,
        _PRIORITIES.get(number) or _LEVELS.get(number, "" if number == "0" else number), text_of(todo, "DESCRIPTION"), " ".join(filter(None, _moment(todo, "COMPLETED"))),
        first(todo, "PERCENT-COMPLETE"), "; ".join(line.text for line in todo.get("CATEGORIES", ())),
        "\n".join(f"{line.name}:{line.value}" for name in ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID") for line in todo.get(name, ())),
        " ".join(filter(None, _moment(todo, "CREATED"))), text_of(todo, "UID"), "; ".join(_others(todo)), first(todo, "RECURRENCE-ID"),
    ]  # fmt: skip


def _moment(todo: Component, name: str) -> tuple[str, str]:
    """Day and time of day, by the clock of its own zone; text that is no moment stands as the day, for a person to see."""
    if name not in todo:
        return "", ""
    line = todo[name][0]
    found = _MOMENT.match(line.value.strip())
    if not found:
        return line.value.strip(), ""
    year, month, day, hour, minute, second, universal = found.groups()
    zone = "UTC" if universal else next(iter(line.parameters.get("TZID", ())), "")
    return f"{year}-{month}-{day}", f"{hour}:{minute}:{second or '00'} {zone}".strip() if hour else ""


def _who(todo: Component) -> str:
    """Who is to do it: the one attendee, or who gave it where nobody else is named."""
    people = todo.get("ATTENDEE", ()) if len(todo.get("ATTENDEE", ())) == 1 else todo.get("X-OWNER", ()) or todo.get("ORGANIZER", ())
    for line in list(people)[:1]:
        return ", ".join(line.parameters.get("CN", ())) or re.sub(r"(?i)^mailto:", "", line.text.strip())
    return ""


def _others(todo: Component) -> Iterator[str]:
    """What has no column of its own."""
    if first(todo, "PRIORITY") in _LEVELS:
        yield f"PRIORITY: {first(todo, 'PRIORITY')}"
    for name, some in todo.items():
        if name in _SILENT:
            continue
        for line in some[1:] if name in _ONCE else some:
            if line.text.strip():
                yield line.text.strip() if name == "?" else f"{name}: {line.text.strip()}"
