"""The sums the reports print themselves, held against the sums of their rows."""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

import polars as pl

from caseferry.manifest import Table
from tasks.verify import recount
from tasks.verify.checks import Check
from tasks.verify.evidence import Batch, Evidence
from tasks.verify.hours import DURATIONS, hours_of, read_hours
from tasks.verify.seen import Seen

_ZERO = Decimal(0)
_SHOWN = 50


class ControlTotals:
    """The sums the reports print themselves. A difference is the old system's own, and worth a question."""

    name = "control_totals"

    def __init__(self, evidence: Evidence) -> None:
        self._tables = [table for table in evidence.split.tables if table.control_totals]
        self._running = {
            (table.id, name): Running({row for t in table.control_totals if t.field == name for row in (t.first_row, t.row)})
            for table in self._tables for name in {t.field for t in table.control_totals}
        }  # fmt: skip

    def see(self, batch: Batch) -> None:
        here = {table.id for table in batch.tables}
        for table in (one for one in self._tables if one.id in here):
            raw = batch.raw(table)
            places = {c.field: c.place for c in table.columns if c.use == "mapped"}
            for name in {t.field for t in table.control_totals}:
                self._running[table.id, name].add(raw["row"], column_values(table, raw, name, places))

    def seen(self) -> Seen:
        return Seen([[*which, *running.sums] for which, running in self._running.items()])

    def add(self, seen: Seen) -> None:
        for table, name, sums, total in seen.facts:
            self._running[table, name].follow(sums, total)

    def say(self) -> Iterator[Check]:
        wrong, compared = [], Counter[str]()
        for table in self._tables:
            for total in table.control_totals:
                said = said_total(table, total.field, total.value)
                if said is None:
                    continue
                compared[table.id] += 1
                running = self._running[table.id, total.field]
                if said not in {running.before(total.row) - running.before(total.first_row), running.before(total.row)}:
                    wrong.append({"table": table.id, "row": total.row, "field": total.field, "scope": total.scope})
        detail = f"{compared.total()} totals printed by the reports"
        yield Check("control_totals", "The reports' own totals are the sums of their rows", not wrong, detail, False, tuple(wrong[:_SHOWN]))


class Running:
    """Sums of a column of numbers up to certain rows, the column coming piece by piece."""

    def __init__(self, rows: set[int]) -> None:
        self._bounds, self._sums, self._total = sorted(rows), dict[int, Decimal](), _ZERO

    def add(self, rows: pl.Series, values: pl.Series) -> None:
        """The next rows, in order, and their values."""
        last = int(rows[-1])
        bounds = [bound for bound in self._bounds if bound <= last and bound not in self._sums]
        sums = values.fill_null(0).cum_sum()
        for bound, place in zip(bounds, rows.search_sorted(pl.Series(bounds, dtype=rows.dtype), side="left").to_list(), strict=True):
            self._sums[bound] = self._total + (Decimal(str(sums[place - 1])) if place else _ZERO)
        self._total += Decimal(str(sums[-1]))

    @property
    def sums(self) -> tuple[list[tuple[int, str]], str]:
        """The sums up to certain rows, and that of all, as they can be written down."""
        return [(row, str(value)) for row, value in self._sums.items()], str(self._total)

    def follow(self, sums: Iterable[tuple[int, str]], total: str) -> None:
        """The `sums` of the rows that come next."""
        self._sums = {row: self._total + Decimal(value) for row, value in sums} | self._sums
        self._total += Decimal(total)

    def before(self, row: int) -> Decimal:
        """The sum of the rows above `row`."""
        return self._sums.get(row, self._total)


def column_values(table: Table, raw: pl.DataFrame, field_name: str, places: dict[str, int]) -> pl.Series:
    if field_name in DURATIONS:
        found = hours_of(raw, {field_name: places[field_name]})
        return found if found is not None else pl.Series([None] * raw.height, dtype=pl.Decimal(38, 4))
    return recount.amounts(raw[f"c{places[field_name]}"], table.record != "trust", field_name in table.decimal_comma)


def said_total(table: Table, field_name: str, text: str) -> Decimal | None:
    if field_name in DURATIONS:
        return read_hours(text, DURATIONS[field_name])
    return recount.amount(text, table.record != "trust", field_name in table.decimal_comma)
