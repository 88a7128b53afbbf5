"""XLSX, XLS and ODS, all sheets, hidden rows too. Runs in a guarded child alone: the reader can abort its process.

What the package claims is checked before the reader sees it: it is an archive like any other, its XML declares no types
of its own, and its cells fill the rectangle they span.
"""

import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl

from caseferry.errors import ExportRefused
from caseferry.reading.grid import ROW, from_lists, gathered, numbered, widened
from caseferry.reading.package import Contents, Listed, Package, contents, in_proportion, sheet_facts
from caseferry.reading.sheetxml import Library, Odd, Rows, shared_strings
from caseferry.reading.source import Source

if TYPE_CHECKING:
    from config.limits import ReadingLimits

_ROWS = 50_000
"""Rows of a sheet that are turned into text at a time."""


@dataclass(frozen=True)
class Sheet:
    """One sheet, to be read from its first row to its last, once."""

    name: str
    facts: dict[str, Any]
    """What is known of it, by the names of `Grid`."""
    pieces: Iterator[pl.DataFrame]
    """Its cells, some rows at a time, as `caseferry.reading.grid` has them; each as wide as the widest row so far."""


def sheets_of(data: Source, name: str, limits: "ReadingLimits") -> Iterator[Sheet]:
    """Every sheet of a workbook, one after the other.

    Raises:
        ExportRefused: it is locked, damaged, or out of proportion.
    """
    with _by_name(name):
        if data[:2] != b"PK":
            yield from _by_library(data, name, limits, Contents({}, False, (), "", ""), {})
            return
        package = Package(data, name, limits)
        known = contents(package, limits)
        if known.sheets and all(sheet.path for sheet in known.sheets):
            with suppress(Odd):
                library = Library(package.xml(known.styles) if known.styles else b"", known.epoch_1904, _text)
                strings = shared_strings(package.pieces(known.strings), library) if known.strings else pl.Series([], dtype=pl.String)
                yield from _Plain(data, package, known, strings, library, limits).sheets()
                return
        yield from _by_library(data, name, limits, known, _looked_through(package, known, limits))


@contextmanager
def _by_name(name: str) -> Iterator[None]:
    """What the library says of a file it can't read, as a refusal."""
    from python_calamine import CalamineError, PasswordError

    try:
        yield
    except PasswordError:
        raise ExportRefused("CF-103", name) from None
    except (CalamineError, ValueError, OverflowError, OSError):
        raise ExportRefused("CF-123", name) from None


class _Plain:
    """An XLSX workbook whose sheets are read out of their XML; the library reads what is written in another way."""

    def __init__(self, data: Source, package: Package, known: Contents, strings: pl.Series, library: Library, limits: "ReadingLimits") -> None:
        self._data, self._package, self._known, self._strings, self._library, self._limits = data, package, known, strings, library, limits
        self._area = 0

    def sheets(self) -> Iterator[Sheet]:
        for number, sheet in enumerate(self._known.sheets):
            told = {"sheet": sheet.name, "notes": {}, "epoch_1904": self._known.epoch_1904, "hidden": sheet.is_hidden}
            yield Sheet(sheet.name, told, self._pieces(number, sheet, told))

    def _pieces(self, number: int, sheet: Listed, told: dict[str, Any]) -> Iterator[pl.DataFrame]:
        """The rows; what is known of them stands in `told` at their end."""
        rows = Rows(self._package.pieces(sheet.path), self._strings, self._library, self._check)
        hidden, errors = 0, 0
        try:
            yield from rows.pieces()
            hidden, errors, area = rows.hidden, rows.errors, rows.area
        except Odd:
            found = sheet_facts(self._package.pieces(sheet.path), self._package.name, self._limits)
            yield from self._rest_by_library(number, sheet, rows.rows)
            hidden, errors, area = found["hidden_rows"], found["error_cells"], found["area"]
        self._area += area
        self._check(0, 0)
        notes = {**self._known.notes, "hidden_rows": hidden, "error_cells": errors, "hidden_sheet": int(sheet.is_hidden)}
        told["notes"] = {name: count for name, count in notes.items() if count}

    def _check(self, area: int, cells: int) -> None:
        in_proportion(area, cells, self._package.name, self._limits)
        if self._area + area > self._limits.sheet_cells:
            raise ExportRefused("CF-112", self._package.name, f"its sheets span {self._area + area} cells together")

    @cached_property
    def _book(self) -> Any:
        from python_calamine import CalamineWorkbook

        with _by_name(self._package.name):
            return CalamineWorkbook.from_filelike(io.BytesIO(self._data.whole()))

    def _rest_by_library(self, number: int, sheet: Listed, after: int) -> Iterator[pl.DataFrame]:
        """A sheet's rows behind some that are read already. Those must be the library's too: it takes rows in any order."""
        name = self._package.name
        with _by_name(name):
            found = self._book.get_sheet_by_index(number)
        if not after:
            yield from _pieces(found, name)
            return
        every = gathered(_pieces(found, name)).cells
        again = Rows(self._package.pieces(sheet.path), self._strings, self._library, lambda area, cells: None)
        ours = gathered(_upto(again.pieces(), after)).cells
        if not widened(ours, every.columns[1:]).equals(every.filter(pl.col(ROW) <= after)):
            raise ExportRefused("CF-123", name, "its rows do not stand in order")
        yield every.filter(pl.col(ROW) > after)


