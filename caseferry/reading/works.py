"""What is done to foreign bytes, each in a child of its own: see `caseferry.reading.guard`.

Every function takes the bytes, the limits, and where byte strings of its answer go; it gives back what JSON can hold.
"""

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any, Protocol

import polars as pl

from caseferry.errors import ExportRefused
from caseferry.reading import delimited
from caseferry.reading.archive import NEAR, Archive, is_noise, same_again
from caseferry.reading.calendars import read_calendar
from caseferry.reading.cards import read_cards
from caseferry.reading.dbase import Dbase
from caseferry.reading.delimited import Delimited
from caseferry.reading.encoding import Written, tell, text_of
from caseferry.reading.ends import ends_midway
from caseferry.reading.kinds import Kind, kind_of
from caseferry.reading.measured import measured
from caseferry.reading.source import Source
from caseferry.reading.workbook import Sheet, sheets_of

Limits = dict[str, Any]
_TOLD_BY = 8 << 20
"""Bytes at either end of a file that tell what it is."""


class Blobs(Protocol):
    """Where the byte strings of an answer go, each a piece at a time."""

    def write(self, data: bytes | memoryview) -> None: ...

    def table(self, table: pl.DataFrame) -> None:
        """A byte string of its own: a table, as Arrow has it. It never lies in memory in that form."""
        ...

    def end(self) -> None:
        """The byte string is complete; what is written from now on is the next."""
        ...


def named(limits: Limits) -> Any:
    """The limits by attribute, as `config.limits.ReadingLimits` has them; that itself would cost each reader its import."""
    return SimpleNamespace(**limits)


def kind(data: Source, limits: Limits, blobs: Blobs, head: int = -1) -> Any:
    """What it is; `head` is where the tail begins when only the two ends were handed over."""
    if head >= 0:
        return kind_of(data[:head], data[head:]).value
    return kind_of(data[:_TOLD_BY], data[max(_TOLD_BY, len(data) - _TOLD_BY) :]).value


def directory(data: Source, limits: Limits, blobs: Blobs, file: str) -> Any:
    """What an archive holds: each entry's name and size in the order of the names, and what of it can't be taken."""
    archive = Archive(data, file, named(limits))
    entries = [[entry.name, entry.size] for entry in _listed(archive)]
    return {"entries": entries, "refused": [list(one) for one in archive.refused]}


def entries(data: Source, limits: Limits, blobs: Blobs, file: str, numbers: Sequence[int], is_kept: bool) -> Any:
    """Some entries of an archive: what each is, its sha256, and where it lies; or why it can't be read.

    Args:
        is_kept: their bytes are wanted too.
    """
    archive = Archive(data, file, named(limits))
    listed = _listed(archive)
    found = []
    for number in numbers:
        head, beyond, digest, entry = bytearray(), _End(), hashlib.sha256(), listed[number]
        try:
            for piece in archive.pieces(entry, NEAR):
                if is_kept:
                    blobs.write(piece)
                digest.update(piece)
                more = _TOLD_BY - len(head)
                head += piece[:more]
                beyond.see(piece[more:])
            found.append({"kind": kind_of(bytes(head), beyond.read()).value, "sha256": digest.hexdigest(), "lies": {"start": entry.start, "length": entry.packed, "method": entry.method}})
        except ExportRefused as refusal:
            found.append({"code": refusal.code, "detail": refusal.detail})
        blobs.end()
    return found


