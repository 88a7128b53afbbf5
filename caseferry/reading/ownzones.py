"""Time zones a calendar defines itself, under a name nobody else knows: each is a zone of the database with the same clock, or
tells at least what moment is meant.

Source: RFC 5545, 3.6.5. What the components say decides, never how the zone is called.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from caseferry.reading.components import OwnZone
from caseferry.reading.zones import PRINCIPAL, known

_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(?:\d\d)?$", re.ASCII)
_LOCAL = re.compile(r"\d{8}T\d{6}$", re.ASCII)
_YEARLY = re.compile(r"(?:(?:FREQ=YEARLY|INTERVAL=1|BYMONTH=(?:1[0-2]|[1-9])|BYDAY=[+-]?[1-5]?(?:SU|MO|TU|WE|TH|FR|SA)|BYMONTHDAY=-?\d\d?(?:,-?\d\d?)*|UNTIL=\d{8}T\d{6}Z?|WKST=(?:SU|MO))(?:;|$))+", re.ASCII)
_YEARS = range(1970, 2100)
_MOST = 400
"""Changes of a zone's clock that are looked at."""
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Clock:
    """Which offset holds from which moment on, both as the zone's own components say."""

    moments: tuple[datetime, ...]
    """In universal time, without a zone."""
    offsets: tuple[timedelta, ...]
    """One more than the moments: the first holds before them all."""

    def offset(self, moment: datetime) -> timedelta:
        return self.offsets[bisect_right(self.moments, moment)]

    def universal(self, local: datetime) -> datetime | None:
        """The moment the clock shows so; nothing where it is skipped or shown twice."""
        found = {moment for offset in set(self.offsets) if self.offset(moment := local - offset) == offset}
        return found.pop() if len(found) == 1 else None


def clock_of(zone: OwnZone, first: int, last: int) -> Clock | None:
    """The clock of a zone in some years; nothing where its components can't be read for certain."""
    if not zone.changes or not {first, last} <= set(_YEARS):
        return None
    changes: list[tuple[datetime, timedelta, timedelta]] = []
    for one in zone.changes:
        before, after = (_offset(one[name][0].value) if name in one else None for name in ("TZOFFSETFROM", "TZOFFSETTO"))
        begin = one["DTSTART"][0].value.strip() if "DTSTART" in one else ""
        if before is None or after is None or not _LOCAL.match(begin):
            return None
        rules = [line.value.strip().upper().rstrip(";") for line in one.get("RRULE", ())]
        dates = [text.strip() for line in one.get("RDATE", ()) for text in line.value.split(",")]
        onsets = _onsets(begin, rules, dates, first - 1, last + 1)
        if onsets is None:
            return None
        changes += [(onset - before, before, after) for onset in onsets]
    changes = sorted(set(changes))
    if not changes or len(changes) > _MOST:
        return None
    return Clock(tuple(moment for moment, _, _ in changes), (changes[0][1], *(after for _, _, after in changes)))


def _onsets(begin: str, rules: Sequence[str], dates: Iterable[str], first: int, last: int) -> list[datetime] | None:
    """When a change comes, by the clock before it: that of the years and the last one before them."""
    from dateutil.rrule import rrulestr  # most calendars name zones everybody knows

    try:
        start = datetime.strptime(begin, "%Y%m%dT%H%M%S")
        found = {start, *(datetime.strptime(text, "%Y%m%dT%H%M%S") for text in dates)}
        for rule in rules:
            if not _YEARLY.fullmatch(rule) or rule.count("FREQ=") != 1:
                return None
            some = rrulestr(f"RRULE:{rule}".replace("Z;", ";").removesuffix("Z"), dtstart=start)
            within = some.between(datetime(first, 1, 1), datetime(last, 12, 31))
            if not within and "UNTIL" not in rule:
                return None  # a day that never comes
            found |= {*within, *filter(None, [some.before(datetime(first, 1, 1))])}
    except (ValueError, TypeError, OverflowError, KeyError, AttributeError, IndexError):
        return None
    held = [one for one in found if one.year >= first]
    return sorted([*held, *sorted(one for one in found if one.year < first)[-1:]])


def _offset(text: str) -> timedelta | None:
    found = _OFFSET.match(text.strip())
    if not found:
        return None
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -away if found[1] == "-" else away


def like(clock: Clock, first: int, last: int) -> str:
    """A zone of the database whose clock shows the same through these years; nothing if none of the principal ones does."""
    begin, end = datetime(first, 1, 1), datetime(last, 12, 31)
    looked_at = [begin + _WEEK * n for n in range((end - begin) // _WEEK + 1)]
    looked_at += [moment + shift for moment in clock.moments if begin <= moment <= end for shift in (timedelta(0), -timedelta(minutes=1))]
    told = [(moment.replace(tzinfo=UTC), clock.offset(moment)) for moment in looked_at]
    offsets = {offset for _, offset in told}
    hours, rest = divmod(next(iter(offsets)), timedelta(hours=1))
    if len(offsets) == 1 and not rest and -12 <= hours <= 14:
        return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"
    for name in PRINCIPAL:
        zone = ZoneInfo(name)
        if name in known() and all(moment.astimezone(zone).utcoffset() == offset for moment, offset in told):
            return name
    return ""
