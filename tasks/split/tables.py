"""A list that fits becomes a table: columns decided, date order settled, rows cut into parts."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from caseferry.choices import Migration
from caseferry.errors import Question
from caseferry.manifest import ColumnUse, Joined, Table
from caseferry.mapping import dates, money
from caseferry.mapping.distinct import Counted
from caseferry.mapping.headings import normal, system_of
from caseferry.mapping.profile import Profile, TableProfile
from caseferry.reading.spooled import Spooled
from caseferry.records import RECORDS, Type
from caseferry.services.scratch import Scratch
from caseferry.services.store import at_rest
from caseferry.tables import write_cells
from tasks.parts import samples
from tasks.split.furniture import Furniture, SaysMore
from tasks.split.quality import Quality
from tasks.split.recognise import Fit

_DAYS = {Type.DATE, Type.BIRTH, Type.MOMENT}


@dataclass(frozen=True)
class Portion:
    """The most that is taken at a time."""

    rows: int
    bytes: int
    """Of text. A single row may be more."""


@dataclass(frozen=True)
class Cut:
    """What is left of a list when its rows have gone into parts."""

    table: Table
    parts: tuple[Path, ...]
    """The raw rows, a file for each of the table's parts."""
    questions: tuple[Question, ...]
    filled: dict[int, int]
    """How many data rows have a cell in each column."""
    report: dict[str, Any]
    """On its quality."""
    matters: pl.DataFrame
    """The matters it names, as `Quality.matters` tells them."""
    samples: list[list[str]]
    """Of each of the table's columns the first few texts that differ, of the last part: mostly it is the smallest."""


Keep = Callable[[pl.DataFrame, Path], None]
"""Takes a part's cells, and an empty file to write them to."""


class _Part(NamedTuple):
    path: Path
    rows: int
    size: int
    samples: list[list[str]]
    """Of each column of the list."""


def make_table(number: int, file: str, rows: Spooled, fit: Fit, profile: Profile, migration: Migration, portion: Portion, scratch: Scratch, keep: Keep = write_cells) -> Cut:
    """Go through a list, some rows at a time: tell its furniture and cut its data. Where rows say something of those below
    them, twice: what they say is known only then.

    Args:
        number: of the table in its export, from 1.
        file: the name of the file that holds it.
        scratch: where the parts lie.
        keep: how one is put there.
    """
    head, spec = rows.head, profile.tables[fit.kind]
    furniture = Furniture(rows, fit, profile)
    columns = [_column(place, fit, profile, migration) for place in range(head.width)]

    def gone_through(data: Iterator[pl.DataFrame]) -> tuple[_Evidence, Quality, Counter[int], list[_Part]]:
        evidence, quality, filled = _Evidence(spec.record, fit.kind, columns, profile), Quality(spec.record, columns, scratch, _joined(spec, tuple(columns))), Counter[int]()
        counted = {place: Counted(tell) for place in range(head.width) if (tell := [*evidence.of(place), *quality.of(place)])}
        parts = _written(_parts(_seen(data, counted, quality, filled), portion), head.width, scratch, keep)
        for one in counted.values():
            one.told()
        return evidence, quality, filled, parts

    try:
        evidence, quality, filled, parts = gone_through(furniture.plainly())
    except SaysMore:
        evidence, quality, filled, parts = gone_through(furniture.data())
    used = tuple(_named(c) if filled[c.place] else c for c in columns if c.heading or filled[c.place])
    orders, questions = evidence.settle(file, head.sheet, fit.kind, used, migration)
    identity = f"t{number:03d}-{fit.kind}"
    table = Table(
        id=identity, file=file, sheet=head.sheet, kind=fit.kind, record=spec.record,
        place="excluded" if spec.exclusion else "carried", confidence=fit.confidence,
        header_row=int(head.cells["row"][fit.header_row]), header_rows=fit.header_rows, title=furniture.title,
        as_at=_as_at(furniture.title, orders), lines=furniture.lines, columns=used, date_orders=orders, decimal_comma=evidence.decimal_comma(used),
        joined=_joined(spec, used), matter_by=spec.matter_by,
        too_long=tuple(sorted({row for row, _ in head.places.get("field_too_long", ())})),
        epoch_1904=head.epoch_1904, control_totals=furniture.control_totals(),
        parts=tuple(f"{identity}-{n:04d}" for n in range(1, len(parts) + 1)), part_rows=tuple(one.rows for one in parts), part_bytes=tuple(one.size for one in parts),
    )  # fmt: skip
    count = sum(one.rows for one in parts)
    report = quality.report(table, count, {c.place: count - filled[c.place] for c in used})
    return Cut(table, tuple(one.path for one in parts), questions, dict(filled), report, quality.matters, [parts[-1].samples[c.place] for c in used] if parts else [])


