"""XLSX, XLS and ODS, all sheets, hidden rows too. Runs in a guarded child alone: the reader can abort its process.

What the package claims is checked before the reader sees it: it is an archive like any other, its XML declares no types
of its own, and its cells fill the rectangle they span.
"""

import datetime as dt
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl

from caseferry.errors import ExportRefused
from caseferry.reading.archive import Archive, Entry
from caseferry.reading.grid import from_lists, numbered
from caseferry.reading.source import Source

if TYPE_CHECKING:
    from config.limits import ReadingLimits

_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?r="([A-Z]{1,3})(\d{1,7})"')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row [^>]*?hidden="(?:1|true)"')
_ERROR = re.compile(rb'<(?:\w+:)?c [^>]*?t="e"')
_REPEATED = re.compile(rb'number-(?:rows|columns)-repeated="(\d+)"')
_ROWS = 50_000
"""Rows of a sheet that are turned into text at a time."""
_TALLEST = 1 << 20
"""Rows of the tallest sheet any program has."""
_TYPES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True)
class Sheet:
    """One sheet, to be read from its first row to its last, once."""

    name: str
    facts: dict[str, Any]
    """What is known of it, by the names of `Grid`."""
    pieces: Iterator[pl.DataFrame]
    """Its cells, some rows at a time, as `caseferry.reading.grid` has them; all as wide as the widest row."""


def sheets_of(data: Source, name: str, limits: "ReadingLimits") -> Iterator[Sheet]:
    """Every sheet of a workbook, one after the other.

    Raises:
        ExportRefused: it is locked, damaged, or out of proportion.
    """
    facts = _package(data, name, limits) if data[:2] == b"PK" else {}
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data.whole()))
        if len(book.sheets_metadata) > limits.sheets:
            raise ExportRefused("CF-112", name, f"it has {len(book.sheets_metadata)} sheets")
        for meta in book.sheets_metadata:
            known = facts.get(meta.name, {})
            shown = meta.visible == SheetVisibleEnum.Visible
            notes = {**facts.get("", {}), "hidden_rows": known.get("hidden_rows", 0), "error_cells": known.get("error_cells", 0), "hidden_sheet": int(not shown)}
            epoch = bool(notes.pop("epoch_1904", 0))
            told = {"sheet": meta.name, "notes": {k: v for k, v in notes.items() if v}, "epoch_1904": epoch, "hidden": not shown}
            yield Sheet(meta.name, told, _pieces(book.get_sheet_by_name(meta.name)))
    except PasswordError:
        raise ExportRefused("CF-103", name) from None
    except (CalamineError, ValueError, OSError):
        raise ExportRefused("CF-123", name) from None


def _pieces(sheet: Any) -> Iterator[pl.DataFrame]:
    """The reader gives the empty rows above the first that is filled, but not the empty columns before the first."""
    empty = [""] * (sheet.start or (0, 0))[1]
    before = 0
    rows = iter(sheet.iter_rows())
    while some := list(islice(rows, _ROWS)):
        texts = pl.Series("t", [empty + [_text(cell) for cell in row] for row in some], dtype=pl.List(pl.String))
        yield numbered(from_lists(texts).cells, before)
        before += len(some)


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


