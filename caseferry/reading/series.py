"""Series of events whose times are told one by one: what was moved or cancelled is an exception of its series, and where the rest
of a series was changed, it ends there and another begins.

Source: RFC 5545, 3.8.4.4. A change that can't be told as two series for certain is left as it stands, and counted.
"""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from caseferry.reading.components import Component
from caseferry.reading.contentlines import Line
from caseferry.reading.zones import known

_MOMENT = re.compile(r"\d{8}T\d{6}Z?$", re.ASCII)
_DAY = re.compile(r"\d{8}$", re.ASCII)
_MOST = 1_500
"""Times that are counted of a series with a number of them."""


def except_times(events: list[Component], current: set[int]) -> Counter[str]:
    """Tell each series of its exceptions; how many changes of the rest of a series could not be told (`series_not_split`)."""
    masters = {_first(events[number], "UID"): events[number] for number in sorted(current) if ("RRULE" in events[number] or "RDATE" in events[number]) and "RECURRENCE-ID" not in events[number]}
    ways: Counter[str] = Counter(_first(events[number], "UID") for number in current if _is_rest(events[number]))
    counts: Counter[str] = Counter()
    for number in sorted(current):
        event = events[number]
        master = masters.get(_first(event, "UID"))
        if master is None or master is event or not _first(event, "RECURRENCE-ID"):
            continue
        if not _is_rest(event):
            master.setdefault("EXDATE", []).append(replace(event["RECURRENCE-ID"][0], name="EXDATE"))
            events[number] = {name: lines for name, lines in event.items() if name != "RECURRENCE-ID"}
        elif ways[_first(event, "UID")] == 1 and (told := _split(master, event)):
            events[number] = told
        else:
            counts["series_not_split"] += 1
    return counts


def _is_rest(event: Component) -> bool:
    return any("THISANDFUTURE" in "".join(line.parameters.get("RANGE", ())).upper() for line in event.get("RECURRENCE-ID", ())[:1])


def _split(master: Component, event: Component) -> Component | None:
    """The rest of a series as one of its own, the first of the two ended before it; nothing where that is not certain."""
    cut, start = event["RECURRENCE-ID"][0], event["DTSTART"][0] if "DTSTART" in event else None
    begun = master["DTSTART"][0] if "DTSTART" in master else None
    if not start or not begun or len(master.get("RRULE", ())) != 1 or any(name in master for name in ("RDATE", "EXDATE", "EXRULE")):
        return None
    rule = dict(part.partition("=")[::2] for part in master["RRULE"][0].value.strip().upper().rstrip(";").split(";"))
    texts = [line.value.strip() for line in (cut, start, begun)]
    whole_days = all(_DAY.match(text) for text in texts)
    if not whole_days and not all(_MOMENT.match(text) for text in texts) or len({(_zone(line), line.value.strip().endswith("Z")) for line in (cut, start, begun)}) > 1:
        return None
    try:
        at, new, first = (datetime.strptime(text.rstrip("Z"), "%Y%m%d" if whole_days else "%Y%m%dT%H%M%S") for text in texts)
        until = _until(at, begun, whole_days=whole_days)
        before = _times_before(rule, first, at) if "COUNT" in rule else 0
    except (ValueError, OverflowError):
        return None
    moved_day = at.date() != new.date() and any(name.startswith("BY") for name in rule)
    if not until or at <= first or before is None or moved_day:  # a rule that names its day says nothing of a moved one
        return None
    rest = dict(rule) if "RRULE" not in event else {}
    if "COUNT" in rest:
        if int(rest["COUNT"]) <= before:
            return None
        rest["COUNT"] = str(int(rest["COUNT"]) - before)
    elif "UNTIL" in rest and (new.time() != at.time() or new.date() != at.date()):
        return None  # whether its last time is moved past the end, nobody can tell
    ended = {name: value for name, value in rule.items() if name not in {"COUNT", "UNTIL"}} | {"UNTIL": until}
    master["RRULE"] = [replace(master["RRULE"][0], value=_written(ended))]
    told = {name: lines for name, lines in event.items() if name != "RECURRENCE-ID"}
    return told | ({"RRULE": [replace(master["RRULE"][0], value=_written(rest))]} if rest else {})


def _until(cut: datetime, begun: Line, *, whole_days: bool) -> str:
    """The end of what lies before a moment: a day, or a second, as the rule of such a series writes it."""
    if whole_days:
        return f"{cut - timedelta(days=1):%Y%m%d}"
    last = cut - timedelta(seconds=1)
    zone = _zone(begun)
    if begun.value.strip().endswith("Z"):
        return f"{last:%Y%m%dT%H%M%S}Z"
    if not zone:
        return f"{last:%Y%m%dT%H%M%S}"
    return f"{last.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC):%Y%m%dT%H%M%S}Z" if zone in known() else ""


def _times_before(rule: dict[str, str], first: datetime, cut: datetime) -> int | None:
    """How many times of a series with a number of them lie before a moment; nothing where they can't be counted."""
    from dateutil.rrule import rrulestr

    if not rule["COUNT"].isdecimal() or not 0 < int(rule["COUNT"]) <= _MOST or rule.get("FREQ") not in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"} or rule.get("INTERVAL", "1").strip("0") == "":
        return None
    try:
        times = list(rrulestr(f"RRULE:{_written(rule)}", dtstart=first))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    return sum(1 for one in times if one < cut) if cut in times else None


def _written(rule: dict[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in rule.items())


def _zone(line: Line) -> str:
    return next(iter(line.parameters.get("TZID", ())), "").strip()


def _first(event: Component, name: str) -> str:
    return event[name][0].value.strip() if name in event else ""