def _written(data: Iterator[tuple[pl.DataFrame, int]], width: int, scratch: Scratch, keep: Keep) -> list[_Part]:
    """Parts on disk; each is written while the next is put together."""
    parts: list[_Part] = []
    last: Future[None] | None = None
    pool = ThreadPoolExecutor(1)
    try:
        for part, size in data:
            if last:
                last.result()
            parts.append(_Part(scratch.file(), part.height, size, samples(part, range(width))))
            last = pool.submit(keep, part, parts[-1].path)
        if last:
            last.result()
        return parts
    finally:
        at_rest(pool)


def _seen(data: Iterator[pl.DataFrame], counted: Mapping[int, Counted], quality: Quality, filled: Counter[int]) -> Iterator[pl.DataFrame]:
    """The same rows, each looked at on its way."""
    for some in data:
        cells = some.select(name for name in some.columns if name[0] == "c" and name[1:].isdigit())
        filled.update({int(name[1:]): cells.height - count for name, count in zip(cells.columns, cells.null_count().row(0), strict=True)})
        for place, texts in counted.items():
            texts.see(some[f"c{place}"])
        quality.see(some)
        yield some


def _parts(data: Iterator[pl.DataFrame], portion: Portion) -> Iterator[tuple[pl.DataFrame, int]]:
    """The same rows, a portion at a time, each with its bytes of text; the last is what is left."""
    held: list[pl.DataFrame] = []
    rows = size = 0
    for some in data:
        cells = pl.sum_horizontal(pl.col(name).str.len_bytes().fill_null(0) for name in some.columns if name[0] == "c" and name[1:].isdigit())
        ends = some.select(cells.cast(pl.Int64).cum_sum()).to_series()
        taken = before = 0
        while taken < some.height:
            room = int(ends.search_sorted(before + portion.bytes - size, side="right")) - taken
            take = min(portion.rows - rows, some.height - taken, room if room or rows else 1)
            if take:
                held.append(some.slice(taken, take))
                taken += take
                size, before, rows = size + int(ends[taken - 1]) - before, int(ends[taken - 1]), rows + take
            if rows >= portion.rows or (taken < some.height and rows):
                yield pl.concat(held), size
                held, rows, size = [], 0, 0
    if rows:
        yield pl.concat(held), size


def _column(place: int, fit: Fit, profile: Profile, migration: Migration) -> ColumnUse:
    """A column is mapped, a custom field, ignored by name, or kept in the archive as something we do not understand."""
    use, heading = fit.uses[place], fit.headings[place]
    spec = profile.tables[fit.kind]
    if use == "leave:":
        return ColumnUse(heading=heading, place=place, use="ignored", decided=True)
    if use == "archive:":
        return ColumnUse(heading=heading, place=place, use="archive_only", decided=True)
    if use.startswith("custom:"):
        name = use.removeprefix("custom:")
        regions = profile.custom_sets.get(spec.custom[name].set)
        if spec.record == "excluded":
            return ColumnUse(heading=heading, place=place, field=name, use="archive_only")
        here = regions is None or migration.region.value in regions
        return ColumnUse(heading=heading, place=place, field=name, use="custom_field" if here else "ignored")
    if use:
        return ColumnUse(heading=heading, place=place, field=use, use="mapped")
    if spec.record in _WITH_FIELDS and heading and fit.headings.count(heading) == 1 and heading not in spec.custom and (
        migration.options.unknown_columns == "custom_field" or system_of(heading, profile.connected)
    ):  # fmt: skip
        return ColumnUse(heading=heading, place=place, field=heading, use="custom_field", decided=True)
    return ColumnUse(heading=heading, place=place, use="archive_only")


