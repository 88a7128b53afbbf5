"""CSV, TSV and their relatives: every character lands in a cell.

Where every quotation mark stands where it must, there is one way to read the text, and Polars' parser reads it
(`caseferry.reading.quick`). Else one regular expression cuts it into fields: a quotation mark that nobody closes stays a
character of its own cell, so it can't swallow the rows after it. Both give the same cells wherever both may be used; a
test holds them against each other.
"""

import codecs
import csv
import math
import re
from typing import Any

import polars as pl

from caseferry.errors import BrokenPromise
from caseferry.reading.encoding import Decoded, decode, proven_utf8
from caseferry.reading.grid import Grid, from_columns, from_lists
from caseferry.reading.quick import quickly

DELIMITERS = (",", ";", "\t", "|")
_SHOWN = 20
_HEAD = 1 << 19
"""Bytes that tell the delimiter."""


def read_delimited(data: bytes, encoding: str = "", field_bytes: int = 1 << 20) -> Grid:
    """Read one delimited file.

    Args:
        encoding: what a person said it is written in; else it is told by its bytes.
        field_bytes: a longer cell is named by row and column.

    Raises:
        UnicodeDecodeError: the encoding its mark promises is not what it holds.
    """
    plain = "" if encoding else proven_utf8(data)
    if plain:
        cells, facts = _quick(data.removeprefix(codecs.BOM_UTF8), field_bytes), {"encoding": plain}
        if cells is not None:
            lost = data.count("\ufffd".encode())
            return from_columns(cells, **facts, notes={"replaced_characters": lost} if lost else {})
    decoded = Decoded(data.decode(encoding), encoding) if encoding else decode(data)
    delimiter, text = sniff(decoded.text)
    cells = None if plain else quickly(text.encode(), delimiter, field_bytes)
    values, odd = (pl.Series(), {}) if cells is not None else cut(text, delimiter, field_bytes)
    notes = {name: len(places) for name, places in odd.items()}
    notes |= {"repaired_bytes": decoded.repaired, "encoding_assumed": int(decoded.assumed), "replaced_characters": text.count("\ufffd")}
    places = {name: found[:_SHOWN] if name == "broken_quoting" else found for name, found in odd.items() if found}
    told: dict[str, Any] = {"notes": {k: v for k, v in notes.items() if v}, "encoding": decoded.encoding, "places": places, "undecided": decoded.could_be}
    return from_columns(cells, **told) if cells is not None else from_lists(values, **told)


def _quick(data: bytes, field_bytes: int) -> pl.DataFrame | None:
    """The cells of UTF-8 text without a mark, where they can be read in one way only."""
    head = data[:_HEAD].decode(errors="ignore")
    delimiter, rest = sniff(head)
    return quickly(data[len(head.encode()) - len(rest.encode()) :], delimiter, field_bytes)


def sniff(text: str) -> tuple[str, str]:
    """The delimiter, and the text without the `sep=` line some spreadsheets put first."""
    declared = re.match(r"sep=(.)\r?\n", text)
    if declared:
        return declared.group(1), text[declared.end() :]
    head = re.split(r"\r\n|\n|\r", text[:65536])
    if len(text) > 65536 and len(head) > 1:
        head.pop()  # cut off in the middle, it would tell of a width nobody wrote
    head = head[:80]
    return max(DELIMITERS, key=lambda delimiter: _regularity(head, delimiter)), text


def _regularity(lines: list[str], delimiter: str) -> tuple[bool, float, int]:
    """How well the delimiter explains the lines: whether two agree, the share that has the commonest width, the width.

    Agreement counts for more than width, else one line full of semicolons outweighs every other.
    """
    widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    several = [width for width in widths if width > 1]
    if not several:
        return (False, 0.0, 0)
    common = max(set(several), key=several.count)
    agree = several.count(common)
    return (agree > 1, (agree / len(widths)) ** 2 * math.log2(common), common)


def cut(text: str, delimiter: str, field_bytes: int = 1 << 20) -> tuple[pl.Series, dict[str, list[list[int]]]]:
    """The cells of each row as a list column, and the row and column of each that opens a quotation mark and never
    closes it, or is longer than a cell may be.
    """
    d = re.escape(delimiter) if delimiter != "\t" else r"\t"
    # A field is well quoted, or plain, or opens a quote that does not close before a field ends; then its terminator.
    field = rf'(?:"(?:[^"]|"")*"|[^"{d}\r\n][^{d}\r\n]*|"[^{d}\r\n]*|)(?:{d}|\r\n|\n|\r|$)'
    tokens = pl.Series("t", [text]).str.extract_all(field).explode().drop_nulls().to_frame()
    if tokens["t"].str.len_bytes().sum() != len(text.encode()):
        raise BrokenPromise("the cells of a delimited file do not add up to its text")
    bare = pl.col("t").str.strip_suffix(delimiter)
    newline = pl.col("t").str.contains(r"[\r\n]$")
    tokens = tokens.with_columns(newline=newline, t=pl.when(newline).then(pl.col("t")).otherwise(bare))
    tokens = tokens.with_columns(
        row=pl.col("newline").cast(pl.UInt32).shift(1, fill_value=0).cum_sum(),
        t=pl.when(pl.col("newline")).then(pl.col("t").str.replace(r"(?:\r\n|\n|\r)$", "")).otherwise(pl.col("t")),
    )
    quoted = pl.col("t").str.contains(r'^"(?:[^"]|"")*"$')
    inner = pl.col("t").str.slice(1, pl.col("t").str.len_chars() - 2).str.replace_all('""', '"', literal=True)
    open_quotes = _places(tokens, pl.col("t").str.starts_with('"') & ~quoted)
    tokens = tokens.select("row", t=pl.when(quoted).then(inner).otherwise(pl.col("t")))
    odd = {"broken_quoting": open_quotes, "field_too_long": _places(tokens, pl.col("t").str.len_bytes() > field_bytes)}
    return tokens.group_by("row", maintain_order=True).agg("t")["t"], odd


def _places(tokens: pl.DataFrame, which: pl.Expr) -> list[list[int]]:
    """Row and column, from one, of the cells where `which` holds."""
    found = tokens.select("row", is_odd=which).with_row_index("n")
    first = found.group_by("row", maintain_order=True).agg(pl.col("n").min().alias("first"))
    odd = found.filter("is_odd").join(first, on="row", how="left", maintain_order="left")
    return [[row + 1, n - start + 1] for n, row, start in odd.select("n", "row", "first").iter_rows()]
