"""The moments of a calendar in zones that are known: by their usual names, by those of Windows, or by what the file itself says of
its own.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from caseferry.reading.components import Component, OwnZone, Parts
from caseferry.reading.contentlines import Line
from caseferry.reading.ownzones import Clock, clock_of, like
from caseferry.reading.zones import known, zone_of

_MOST = 50
"""Zones of its own that are read of one file."""
_GOES_ON = 5
"""Years for which the clock of a rule without end must agree."""
_REPEATS = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")
_MOMENT = re.compile(r"\d{8}T\d{6}$", re.ASCII)


@dataclass(frozen=True)
class _Own:
    """A zone the file defines."""

    name: str = ""
    """What the database calls one with the same clock; nothing if it has none."""
    clock: Clock | None = None


def place(parts: Parts) -> Counter[str]:
    """Put every moment into a zone the database knows, where that can be done for certain.

    Returns:
        How many events and to-dos were placed by the file's own rules (`zones_of_its_own`), and how many keep a clock and a
        name nobody knows (`zones_unknown`).
    """
    every = [*parts.events, *parts.todos]
    spans: dict[str, tuple[int, int]] = {}
    for one in every:
        for line in _zoned(one):
            year = int(line.value[:4]) if line.value[:4].isdecimal() and line.value[:4].isascii() else 0
            first, last = spans.get(_zone(line), (year, year))
            spans[_zone(line)] = min(first, year), max(last, year + (_GOES_ON if "RRULE" in one else 0))
    defined = {one.lines["TZID"][0].value.strip(): one for one in reversed(parts.zones) if "TZID" in one.lines}
    nameless = [name for name in spans if zone_of(name) not in known() and name in defined][:_MOST]
    own = {name: _read(defined[name], *spans[name]) for name in nameless}
    counts: Counter[str] = Counter()
    for one in every:
        counts.update({_placed(one, line, own) for line in list(_zoned(one))} - {""})
    return counts


def _zoned(one: Component) -> Iterator[Line]:
    return (line for some in one.values() for line in some if _zone(line))


def _zone(line: Line) -> str:
    return next(iter(line.parameters.get("TZID", ())), "").strip()


def _read(zone: OwnZone, first: int, last: int) -> _Own:
    told = zone.lines["X-LIC-LOCATION"][0].value.strip() if "X-LIC-LOCATION" in zone.lines else ""
    if told in known():
        return _Own(told)
    clock = clock_of(zone, first, last)
    return _Own(like(clock, first, last), clock) if clock else _Own()


def _placed(one: Component, line: Line, own: dict[str, _Own]) -> str:
    """Put one line into its zone; what there is to count about it."""
    name = _zone(line)
    usual = zone_of(name)
    found = own.get(name, _Own())
    zone = usual if usual in known() else found.name
    value = line.value.strip()
    if zone:
        new = replace(line, parameters=line.parameters | {"TZID": [zone]})
    elif found.clock and _MOMENT.match(value) and not any(repeat in one for repeat in _REPEATS):
        moment = found.clock.universal(datetime.strptime(value, "%Y%m%dT%H%M%S")) if _is_moment(value) else None
        if moment is None:
            return "zones_unknown"
        new = replace(line, value=f"{moment:%Y%m%dT%H%M%S}Z", parameters={key: some for key, some in line.parameters.items() if key != "TZID"})
    else:
        return "zones_unknown"
    some = one[line.name]
    some[next(place for place, other in enumerate(some) if other is line)] = new
    return "" if usual in known() else "zones_of_its_own"


def _is_moment(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%dT%H%M%S")
    except ValueError:
        return False
    return True