class _Package:
    """The parts of a workbook, each inflated within the limits and looked at before anything reads it."""

    def __init__(self, data: Source, name: str, limits: "ReadingLimits") -> None:
        try:
            self._archive = Archive(data, name, limits)
        except ExportRefused as refusal:
            # A workbook that lies about itself is told as one; how much it swells is its own message.
            raise ExportRefused("CF-112" if refusal.code == "CF-111" else "CF-123", name, refusal.detail) from None
        self._entries: dict[str, Entry] = {entry.name: entry for entry in self._archive.entries}
        self.name = name

    @property
    def names(self) -> set[str]:
        return set(self._entries)

    def xml(self, path: str) -> bytes:
        return b"".join(self.pieces(path))

    def pieces(self, path: str) -> Iterator[bytes]:
        """A part's XML, some at a time, each piece ending behind a tag."""
        held = b""
        is_first = True
        for some in self._archive.pieces(self._entries[path]):
            if is_first and (some[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\x00" in some[:64]):
                raise ExportRefused("CF-123", self.name, "its XML is written in an encoding no spreadsheet program uses")
            held, is_first = held + some, False
            end = held.rfind(b">") + 1
            if end:
                yield self._plain(held[:end])
                held = held[end:]
        if held:
            yield self._plain(held)

    def _plain(self, xml: bytes) -> bytes:
        if _TYPES.search(xml):
            raise ExportRefused("CF-123", self.name, "its XML declares types of its own")
        return xml


def _package(data: Source, name: str, limits: "ReadingLimits") -> dict[str, dict[str, int]]:
    """What the XML says before the reader is trusted with it: area, hidden rows, error cells, date epoch, macros."""
    package = _Package(data, name, limits)
    for path in package.names:
        if path.endswith((".xml", ".rels")) and not path.startswith("xl/worksheets/"):
            package.xml(path)
    facts: dict[str, dict[str, int]] = {"": {}}
    if any(path.casefold().endswith("vbaproject.bin") for path in package.names):
        facts[""]["macros"] = 1
    links = sum(1 for path in package.names if path.startswith("xl/externalLinks/") and path.endswith(".xml"))
    if links:
        facts[""]["external_links"] = links
    if "content.xml" in package.names:
        _open_document(package.xml("content.xml"), name, limits)
    if "xl/workbook.xml" not in package.names:
        return facts
    from defusedxml import ElementTree

    book = ElementTree.fromstring(package.xml("xl/workbook.xml"))
    for node in book.iter():
        if node.tag.endswith("}workbookPr") and node.get("date1904") in {"1", "true"}:
            facts[""]["epoch_1904"] = 1
    targets = _relationships(package, ElementTree)
    sheets = [node for node in book.iter() if node.tag.endswith("}sheet")]
    if len(sheets) > limits.sheets:
        raise ExportRefused("CF-112", name, f"it has {len(sheets)} sheets")
    total = 0
    for node in sheets:
        rel = next((v for k, v in node.attrib.items() if k.endswith("}id")), "")
        path = targets.get(rel, "")
        if path in package.names:
            found = _sheet(package.pieces(path), name, limits)
            facts[node.get("name") or ""] = found
            total += found.pop("area")
    if total > limits.sheet_cells:
        raise ExportRefused("CF-112", name, f"its sheets span {total} cells together")
    return facts


def _relationships(package: _Package, xml: Any) -> dict[str, str]:
    path = "xl/_rels/workbook.xml.rels"
    if path not in package.names:
        return {}
    return {
        node.get("Id", ""): ("xl/" + node.get("Target", "")).replace("xl//xl/", "xl/")
        for node in xml.fromstring(package.xml(path)).iter()
        if node.tag.endswith("}Relationship")
    }


def _sheet(xml: Iterator[bytes], name: str, limits: "ReadingLimits") -> dict[str, int]:
    cells = farthest_row = hidden = errors = 0
    columns: set[bytes] = set()
    for piece in xml:
        found = _CELL.findall(piece)
        cells += len(found)
        columns.update(letters for letters, _ in found)
        farthest_row = max(farthest_row, max((int(digits) for _, digits in found), default=0))
        hidden += len(_HIDDEN_ROW.findall(piece))
        errors += len(_ERROR.findall(piece))
    area = farthest_row * max(map(_column, columns), default=0)
    if area > limits.sheet_cells or area > 64 * cells + 5_000_000:
        raise ExportRefused("CF-112", name, f"a sheet spans {area} cells and fills {cells}")
    return {"hidden_rows": hidden, "error_cells": errors, "area": area}


def _column(letters: bytes) -> int:
    """`A` is 1, `AA` is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _open_document(xml: bytes, name: str, limits: "ReadingLimits") -> None:
    """An OpenDocument sheet says 'a million times this cell' in twenty bytes; empty tails of that kind are normal."""
    filled = re.findall(rb"<table:table-cell([^>]*office:value-type[^>]*)>", xml)
    spread = sum(max((int(n) for n in _REPEATED.findall(cell)), default=1) for cell in filled)
    rows = re.findall(rb"<table:table-row([^>]*)>(?:(?!</table:table-row>).){0,4000}?office:value-type", xml, re.DOTALL)
    tall = max([1, *(int(n) for row in rows for n in _REPEATED.findall(row))])
    if spread * tall > limits.sheet_cells or tall > _TALLEST:
        raise ExportRefused("CF-112", name, f"it repeats its cells {spread * tall} times")
