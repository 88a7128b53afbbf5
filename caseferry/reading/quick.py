"""The quick way through delimited text: for what can be read in one way only, and piece by piece, so that a text of any
length takes the memory of one piece at a time.

A piece ends at a line end that has an even number of quotation marks before it. Length is the proof of each: cells,
delimiters, line ends and quotation marks together are its bytes. Whatever can't be proven so takes a closer look.
"""

import csv
import io

import polars as pl

PIECE = 8 << 20
_SPARE = (0, 8, 64)
"""Columns a row may have beyond those that the first rows show."""
_TRIES = 1_000
_HEAD = 1 << 16


def quickly(data: bytes, delimiter: str, field_bytes: int = 1 << 20, piece: int = PIECE) -> pl.DataFrame | None:
    """The cells in columns `c0`, `c1`, …; None where the text takes a closer look.

    Args:
        data: UTF-8.
        piece: bytes read at a time; never less than a row.
    """
    if len(delimiter.encode()) != 1 or not data or data.isspace() or b"\x00" in data:
        return None
    head = data[:_HEAD].decode(errors="ignore").splitlines()
    widest = max(len(row) for row in csv.reader(head, delimiter=delimiter))
    found, at = [], 0
    while at < len(data):
        end = _end(data, at, piece)
        cells = _read(data[at:end], delimiter, widest, field_bytes) if end else None
        if cells is None:
            return None
        found.append(cells)
        at = end
    return found[0] if len(found) == 1 else pl.concat(found, how="diagonal", rechunk=False)


def _end(data: bytes, at: int, piece: int) -> int:
    """Where the piece that begins at `at` ends: behind a line end outside quotation marks. 0 if none is to be found."""
    while at + piece < len(data):
        end = at + piece
        for _ in range(_TRIES):
            end = data.rfind(b"\n", at, end)
            if end < 0:
                break
            if data.count(b'"', at, end) % 2 == 0:
                return end + 1
        piece *= 2
    return len(data)


def _read(data: bytes, delimiter: str, widest: int, field_bytes: int) -> pl.DataFrame | None:
    if data.isspace() or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
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