def _upto(pieces: Iterator[pl.DataFrame], last: int) -> Iterator[pl.DataFrame]:
    """The pieces up to the one that ends with this row."""
    for piece in pieces:
        yield piece
        if int(piece[ROW][-1]) >= last:
            return


def _looked_through(package: Package, known: Contents, limits: "ReadingLimits") -> dict[str, dict[str, int]]:
    """Facts of each sheet, once all that the library will read was looked at."""
    if known.strings:
        for _ in package.pieces(known.strings):
            pass
    facts = {sheet.name: sheet_facts(package.pieces(sheet.path), package.name, limits) for sheet in known.sheets if sheet.path}
    total = sum(found["area"] for found in facts.values())
    if total > limits.sheet_cells:
        raise ExportRefused("CF-112", package.name, f"its sheets span {total} cells together")
    return facts


def _by_library(data: Source, name: str, limits: "ReadingLimits", known: Contents, facts: dict[str, dict[str, int]]) -> Iterator[Sheet]:
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    book = CalamineWorkbook.from_filelike(io.BytesIO(data.whole()))
    if len(book.sheets_metadata) > limits.sheets:
        raise ExportRefused("CF-112", name, f"it has {len(book.sheets_metadata)} sheets")
    for meta in book.sheets_metadata:
        shown = meta.visible == SheetVisibleEnum.Visible
        found = facts.get(meta.name, {})
        notes = {**known.notes, "hidden_rows": found.get("hidden_rows", 0), "error_cells": found.get("error_cells", 0), "hidden_sheet": int(not shown)}
        told = {"sheet": meta.name, "notes": {k: v for k, v in notes.items() if v}, "epoch_1904": known.epoch_1904, "hidden": not shown}
        yield Sheet(meta.name, told, _pieces(book.get_sheet_by_name(meta.name), name))


def _pieces(sheet: Any, name: str) -> Iterator[pl.DataFrame]:
    """The reader gives the empty rows above the first that is filled, but not the empty columns before the first."""
    empty = [""] * (sheet.start or (0, 0))[1]
    before = 0
    rows = iter(sheet.iter_rows())
    while some := _next(rows, name):
        texts = pl.Series("t", [empty + [_text(cell) for cell in row] for row in some], dtype=pl.List(pl.String))
        yield numbered(from_lists(texts).cells, before)
        before += len(some)


def _next(rows: Iterator[list[Any]], name: str) -> list[list[Any]]:
    with _by_name(name):
        return list(islice(rows, _ROWS))


def _text(cell: Any) -> str:
    """A typed cell as the text a person would write: whole numbers without a point, dates in ISO form."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        # A spreadsheet shows 15 digits; the 16th is noise of the binary form.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15g")
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="minutes" if not cell.second else "seconds")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, dt.time):
        return cell.isoformat(timespec="minutes" if not cell.second else "seconds")
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")
    return str(cell)


