"""The quick way through delimited text: for what can be read in one way only.

Text that comes out again to the byte when its cells are written, in quotation marks where they must be, can be read in no
other way. Where a file has more marks than that, length is the proof: cells, delimiters, line ends and quotation marks
together are the bytes of the text. Whatever can't be proven so takes a closer look.
"""

import io

import polars as pl

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
        head = delimiter.join(f"c{place}" for place in range(widest + spare)).encode() + b"\n"
        try:
            cells = pl.read_csv(io.BytesIO(head + data), separator=delimiter, infer_schema=False)
        except pl.exceptions.PolarsError:  # a row is wider than the head of the file showed, or a mark is never closed
            continue
        longest = cells.select(pl.all().str.len_bytes().max()).max_horizontal()[0] or 0
        if longest > field_bytes or not (_comes_out_again(cells, data, delimiter) or _adds_up(cells, data, delimiter)):
            return None
        while cells.width > widest and cells[:, -1].is_null().all():
            cells = cells[:, :-1]
        return cells
    return None


def _comes_out_again(cells: pl.DataFrame, data: bytes, delimiter: str) -> bool:
    """True if the cells, written as plainly as they may be, are the text, but perhaps for its last line end."""
    ends = b"\n" if data.endswith(b"\n") and not data.endswith(b"\r\n") or b"\r\n" not in data else b"\r\n"
    written = io.BytesIO()
    cells.write_csv(written, include_header=False, separator=delimiter, line_terminator=ends.decode(), quote_style="necessary")
    made = written.getvalue()
    return made == data or (not data.endswith(b"\n") and made[: -len(ends)] == data)


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
