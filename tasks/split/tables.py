"""A grid that fits becomes a table: columns decided, date order settled, rows cut into parts."""

from dataclasses import dataclass

import polars as pl

from caseferry.errors import Question
from caseferry.manifest import ColumnUse, DateOrder, Migration, Table
from caseferry.mapping import dates, money
from caseferry.mapping.profile import Profile
from caseferry.reading.grid import Grid
from caseferry.records import RECORDS, Type
from tasks.split.furniture import Sorted, sort_rows
from tasks.split.recognise import Fit

_DAYS = {Type.DATE, Type.BIRTH, Type.MOMENT}


@dataclass(frozen=True)
class Cut:
    """One table, with its data rows in hand."""

    table: Table
    data: pl.DataFrame
    questions: tuple[Question, ...]


def make_table(number: int, file: str, grid: Grid, fit: Fit, profile: Profile, migration: Migration, part_rows: int) -> Cut:
    spec = profile.tables[fit.kind]
    rows = sort_rows(grid, fit, profile)
    columns = tuple(_column(place, fit, rows, profile, migration) for place in range(grid.width))
    columns = tuple(c for c in columns if c.heading or rows.data[f"c{c.place}"].is_not_null().any())
    orders, questions = _date_orders(file, grid, fit, rows, columns, profile, migration)
    record = RECORDS[spec.record]
    commas = tuple(
        c.field for c in columns
        if c.use == "mapped" and record[c.field].type is Type.MONEY and money.has_comma_decimals(rows.data[f"c{c.place}"])
    )  # fmt: skip
    identity = f"t{number:03d}-{fit.kind}"
    starts = range(0, max(rows.data.height, 1), part_rows)
    table = Table(
        id=identity, file=file, sheet=grid.sheet, kind=fit.kind, record=spec.record,
        place="excluded" if spec.exclusion else "carried", confidence=fit.confidence,
        header_row=int(grid.cells["row"][fit.header_row]), header_rows=fit.header_rows, title=rows.title,
        as_at=_as_at(rows, orders), lines=rows.lines, columns=columns, date_orders=orders, decimal_comma=commas,
        too_long=tuple(sorted({row for row, _ in grid.places.get("field_too_long", ())})),
        epoch_1904=grid.epoch_1904, control_totals=rows.totals,
        parts=tuple(f"{identity}-{n:04d}" for n in range(1, len(starts) + 1)) if rows.data.height else (),
        part_rows=tuple(min(part_rows, rows.data.height - start) for start in starts) if rows.data.height else (),
    )  # fmt: skip
    return Cut(table, rows.data, questions)


def _column(place: int, fit: Fit, rows: Sorted, profile: Profile, migration: Migration) -> ColumnUse:
    """A column is mapped, a custom field, ignored by name, or kept in the archive as something we do not understand."""
    use, heading = fit.uses[place], fit.headings[place]
    spec = profile.tables[fit.kind]
    if use == "leave:":
        return ColumnUse(heading=heading, place=place, use="ignored")
    if use.startswith("custom:"):
        name = use.removeprefix("custom:")
        regions = profile.custom_sets.get(spec.custom[name].set)
        if spec.record == "excluded":
            return ColumnUse(heading=heading, place=place, field=name, use="archive_only")
        here = regions is None or migration.region.value in regions
        return ColumnUse(heading=heading, place=place, field=name, use="custom_field" if here else "ignored")
    if use:
        return ColumnUse(heading=heading, place=place, field=use, use="mapped")
    if not heading and rows.data[f"c{place}"].is_not_null().any():
        heading = f"(column {place + 1}, no heading)"
    return ColumnUse(heading=heading, place=place, use="archive_only")


def _date_orders(
    file: str, grid: Grid, fit: Fit, rows: Sorted, columns: tuple[ColumnUse, ...], profile: Profile, migration: Migration
) -> tuple[dict[str, DateOrder], tuple[Question, ...]]:
    """The order of each date column, from its own cells; where they do not settle it, the firm's answer or a question."""
    spec, record = profile.tables[fit.kind], RECORDS[profile.tables[fit.kind].record]
    orders: dict[str, DateOrder] = {}
    questions: list[Question] = []
    for column in columns:
        mapped = column.use == "mapped" and record[column.field].type in _DAYS
        custom = column.use == "custom_field" and spec.custom[column.field].type == "date"
        if not (mapped or custom):
            continue
        seen = dates.evidence(rows.data[f"c{column.place}"])
        order = seen.order
        if order is None and seen.must_ask:
            order = _answer(migration, f"{fit.kind}.{column.field}")
            if order is None:
                where = " › ".join(filter(None, (file, grid.sheet, f"column {column.place + 1}, {column.heading!r}")))
                found = f"{seen.undecided} dates could be day/month or month/day"
                found += f"; {seen.day_first} can only be day/month, {seen.month_first} only month/day"
                questions.append(Question("CF-106", where, found, "options.dates"))
        if order is not None:
            orders[column.field] = order
    return orders, tuple(questions)


def _answer(migration: Migration, column: str) -> DateOrder | None:
    given = migration.options.dates
    return given.get(column) if isinstance(given, dict) else given


def _as_at(rows: Sorted, orders: dict[str, DateOrder]) -> str:
    """The day a report stands for, from its title block, if it can be read in one way only."""
    texts = pl.Series("t", list(rows.title), dtype=pl.String)
    shown = texts.str.extract(r"(?i)(?:as\s+at|as\s+of|at\s+date|balance[sd]?\s+at|to\s+date)\s*:?\s*(\S.*)$").drop_nulls()
    if shown.is_empty():
        return ""
    text = shown.str.strip_chars(" .)")
    known = set(orders.values())
    own = dates.evidence(text).order
    order = own or (next(iter(known)) if len(known) == 1 else None)
    from datetime import date

    parsed = dates.parse(text, order, date(2068, 1, 1))
    days = parsed["day"].drop_nulls()
    return str(days[0]) if days.len() else ""
