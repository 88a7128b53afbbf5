"""The quick way through delimited text: for what can be read in one way only.

Length is the proof: cells, delimiters, line ends and quotation marks together are the bytes of the text. Whatever can't
be proven so takes a closer look.
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
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    outside = _outside_quotes(data.decode(), delimiter)
    if outside is None:
        return None
    for spare in _SPARE:
        head = delimiter.join(f"c{place}" for place in range(widest + spare)).encode() + b"\n"
        try:
            cells = pl.read_csv(io.BytesIO(head + data), separator=delimiter, infer_schema=False)
        except pl.exceptions.ComputeError:  # a row is wider than the head of the file showed
            continue
        if not _adds_up(cells, data, outside, delimiter, field_bytes):
            return None
        while cells.width > widest and cells[:, -1].is_null().all():
            cells = cells[:, :-1]
        return cells
    return None


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


def _adds_up(cells: pl.DataFrame, data: bytes, outside: pl.Series, delimiter: str, field_bytes: int) -> bool:
    """True if cells, delimiters, line ends and quotation marks together are the text, and no cell is too long."""
    sums = cells.select(pl.all().str.len_bytes().sum()).sum_horizontal()[0]
    longest = cells.select(pl.all().str.len_bytes().max()).max_horizontal()[0] or 0
    quotes = data.count(b'"')
    if quotes:
        within = cells.select(pl.all().str.count_matches('"', literal=True).sum()).sum_horizontal()[0]
        between = sum(int(outside.str.count_matches(mark, literal=True).sum()) for mark in (delimiter, "\n", "\r"))
    else:
        within, between = 0, data.count(delimiter.encode()) + data.count(b"\n") + data.count(b"\r")
    return bool(sums + quotes - within + between == len(data)) and int(longest) <= field_bytes
