"""A workbook's package: an archive like any other, whose XML declares no types of its own and whose cells fill the
rectangle they span. All that is checked before a reader is trusted with it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caseferry.errors import ExportRefused
from caseferry.reading.archive import Archive, Entry
from caseferry.reading.source import Source

if TYPE_CHECKING:
    from config.limits import ReadingLimits

_CELL = re.compile(rb'<(?:\w+:)?c [^<>]*?r="([A-Z]{1,3})(\d{1,7})"')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row (?:[^<>]*? )?hidden="(?:1|true)"')
_ERROR = re.compile(rb'<(?:\w+:)?c (?:[^<>]*? )?t="e"')
_REPEATED = re.compile(rb'number-(?:rows|columns)-repeated="(\d+)"')
_TALLEST = 1 << 20
"""Rows of the tallest sheet any program has."""
_TYPES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class Package:
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


@dataclass(frozen=True)
class Listed:
    """One sheet, as the workbook lists it."""

    name: str
    path: str
    """Of its XML in the package; nothing if that is no sheet of cells."""
    is_hidden: bool


@dataclass(frozen=True)
class Contents:
    """What a package says of itself before anything reads its cells."""

    notes: dict[str, int]
    """`macros`, `external_links`, as `Grid` has them."""
    epoch_1904: bool
    sheets: tuple[Listed, ...]
    """Nothing if it is no XLSX workbook."""
    strings: str
    styles: str
    """Paths of the texts and the styles its cells share; nothing without."""


def contents(package: Package, limits: "ReadingLimits") -> Contents:
    """Look through everything but the sheets.

    Raises:
        ExportRefused: something of it is out of proportion, or declares types of its own.
    """
    name = package.name
    for path in package.names:
        if path.endswith((".xml", ".rels")) and not path.startswith("xl/worksheets/") and path.casefold() != "xl/sharedstrings.xml":
            package.xml(path)
    notes = {}
    if any(path.casefold().endswith("vbaproject.bin") for path in package.names):
        notes["macros"] = 1
    links = sum(1 for path in package.names if path.startswith("xl/externalLinks/") and path.endswith(".xml"))
    if links:
        notes["external_links"] = links
    if "content.xml" in package.names:
        _open_document(package.xml("content.xml"), name, limits)
    if "xl/workbook.xml" not in package.names:
        return Contents(notes, False, (), "", "")
    from defusedxml import ElementTree

    book = ElementTree.fromstring(package.xml("xl/workbook.xml"))
    epoch = any(node.tag.endswith("}workbookPr") and node.get("date1904") in {"1", "true"} for node in book.iter())
    targets = _relationships(package, ElementTree)
    listed = [node for node in book.iter() if node.tag.endswith("}sheet")]
    if len(listed) > limits.sheets:
        raise ExportRefused("CF-112", name, f"it has {len(listed)} sheets")
    sheets = []
    for node in listed:
        path, kind = targets.get(next((v for k, v in node.attrib.items() if k.endswith("}id")), ""), ("", ""))
        there = path if path in package.names and kind.endswith("/worksheet") else ""
        sheets.append(Listed(node.get("name") or "", there, node.get("state") in {"hidden", "veryHidden"}))
    shared = {path.casefold(): path for path in sorted(package.names)}
    return Contents(notes, epoch, tuple(sheets), shared.get("xl/sharedstrings.xml", ""), shared.get("xl/styles.xml", ""))


def _relationships(package: Package, xml: Any) -> dict[str, tuple[str, str]]:
    """Path and kind of what a workbook refers to, by the name it has there."""
    path = "xl/_rels/workbook.xml.rels"
    if path not in package.names:
        return {}
    return {
        node.get("Id", ""): (("xl/" + node.get("Target", "")).replace("xl//xl/", "xl/"), node.get("Type", ""))
        for node in xml.fromstring(package.xml(path)).iter()
        if node.tag.endswith("}Relationship")
    }


def sheet_facts(xml: Iterator[bytes], name: str, limits: "ReadingLimits") -> dict[str, int]:
    """What a sheet's XML says before a reader is trusted with it: the area it spans, hidden rows, cells that hold an error."""
    cells = farthest_row = hidden = errors = 0
    columns: set[bytes] = set()
    for piece in xml:
        found = _CELL.findall(piece)
        cells += len(found)
        columns.update(letters for letters, _ in found)
        farthest_row = max(farthest_row, max((int(digits) for _, digits in found), default=0))
        hidden += len(_HIDDEN_ROW.findall(piece))
        errors += len(_ERROR.findall(piece))
    area = farthest_row * max(map(column_number, columns), default=0)
    in_proportion(area, cells, name, limits)
    return {"hidden_rows": hidden, "error_cells": errors, "area": area}


def in_proportion(area: int, cells: int, name: str, limits: "ReadingLimits") -> None:
    """Refuse a sheet whose cells don't fill the rectangle they span."""
    if area > limits.sheet_cells or area > 64 * cells + 5_000_000:
        raise ExportRefused("CF-112", name, f"a sheet spans {area} cells and fills {cells}")


def column_number(letters: bytes) -> int:
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
