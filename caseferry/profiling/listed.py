"""The lists of an export nobody knows, as they show by themselves: their header and columns, and what points at what."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import polars as pl

from caseferry.mapping.names import number_key
from caseferry.profiling.columns import MOSTLY, Column, describe
from caseferry.profiling.words import is_known, means_something, names_in
from caseferry.reading.grid import ROW
from caseferry.reading.spooled import Spooled

_LOOKED_AT = 100_000
"""Rows of a list that are looked at."""
_DEEPEST = 30
_VALUES = ("days", "days in eight figures", "seconds since 1970", "ids of a database", "durations", "amounts", "e-mail addresses", "telephone numbers", "times of day", "whole numbers", "small numbers", "addresses on the web")


@dataclass(frozen=True)
class Pair:
    """Two columns that may name something together."""

    first: Column
    second: Column
    is_key: bool
    """Each row has a pair of its own, and neither column says as much."""
    keys: pl.DataFrame = field(repr=False, compare=False)
    """`a` and `b`, each pair once."""


@dataclass(frozen=True)
class Link:
    """A column whose values are keys of another list."""

    column: Column
    to: int
    """The number of the list that has the key, from 0."""
    where: str
    key: Column
    share: float

    def __str__(self) -> str:
        return f"{self.column.heading!r} points at {self.key.heading!r} of {self.where}: {self.share:.0%} of its values are there"


@dataclass(frozen=True)
class Listed:
    """A list of the export, as it shows by itself."""

    file: str
    sheet: str
    rows: int
    header_row: int
    columns: tuple[Column, ...]
    points: tuple["Link", ...] = ()
    pairs: tuple[Pair, ...] = ()

    @property
    def where(self) -> str:
        return self.file + (f" › {self.sheet}" if self.sheet else "")


def look_at(file: str, rows: Spooled) -> Listed | None:
    """A list's header and columns; None where no row could be a header."""
    for header in _headers(rows.head.cells):
        names = [" ".join((cell or "").split()) for cell in rows.head.cells.row(header)[1:]]
        cells = _below(rows, header + 1)
        begins = _beginning(names)
        columns = tuple(
            replace(described, short=name[len(begins) :].lstrip("_ .-")) if begins and name.lower().startswith(begins) else described
            for place, name in enumerate(names) for described in [describe(place, name, cells[f"c{place}"])]
        )  # fmt: skip
        if _stand_apart(columns):
            break
    else:
        return None
    kept = tuple(one for one in columns if one.heading or one.filled)
    return Listed(file, rows.head.sheet, rows.height - header - 1, header, kept, pairs=tuple(_pairs(kept, cells)))


_PAIRED, _AT_MOST = ("codes", "whole numbers"), 5
"""What a column that is half a name holds, and how many of them are looked at."""


def _pairs(columns: Sequence[Column], cells: pl.DataFrame) -> Iterator[Pair]:
    halves = [one for one in columns if one.heading and one.is_mostly(*_PAIRED) and not one.is_mostly("days in eight figures", "amounts", "seconds since 1970") and not one.is_key and one.filled >= 0.95 * one.rows]
    for first, second in combinations(halves[:_AT_MOST], 2):
        both = cells.select(number_key(pl.col(f"c{first.place}")).alias("a"), number_key(pl.col(f"c{second.place}")).alias("b")).drop_nulls()
        distinct = both.unique()
        yield Pair(first, second, both.height > 1 and distinct.height == both.height, distinct)


def _beginning(names: Sequence[str]) -> str:
    """The letters most headings of a list begin with, as those of old tables do (CLNAME, CLCITY); nothing where they don't."""
    headings = [name.lower() for name in names if name]
    for letters, share in ((4, 0.6), (3, 0.6), (2, 0.6), (1, 0.8)):
        most = Counter(heading[:letters] for heading in headings if len(heading) > letters + 1 and heading[:letters].isalpha()).most_common(1)
        if most and most[0][1] >= max(3, share * len(headings)) and (letters > 1 or _say_more(most[0][0], headings)):
            return most[0][0]
    return ""


def _say_more(letter: str, headings: Sequence[str]) -> bool:
    """True if most headings are words without their first letter, and are none with it."""
    cut = [heading[1:] for heading in headings if heading.startswith(letter)]
    return 2 * sum(1 for heading in cut if means_something(heading) and not means_something(letter + heading)) >= len(cut)


