"""A file of a mapped target as it grows: in the form the target reads, cut into several where it takes no more."""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from isal import isal_zlib

from caseferry.manifest import FittedFile, Piece
from caseferry.mapping.mapped import Format, MappedTarget
from caseferry.reading.grid import ROW
from caseferry.services.scratch import Scratch

_PIECE = 100_000
"""Lines that are written, and read back, at a time."""
_ENDS = "\r\n"
_CALENDAR = f"BEGIN:VCALENDAR{_ENDS}VERSION:2.0{_ENDS}PRODID:-//Caseferry//Caseferry//EN{_ENDS}CALSCALE:GREGORIAN{_ENDS}"
_SUFFIX = {"csv": "csv", "vcard": "vcf", "icalendar": "ics"}
_FIRST_YEAR, _LAST_YEAR = 1990, 2040
"""The years whose changes of clock a calendar file tells."""


@dataclass(frozen=True)
class Plan:
    """What a file is: where it comes from, what stands at its head, how much it may hold."""

    file: str
    of: str
    record: str
    order: int
    header: tuple[str, ...]
    format: Format
    note: str
    is_import: bool
    rows: int | None = None
    bytes: int | None = None


class Growing:
    """One file of a mapping, of however many parts.

    Args:
        scratch: where it grows.
    """

    def __init__(self, plan: Plan, name: str, target: MappedTarget, scratch: Scratch) -> None:
        self._plan, self._stem, self._target, self._scratch = plan, name, target, scratch
        self._parts: list[_Part] = []

    def add(self, lines: pl.DataFrame, zones: pl.Series | None = None) -> Iterator[tuple[Piece, pl.DataFrame]]:
        """Lay lines behind those that are there: the pieces, each with its lineage (`file`, `line`, `table`, `row`).

        Args:
            lines: `table`, `row`, and the cells as columns `0`, `1`, …
            zones: of a calendar, the time zone each line names, if any.
        """
        for start in range(0, lines.height, _PIECE):
            some = lines.slice(start, _PIECE)
            texts = written(some.select(f"{n}" for n in range(len(self._plan.header))), self._plan, self._target)
            sizes = texts.str.len_bytes().cast(pl.Int64).cum_sum()
            named = zones.slice(start, _PIECE) if zones is not None else None
            at = before = 0
            while at < some.height:
                if not self._parts:
                    self._parts.append(self._new())
                part = self._parts[-1]
                take = part.room(sizes, at, before) if named is None else part.room_for(texts, named, at)
                if not take:
                    self._parts.append(self._new())
                    continue
                told = texts.slice(at, take) if named is None else part.with_rules(texts.slice(at, take), named.slice(at, take))
                yield part.add(told, some.slice(at, take))
                at, before = at + take, int(sizes[at + take - 1])

    def _new(self) -> "_Part":
        number = len(self._parts) + 1
        name = f"{self._stem}{f'_{number}' if number > 1 else ''}.{_SUFFIX[self._plan.format]}"
        return _Part(self._plan, name, self._target, self._scratch.file())

    def done(self) -> list[tuple[FittedFile, Path]]:
        return [(part.done(), part.path) for part in self._parts]


class _Part:
    """One file on disk."""

    def __init__(self, plan: Plan, name: str, target: MappedTarget, path: Path) -> None:
        self.path, self._plan, self._name = path, plan, name
        self._rows, self._size, self._digest = 0, 0, hashlib.sha256()
        self._head = _head(plan, target)
        self._foot = f"END:VCALENDAR{_ENDS}".encode() if plan.format == "icalendar" else b""
        self._zones: set[str] = set()
        self._size = len(self._head) + len(self._foot)

    def room_for(self, texts: pl.Series, zones: pl.Series, at: int) -> int:
        """`room` for a calendar's lines, whose zones are told before the first line that names them."""
        told, size, most = set(self._zones), self._size, self._plan.bytes or sys.maxsize
        for number, (text, zone) in enumerate(zip(texts[at:], zones[at:], strict=True)):
            size += len(text.encode()) + (len(rules_of(zone)) if zone and zone not in told else 0)
            told.add(zone)
            if (size > most and (self._rows or number)) or (self._plan.rows and self._rows + number >= self._plan.rows):
                return number
        return texts.len() - at

    def with_rules(self, texts: pl.Series, zones: pl.Series) -> pl.Series:
        """The lines, each zone's rules before the first that names it."""
        made = []
        for text, zone in zip(texts, zones, strict=True):
            fresh = zone and zone not in self._zones
            made.append(rules_of(zone) + text if fresh else text)
            if fresh:
                self._zones.add(zone)
        return pl.Series("line", made, dtype=pl.String)

    def room(self, sizes: pl.Series, at: int, before: int) -> int:
        """How many of the lines from `at` still fit; the first line of a file always does."""
        take = sizes.len() - at
        if self._plan.rows:
            take = min(take, self._plan.rows - self._rows)
        if self._plan.bytes:
            fits = int(sizes.search_sorted(before + self._plan.bytes - self._size, side="right")) - at
            take = min(take, max(fits, 0 if self._rows else 1))
        return take

    def add(self, texts: pl.Series, lines: pl.DataFrame) -> tuple[Piece, pl.DataFrame]:
        data = self._head + "".join(texts.to_list()).encode()
        self._size += len(data) - len(self._head)
        self._head = b""
        with self.path.open("ab") as out:
            out.write(data)
        self._digest.update(data)
        first = self._rows + 2
        self._rows += texts.len()
        lineage = lines.select(
            pl.lit(self._name).alias("file"), pl.int_range(first, pl.len() + first, dtype=pl.UInt32).alias("line"), "table", ROW, "key"
        )
        return Piece(file=self._name, rows=texts.len(), size=len(data), crc32=f"{isal_zlib.crc32(data):08x}"), lineage

    def done(self) -> FittedFile:
        if self._foot:
            with self.path.open("ab") as out:
                out.write(self._foot)
            self._digest.update(self._foot)
        plan = self._plan
        return FittedFile(
            name=self._name, record=plan.record, rows=self._rows, sha256=self._digest.hexdigest(), is_import=plan.is_import, order=plan.order,
            header=plan.header, note=plan.note, file=plan.file, of=plan.of, closing=len(self._foot),
        )  # fmt: skip


