"""What an iCalendar file is made of: its events, its to-dos and the time zones it defines, each as its lines by name."""

import re
from dataclasses import dataclass, field

from caseferry.reading.contentlines import Line, edge_of, lines

Component = dict[str, list[Line]]
"""The lines of a thing by their names in capitals, without those of what is inside it, such as an alarm."""


@dataclass
class OwnZone:
    """A time zone as the file itself defines it."""

    lines: Component = field(default_factory=dict)
    changes: list[Component] = field(default_factory=list)
    """When its clock changes, and to what."""


@dataclass
class Parts:
    events: list[Component] = field(default_factory=list)
    todos: list[Component] = field(default_factory=list)
    zones: list[OwnZone] = field(default_factory=list)
    journals: int = 0


def parts_of(text: str) -> Parts:
    """Every part of a file, of however many calendars, in their order."""
    found = Parts()
    inside: list[tuple[str, Component]] = []
    for line in lines(text):
        begins, ends = edge_of(line, "BEGIN"), edge_of(line, "END")
        if begins:
            inside.append((begins, _begun(begins, found, line, inside)))
        elif ends:
            names = [name for name, _ in inside]
            if ends in names:
                del inside[len(names) - 1 - names[::-1].index(ends) :]
        elif inside:
            inside[-1][1].setdefault(line.name, []).append(line)
    return found


def current_of(some: list[Component]) -> set[int]:
    """Which of them count: of what was sent several times the newest, and all that have no UID."""
    newest: dict[tuple[str, str], int] = {}
    for number, one in enumerate(some):
        which = (first(one, "UID"), first(one, "RECURRENCE-ID"))
        before = newest.get(which)
        if before is None or not which[0] or _sequence(one) >= _sequence(some[before]):
            newest[which] = number
    return {*newest.values(), *(number for number, one in enumerate(some) if not first(one, "UID"))}


def _sequence(one: Component) -> tuple[int, str]:
    number = first(one, "SEQUENCE")
    return (int(number) if re.fullmatch(r"[0-9]{1,9}", number) else 0, first(one, "LAST-MODIFIED") or first(one, "DTSTAMP"))


def first(one: Component, name: str) -> str:
    """The first value of a name, as it stands."""
    return one[name][0].value.strip() if name in one else ""


def text_of(one: Component, name: str) -> str:
    """The same as a text."""
    return one[name][0].text.strip() if name in one else ""


def _begun(name: str, found: Parts, line: Line, inside: list[tuple[str, Component]]) -> Component:
    """Where the lines of what has just begun go."""
    own: Component = {}
    if name == "VEVENT":
        found.events.append(own)
    elif name == "VTODO":
        found.todos.append(own)
    elif name == "VJOURNAL":
        found.journals += 1
    elif name == "VTIMEZONE":
        found.zones.append(OwnZone(own))
    elif name in {"STANDARD", "DAYLIGHT"} and found.zones and inside and inside[-1][0] == "VTIMEZONE":
        found.zones[-1].changes.append(own)
    elif name == "VALARM" and inside and inside[-1][0] in {"VEVENT", "VTODO"}:
        inside[-1][1].setdefault("ALARM", []).append(line)
    return own