def _joined(spec: TableProfile, columns: tuple[ColumnUse, ...]) -> dict[str, Joined]:
    """The fields that several columns of this list make together."""
    places = {normal(c.heading): c.place for c in columns}
    every = {field: (one, [places.get(normal(heading)) for heading in one.headings]) for field, one in spec.joined.items()}
    return {field: Joined(places=tuple(place for place in found if place is not None), between=one.between) for field, (one, found) in every.items() if None not in found}


_WITH_FIELDS = ("contact", "matter")
"""Records that have custom fields."""


def _named(column: ColumnUse) -> ColumnUse:
    return column if column.heading else column.model_copy(update={"heading": f"(column {column.place + 1}, no heading)"})


class _Evidence:
    """What the cells say of how days and amounts are written."""

    def __init__(self, record: str, kind: str, columns: list[ColumnUse], profile: Profile) -> None:
        kinds, custom = RECORDS[record], profile.tables[kind].custom
        self._days = {
            c.place: dates.Evidence() for c in columns
            if (c.use == "mapped" and kinds[c.field].type in _DAYS) or (c.use == "custom_field" and c.field in custom and custom[c.field].type == "date")
        }  # fmt: skip
        self._amounts = {
            c.place: money.Decimals() for c in columns
            if (c.use == "mapped" and kinds[c.field].type is Type.MONEY) or (c.use == "custom_field" and c.field in custom and custom[c.field].type == "currency")
        }  # fmt: skip

    def of(self, place: int) -> Iterator[Callable[[pl.DataFrame], None]]:
        """What wants to be told of a column's distinct texts."""
        if place in self._days:
            yield partial(self._see_days, place)
        if place in self._amounts:
            yield partial(self._see_amounts, place)

    def _see_days(self, place: int, counts: pl.DataFrame) -> None:
        self._days[place] += dates.evidence_of(counts)

    def _see_amounts(self, place: int, counts: pl.DataFrame) -> None:
        self._amounts[place] += money.decimals(counts["t"])

    def settle(self, file: str, sheet: str, kind: str, columns: tuple[ColumnUse, ...], migration: Migration) -> tuple[dict[str, dates.Order], tuple[Question, ...]]:
        """The order of each date column, from its own cells; where they do not settle it, the firm's answer or a question."""
        orders: dict[str, dates.Order] = {}
        questions: list[Question] = []
        for column in columns:
            seen = self._days.get(column.place)
            if seen is None:
                continue
            order = seen.order
            if order is None and seen.must_ask:
                order = _answer(migration, f"{kind}.{column.field}")
                if order is None:
                    where = " › ".join(filter(None, (file, sheet, f"column {column.place + 1}, {column.heading!r}")))
                    found = f"{seen.undecided} dates could be day/month or month/day"
                    found += f"; {seen.day_first} can only be day/month, {seen.month_first} only month/day"
                    questions.append(Question("CF-106", where, found, "options.dates"))
            if order is not None:
                orders[column.field] = order
        return orders, tuple(questions)

    def decimal_comma(self, columns: tuple[ColumnUse, ...]) -> tuple[str, ...]:
        return tuple(c.field for c in columns if c.place in self._amounts and self._amounts[c.place].are_behind_comma)


def _answer(migration: Migration, column: str) -> dates.Order | None:
    given = migration.options.dates
    return given.get(column) if isinstance(given, dict) else given


def _as_at(title: tuple[str, ...], orders: dict[str, dates.Order]) -> str:
    """The day a report stands for, from its title block, if it can be read in one way only."""
    texts = pl.Series("t", list(title), dtype=pl.String)
    shown = texts.str.extract(r"(?i)(?:as\s+at|as\s+of|at\s+date|balance[sd]?\s+at|to\s+date)\s*:?\s*(\S.*)$").drop_nulls()
    if shown.is_empty():
        return ""
    text = shown.str.strip_chars(" .)")
    known = {order for order in orders.values() if order in ("dmy", "mdy")}
    own = dates.evidence(text).order
    order = own or (next(iter(known)) if len(known) == 1 else None)
    from datetime import date

    parsed = dates.parse(text, order, date(2068, 1, 1))
    days = parsed["day"].drop_nulls()
    return str(days[0]) if days.len() else ""