def entry_of(form: Format, of: str) -> str:
    """What an entry of a card file or calendar begins with."""
    return "VCARD" if form == "vcard" else "VTODO" if of == "tasks" else "VEVENT"


def _head(plan: Plan, target: MappedTarget) -> bytes:
    if plan.format == "icalendar":
        return _CALENDAR.encode()
    if plan.format == "vcard":
        return b""
    mark = b"\xef\xbb\xbf" if target.encoding == "utf-8-sig" else b""
    return mark + (",".join(_quoted(heading) for heading in plan.header) + target.line_ending).encode()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def written(cells: pl.DataFrame, plan: "Plan", target: MappedTarget) -> pl.Series:
    """Each line as it stands in the file, its end included."""
    if plan.format == "csv":
        quoted = [pl.lit('"') + pl.col(name).fill_null("").str.replace_all('"', '""', literal=True) + pl.lit('"') for name in cells.columns]
        return cells.select((pl.concat_str(quoted, separator=",") + pl.lit(target.line_ending)).alias("line")).to_series()
    kind = entry_of(plan.format, plan.of)
    properties = [_property(heading, pl.col(name)) for heading, name in zip(plan.header, cells.columns, strict=True)]
    whole = [pl.lit(f"BEGIN:{kind}{_ENDS}"), *properties, pl.lit(f"END:{kind}{_ENDS}")]
    return cells.select(pl.concat_str(whole, ignore_nulls=True).alias("line")).to_series()


def _property(heading: str, value: pl.Expr) -> pl.Expr:
    """A property's line, folded; nothing where there is no value. Behind `+` stand whole lines in the cells, behind `*` the
    property's parameters, the colon and its value."""
    if heading.startswith("+"):
        text = value.str.replace_all(r"\r?\n", _ENDS) + pl.lit(_ENDS)
        return pl.when(value.is_not_null()).then(text)
    line = pl.lit(heading[1:] if heading.startswith("*") else heading + ":") + value
    # At most 75 bytes a line; the blank that goes on counts. Letters have up to four bytes, and are not cut.
    plain = line.str.len_chars() == line.str.len_bytes()
    short = pl.when(plain).then(line.str.replace_all(r"(.{73})(.)", "${1}\r\n ${2}")).otherwise(line.str.replace_all(r"(.{17})(.)", "${1}\r\n ${2}"))
    folded = pl.when(line.str.len_bytes() <= 75).then(line).otherwise(short)
    return pl.when(value.is_not_null()).then(folded + pl.lit(_ENDS))


@cache
def rules_of(zone: str) -> str:
    """The changes of a zone's clock as a VTIMEZONE. Source: RFC 5545, 3.6.5, from the zone database of this machine."""
    place = ZoneInfo(zone)
    at = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    told = [_observance(at, place, _offset(at, place))]
    while at.year < _LAST_YEAR:
        later = at + timedelta(days=1)
        if _offset(later, place) != _offset(at, place):
            told.append(_observance(_change(at, later, place), place, _offset(at, place)))
        at = later
    return f"BEGIN:VTIMEZONE{_ENDS}TZID:{zone}{_ENDS}{''.join(told)}END:VTIMEZONE{_ENDS}"


def _offset(at: datetime, place: ZoneInfo) -> timedelta:
    return at.astimezone(place).utcoffset() or timedelta()


def _change(early: datetime, late: datetime, place: ZoneInfo) -> datetime:
    """The second at which the clock was changed."""
    before = _offset(early, place)
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        early, late = (middle, late) if _offset(middle, place) == before else (early, middle)
    return late.replace(microsecond=0)


def _observance(at: datetime, place: ZoneInfo, before: timedelta) -> str:
    """What holds from a moment on; it is told by the clock as it was before."""
    here = at.astimezone(place)
    kind = "DAYLIGHT" if here.dst() else "STANDARD"
    start = (at + before).strftime("%Y%m%dT%H%M%S")
    rules = (f"BEGIN:{kind}", f"DTSTART:{start}", f"TZOFFSETFROM:{_hours(before)}", f"TZOFFSETTO:{_hours(_offset(at, place))}", f"TZNAME:{here.tzname()}", f"END:{kind}")
    return "".join(rule + _ENDS for rule in rules)


def _hours(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
