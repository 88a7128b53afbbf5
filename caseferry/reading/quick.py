"""The quick way through delimited text: for what can be read in one way only.

Text that comes out again to the byte when its cells are written, in quotation marks where they must be, can be read in no
other way. Where a file has more marks than that, length is the proof: cells, delimiters, line ends and quotation marks
together are the bytes of the text. Whatever can't be proven so takes a closer look.
"""

import io
from contextlib import suppress

import polars as pl

from caseferry.onward import write_csv

_SPARE = (0, 8, 64)
"""Columns a row may have beyond those that the first rows show."""


def quickly(data: bytes, delimiter: str, widest: int, field_bytes: int = 1 << 20) -> pl.DataFrame | None:
    """The cells in columns `c0`, `c1`, …; None where the text takes a closer look.

    Args:
        data: UTF-8, from the beginning of a row to the end of one.
        widest: columns of the widest row that is known.
    """
    if len(delimiter.encode()) != 1 or data.isspace() or b"\x00" in data:
        return None
    for spare in _SPARE:
        try:
            cells = _parsed(data, [f"c{place}" for place in range(widest + spare)], delimiter)
        except pl.exceptions.PolarsError:  # a row is wider than the head of the file showed, or a mark is never closed
            continue
        if _longest(cells, field_bytes) > field_bytes or not (_comes_out_again(cells, data, delimiter) or _adds_up(cells, data, delimiter)):
            return None
        while cells.width > widest and cells[:, -1].is_null().all():
            cells = cells[:, :-1]
        return cells
    return None


def _longest(cells: pl.DataFrame, least: int) -> int:
    """Bytes of the longest cell, looked for where it may have so many: only in columns whose text is as long as that."""
    long = [name for name in cells.columns if cells[name].estimated_size() > least]
    return (cells.select(pl.col(long).str.len_bytes().max()).max_horizontal()[0] or 0) if long else 0


def _parsed(data: bytes, columns: list[str], delimiter: str) -> pl.DataFrame:
    """The cells as Polars parses them, in so many columns, whether a row has them all or not."""
    if data[:1] not in _MARKS:
        with suppress(pl.exceptions.SchemaError):  # the first row has fewer
            return pl.read_csv(data, has_header=False, schema=dict.fromkeys(columns, pl.String), separator=delimiter)
    return pl.read_csv(io.BytesIO(delimiter.join(columns).encode() + b"\n" + data), separator=delimiter, infer_schema=False)


_MARKS = {b"x", b"\x1f", b"(", b"\xef"}
"""How data begins that Polars may take for deflated, for gzip or zstandard, or whose mark of UTF-8 it takes away. With a header in
front it is text like any other; so is a row that is shorter than those behind it."""


def _comes_out_again(cells: pl.DataFrame, data: bytes, delimiter: str) -> bool:
    """True if the cells, written as plainly as they may be, are the text, but perhaps for its last line end."""
    ends = b"\n" if data.endswith(b"\n") and not data.endswith(b"\r\n") or b"\r\n" not in data else b"\r\n"
    again = _Again(data, b"" if data.endswith(b"\n") else ends)
    write_csv(cells, again.see, separator=delimiter, line_terminator=ends.decode(), quote_style="necessary")
    return again.is_all


class _Again:
    """Whether what comes, some of it at a time, is a text and what stands behind it."""

    def __init__(self, data: bytes, behind: bytes) -> None:
        self._data, self._behind, self._at, self._is_same = data, behind, 0, True

    def see(self, some: bytes) -> None:
        left = max(0, len(self._data) - self._at)
        is_text = self._data.startswith(some[:left], min(self._at, len(self._data)))
        self._is_same = self._is_same and is_text and self._behind.startswith(some[left:], max(0, self._at - len(self._data)))
        self._at += len(some)

    @property
    def is_all(self) -> bool:
        return self._is_same and self._at == len(self._data) + len(self._behind)


def _outside_quotes(text: str, delimiter: str) -> pl.Series | None:
    """The pieces of the text outside its quoted cells; None unless each quotation mark opens a cell, closes one, or is
    one of two within.
    """
    whole = pl.Series([text])
    if '"' not in text:
        return whole
    pieces = whole.str.split('"').explode()
    if pieces.len() % 2 == 0:
        return None
    outside, ends = pieces.gather_every(2), [delimiter, "\n", "\r", ""]
    fits = outside.slice(1).str.head(1).is_in(ends).all() and outside.head(outside.len() - 1).str.tail(1).is_in(ends).all()
    return outside if fits else None


def _adds_up(cells: pl.DataFrame, data: bytes, delimiter: str) -> bool:
    """True if each quotation mark stands where it must, and cells, delimiters, line ends and marks together are the text."""
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return False
    outside = _outside_quotes(data.decode(), delimiter)
    if outside is None:
        return False
    sums = cells.select(pl.all().str.len_bytes().sum()).sum_horizontal()[0]
    quotes = data.count(b'"')
    if quotes:
        within = cells.select(pl.all().str.count_matches('"', literal=True).sum()).sum_horizontal()[0]
        between = sum(int(outside.str.count_matches(mark, literal=True).sum()) for mark in (delimiter, "\n", "\r"))
    else:
        within, between = 0, data.count(delimiter.encode()) + data.count(b"\n") + data.count(b"\r")
    return bool(sums + quotes - within + between == len(data))