def _stand_apart(columns: Sequence[Column]) -> bool:
    """True if a header is no row of data: it holds no value, and half its words are known, two at least, or some column below it is of a
    kind that its heading is not.
    """
    heads = [set(describe(0, "", pl.Series("c", [column.heading or None], dtype=pl.String)).kinds) for column in columns]
    if any(kinds & set(_VALUES) for kinds in heads):
        return False
    named = [column for column in columns if column.heading]
    if 2 * sum(1 for column in named if is_known(column.heading)) >= max(4, len(named)):
        return True
    return any(set(column.mostly) & {*_VALUES, "yes or no", "codes"} - kinds for column, kinds in zip(columns, heads, strict=True))


def _headers(cells: pl.DataFrame) -> Iterator[int]:
    """The top rows that are nearly as full as any and hold words, no values."""
    rows = [[cell.strip() if cell else "" for cell in row[1:]] for row in cells.head(_DEEPEST).rows()]
    fullness = sorted(sum(1 for cell in row if cell) for row in rows)
    fullest = fullness[-1 - len(fullness) // 10] if fullness else 0  # a stray row that is wider says nothing
    full = 0
    for place, row in enumerate(rows):
        words = [cell for cell in row if cell]
        full += len(words) >= max(2, MOSTLY * fullest)
        if full > 2:  # below two full rows there is no header: what looks like one is somebody's data
            return
        lettered = sum(1 for cell in words if any(char.isalpha() for char in cell) and len(cell) <= 200 and "@" not in cell)
        if len(words) >= max(2, MOSTLY * fullest) and lettered >= 0.6 * len(words) and len({word.casefold() for word in words}) >= len(words) / 2:
            yield place


def _below(rows: Spooled, first: int) -> pl.DataFrame:
    some, height = [], 0
    for piece in rows.pieces():
        some.append(piece.filter(pl.col(ROW) > first).head(_LOOKED_AT - height))
        height += some[-1].height
        if height >= _LOOKED_AT:
            break
    return pl.concat(some)


def linked(lists: Sequence[Listed]) -> list[Listed]:
    """The same lists, each with what its columns point at: nearly all their values are keys of another list."""
    keys = [(number, column) for number, one in enumerate(lists) for column in one.columns if column.is_key and column.distinct >= 2]
    found = []
    for number, one in enumerate(lists):
        points = []
        for column in one.columns:
            hits = [(share, other, key) for other, key in keys if other != number and (share := _share(column, key, lists[other])) >= 0.9]
            # The list that others' keys come from is the one meant: a list of balances has a key too, and points there itself.
            over = Counter(id(hit[2]) for hit in hits for other in hits if hit is not other and hit[2].distinct > other[2].distinct and _within(other[2], hit[2]))
            best = max(hits, key=lambda hit: (over[id(hit[2])], hit[0], _alike(column, hit[2], lists[hit[1]]), -hit[2].distinct), default=None)
            if best is not None:
                share, other, key = best
                points.append(Link(column, other, lists[other].where, key, share))
        found.append(replace(one, points=tuple(points)))
    return found


def _within(small: Column, large: Column) -> bool:
    return int(small.keys.is_in(large.keys.implode()).sum()) >= 0.9 * max(1, small.keys.len())


def _share(column: Column, key: Column, of: Listed) -> float:
    """The share of a column's values that are keys there. Small numbers are everywhere: they need a heading that says so."""
    if column.keys.len() < 2 or column.is_mostly("days", "prose", "amounts", "times of day"):
        return 0.0
    if (column.is_mostly("whole numbers", "small numbers") or column.keys.len() < 5) and not _alike(column, key, of):
        return 0.0
    return int(column.keys.is_in(key.keys.implode()).sum()) / column.keys.len()


def _alike(column: Column, key: Column, of: Listed) -> int:
    """How much of whom a heading names the key and its list name too: `student_id` is the `id` of the list of students."""
    named = names_in(column.heading) | names_in(column.short)
    return 2 * len(named & names_in(stem(of))) + len(named & names_in(key.heading))


def stem(listed: Listed) -> str:
    """The name of a list, without its ending."""
    return f"{listed.file.rsplit('/', 1)[-1].rsplit('.', 1)[0]} {listed.sheet}"