class _End:
    """The last bytes of what goes by."""

    def __init__(self) -> None:
        self._pieces, self._length = deque[bytes](), 0

    def see(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._length += len(piece)
        while self._length - len(self._pieces[0]) >= _TOLD_BY:
            self._length -= len(self._pieces.popleft())

    def read(self) -> bytes:
        return b"".join(self._pieces)[-_TOLD_BY:]


def unpacked(data: Source, limits: Limits, blobs: Blobs, method: int, size: int, sha256: str, talk: int = -1, of: int = 0) -> None:
    """An entry that was read before, as it was then.

    Args:
        talk: where it is said how a list among them can be read in ranges, a line of JSON each, as soon as a range is there.
        of: about as many bytes.
    """
    cuts = delimited.Cuts(of, partial(_say, talk)) if of else None
    for piece in same_again(data, method, size, sha256):
        blobs.write(piece)
        if cuts:
            cuts.see(piece)
    blobs.end()
    if cuts:
        cuts.end()


def _say(talk: int, said: object) -> None:
    with suppress(OSError):  # nobody listens any more
        os.write(talk, json.dumps(said).encode() + b"\n")


def given(data: Source, limits: Limits, blobs: Blobs) -> None:
    """The very bytes."""
    for piece in data.pieces():
        blobs.write(piece)
    blobs.end()


def _listed(archive: Archive) -> list[Any]:
    return sorted((entry for entry in archive.entries if not is_noise(entry.name)), key=lambda entry: (entry.name, entry.start))


def ranges(data: Source, limits: Limits, blobs: Blobs, size: int) -> Any:
    """A long delimited file as ranges that can be read side by side: where each begins and ends, and how all are read."""
    found = delimited.ranges(data, size)
    if found is None:
        return None
    return {**found[0], "spans": [one["span"] for one in found[1:]]}


def lists(
    data: Source, limits: Limits, blobs: Blobs, kind: str, file: str, encoding: str = "", span: Sequence[int] = (), shape: Sequence[Any] = (), beside: int = -1,
    kinds: Mapping[str, str] | None = None,
) -> Any:
    """Every list of a file, or of a range of one: what is known of each, and its cells in pieces.

    Args:
        beside: of a dBase table, where its memo file begins, if that lies behind it.
        kinds: of a database's table, what some of its columns hold, by their names.
    """
    if kind == Kind.DELIMITED:
        known = delimited.Shape(*shape) if shape else None
        read = Delimited(data.part(*span) if span else data, encoding, limits["field_bytes"], shape=known, may_break_off=True)
        rows = [_kept(cells, blobs, limits, file) for cells in (measured(read.pieces(), kinds) if kinds else read.pieces())]
        return [{"sheet": "", "height": read.height, "width": read.width, "rows": rows, "is_proven": read.is_proven, "facts": read.facts, "ends_midway": ends_midway(data.part(0, span[1]) if span else data, read.written.encoding)}]
    found = []
    for sheet in _sheets(data, limits, kind, file, encoding, beside):
        widths, rows = [0], []
        for piece in sheet.pieces:
            widths.append(piece.width - 1)
            rows.append(_kept(piece, blobs, limits, file))
        found.append({"height": sum(rows), "width": max(widths), "rows": rows, "is_proven": True, "facts": sheet.facts})
    return found


def _sheets(data: Source, limits: Limits, kind: str, file: str, encoding: str = "", beside: int = -1) -> Iterator[Sheet]:
    """The sheets of a workbook; the lists of a calendar; the one of cards."""
    if kind == Kind.WORKBOOK:
        yield from sheets_of(data, file, named(limits))
        return
    if kind == Kind.DBASE:
        memos = data.part(beside, len(data)) if beside >= 0 else None
        table = Dbase(data.part(0, beside) if memos else data, file, encoding, memos, limits["field_bytes"])
        facts: dict[str, Any] = {"encoding": table.written.encoding, "notes": {}, "undecided": table.written.could_be}
        yield Sheet("", facts, _told(table, facts))
        return
    if kind == Kind.MAILBOX:
        from caseferry.reading import mails  # most readers meet no mail, and its library takes long to load

        yield Sheet("", {"encoding": "utf-8", "notes": {}}, mails.pieces(mails.mailbox(data, file)))
        return
    written = Written(encoding) if encoding else tell(data)
    text = text_of(data, written)
    for number, grid in enumerate(read_calendar(text) if kind == Kind.CALENDAR else [read_cards(text)]):
        of_the_file = {"repaired_bytes": written.repaired, "encoding_assumed": int(written.assumed)} if not number else {}
        notes = {**grid.notes, **of_the_file}
        told = {"encoding": written.encoding, "notes": {name: count for name, count in notes.items() if count}, "undecided": written.could_be, "sheet": grid.sheet}
        yield Sheet(grid.sheet, told, iter([grid.cells]))


def _told(table: Dbase, facts: dict[str, Any]) -> Iterator[pl.DataFrame]:
    yield from table.pieces()
    facts["notes"] = table.notes


def letters(data: Source, limits: Limits, blobs: Blobs, file: str, spans: Sequence[Sequence[Any]]) -> Any:
    """Messages that lie one behind the other, as one list without a header: how many rows each piece has."""
    from caseferry.reading import mails

    rows = 0
    for number, piece in enumerate(mails.pieces(mails.messages(data, spans))):
        rows += _kept(piece.slice(1) if not number else piece, blobs, limits, file)
    return rows


def _kept(cells: pl.DataFrame, blobs: Blobs, limits: Limits, file: str) -> int:
    """Write a piece of a list; how many rows it has."""
    if cells.width - 1 > limits["columns"]:
        raise ExportRefused("CF-130", file, f"more than {limits['columns']} columns")
    blobs.table(cells)
    return cells.height


def heights(data: Source, limits: Limits, blobs: Blobs, file: str) -> Any:
    """How many rows each sheet of a workbook has."""
    return {sheet.name: sum(piece.height for piece in sheet.pieces) for sheet in sheets_of(data, file, named(limits))}


def heading_row(data: Source, limits: Limits, blobs: Blobs) -> Any:
    """The first row of a delimited file: a template's headings."""
    for cells in Delimited(data).pieces():
        return [cell or "" for cell in cells.row(0)[1:]]
    return []


def mapping(data: Source, limits: Limits, blobs: Blobs) -> Any:
    """A JSON mapping: choices as the firm wrote them.

    Raises:
        ExportRefused: CF-124, it is no JSON, no mapping, or nested past the limit.
    """
    try:
        value = json.loads(data.whole(), parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half a character can be written in JSON and nowhere else
    except (ValueError, RecursionError):
        raise ExportRefused("CF-124", "", "it is not JSON") from None
    if not isinstance(value, dict):
        raise ExportRefused("CF-124", "", "it is not a mapping of choices")
    if _depth(value) > limits["json_depth"]:
        raise ExportRefused("CF-124", "", "it is nested too deep")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _depth(value: Any) -> int:
    """How deep the mappings and lists lie in each other."""
    depth, level = 0, [value]
    while level:
        depth += 1
        inside = (one for holder in level for one in (holder.values() if isinstance(holder, dict) else holder))
        level = [one for one in inside if isinstance(one, dict | list)]
    return depth
