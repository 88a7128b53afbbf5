"""CSV, TSV and their relatives: every character lands in a cell.

The text is read piece by piece, so that one of any length takes the memory of a few. A piece ends at a line end before
which no cell is open. Where every mark stands where it must, there is one way to read it, and
Polars' parser reads it (`caseferry.reading.quick`). Else one regular expression cuts the piece into fields: a quotation
mark that nobody closes stays a character of its own cell, so it can't swallow the rows after it. Both give the same cells
wherever both may be used; a test holds them against each other.
"""

import codecs
import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from caseferry.errors import BrokenPromise
from caseferry.reading.encoding import Written, tell, utf8
from caseferry.reading.grid import Grid, from_columns, from_lists, numbered
from caseferry.reading.quick import quickly
from caseferry.reading.source import PIECE, Source

DELIMITERS = (",", ";", "\t", "|")
_SHOWN = 20
_HEAD, _MARK = 1 << 19, 3
"""Bytes that tell the delimiter, and of the mark before them."""
_WIDE = 1 << 16
"""Bytes that tell how wide a row is, unless a later one is wider."""
_PIECE = 8 << 20
_TRIES = 1_000
_FARTHEST = 64 << 20
"""Bytes in which a quotation mark must find its fellow, where a piece ends before it does."""


@dataclass(frozen=True)
class Shape:
    """How a file is cut into cells, and where its first row begins."""

    delimiter: str
    widest: int
    start: int = 0


class Delimited:
    """One delimited file, read from its beginning to its end, once.

    Args:
        encoding: what a person said it is written in; else it is told by its bytes.
        field_bytes: a longer cell is named by row and column.
        piece: bytes of a grid; never less than a row.
        shape: where it is known: these are rows from the middle of a file, and proven UTF-8.
        may_break_off: as `caseferry.reading.encoding.utf8` has it.
    """

    def __init__(self, source: Source, encoding: str = "", field_bytes: int = 1 << 20, piece: int = _PIECE, shape: Shape | None = None, may_break_off: bool = False) -> None:
        self._source, self._field_bytes, self._piece, self._shape, self._may_break_off = source, field_bytes, piece, shape, may_break_off
        self.written = Written("utf-8", is_proven=True) if shape else Written(encoding) if encoding else tell(source)
        self.height = self.width = 0
        self._replaced = 0
        self._odd: dict[str, list[list[int]]] = {}
        self.is_proven = True
        """No piece took a closer look."""

    def pieces(self) -> Iterator[pl.DataFrame]:
        """The cells, some rows at a time, as `caseferry.reading.grid` has them; a later piece may be wider.

        Raises:
            UnicodeDecodeError: the encoding its mark promises is not what it holds.
        """
        text = self._counted(utf8(self._source, self.written, min(PIECE, self._piece), self._may_break_off))
        head, text = _ahead(text, 0 if self._shape else _HEAD)
        shape = self._shape or shape_of(head[:_HEAD])
        delimiter, widest = shape.delimiter, shape.widest
        for data, is_certain in (cut := _Rows(text, self._piece, delimiter.encode(), shape.start)):
            cells = quickly(data, delimiter, widest, self._field_bytes)
            if cells is None and not is_certain:
                cut.refuse()
                continue
            grid = from_columns(cells, data.isascii()) if cells is not None else self._close(data.decode(), delimiter)
            widest, self.width = max(widest, grid.width), max(self.width, grid.width)
            yield numbered(grid.cells, self.height)
            self.height += grid.cells.height

    def _close(self, text: str, delimiter: str) -> Grid:
        self.is_proven = False
        values, odd = cut(text, delimiter, self._field_bytes)
        for name, places in odd.items():
            self._odd.setdefault(name, []).extend([self.height + row, column] for row, column in places)
        return from_lists(values)

    def _counted(self, text: Iterable[bytes]) -> Iterator[bytes]:
        for piece in text:
            self._replaced += 0 if piece.isascii() else piece.count(_LOST)
            yield piece

    @property
    def facts(self) -> dict[str, object]:
        """What is known of the list when all of it was read, by the names of `Grid`."""
        notes = {name: len(places) for name, places in self._odd.items()}
        written = self.written
        notes |= {"repaired_bytes": written.repaired, "encoding_assumed": int(written.assumed), "replaced_characters": self._replaced}
        places = {name: found[:_SHOWN] if name == "broken_quoting" else found for name, found in self._odd.items() if found}
        return {"notes": {k: v for k, v in notes.items() if v}, "encoding": written.encoding, "places": places, "undecided": written.could_be}


def shape_of(head: bytes) -> Shape:
    """Told by the first bytes of a file's text, behind its mark."""
    known = head.decode(errors="ignore")
    delimiter, rest = sniff(known)
    return Shape(delimiter, _widest(rest, delimiter), len(known.encode()) - len(rest.encode()))


def ranges(source: Source, size: int) -> list[dict[str, Any]] | None:
    """A long file as ranges of about so many bytes that can be read side by side, as `Cuts` tells of them; None if it is
    written so that it can't.
    """
    said: list[dict[str, Any]] = []
    cuts = Cuts(size, said.append)
    for piece in source.pieces(size=min(PIECE, size)):
        cuts.see(piece)
    cuts.end()
    return said[:-1] if said[-1] else None


class Cuts:
    """Where a long file can be cut, told while it comes: range by range, each as soon as all of it is there.

    Each ends at a line end that has an even number of quotation marks before it. That is a row's end if all that comes
    before is read in one way only, which whoever reads it finds out.

    Args:
        size: about as many bytes as a range shall have.
        say: takes how the file is written, `{"encoding", "shape"}`; then each `{"span"}`; and `{"end"}` behind the last. `{}`
            says that it has to be read otherwise, whatever was said before.
    """

    def __init__(self, size: int, say: Callable[[dict[str, Any]], None]) -> None:
        self._size, self._say = size, say
        self._head, self._is_begun, self._is_off = b"", False, False
        self._decoder, self._is_ascii = codecs.getincrementaldecoder("utf-8")(), True
        self._first = self._at = self._marks = 0

    def see(self, piece: bytes) -> None:
        """The bytes that follow."""
        if self._is_off:
            return
        if self._is_begun:
            self._go_on(piece)
            return
        self._head += piece
        if len(self._head) >= _HEAD + _MARK:
            self._begin()

    def end(self) -> None:
        """No more comes."""
        if not self._is_begun and not self._is_off:
            self._begin()
        if not self._is_off and self._is_text(b"", is_last=True):
            if self._first < self._at:
                self._say({"span": [self._first, self._at]})
            self._say({"end": True})

    def _begin(self) -> None:
        head, self._head, self._is_begun = self._head, b"", True
        written = tell(Source.of(head[: head.rfind(b"\n") + 1]))  # what stands behind may end within a character
        if not written.is_proven:
            self._give_up()
            return
        shape = shape_of(head[written.mark : written.mark + _HEAD])
        self._say({"encoding": written.encoding, "shape": [shape.delimiter, shape.widest]})
        self._first = self._at = written.mark + shape.start
        for at in range(self._first, len(head), self._size):
            self._go_on(head[at : at + self._size])

    def _go_on(self, piece: bytes) -> None:
        if self._is_off or not self._is_text(piece):
            return
        self._marks += piece.count(b'"')
        end = _even_line_end(piece, self._marks) if self._at + len(piece) - self._first >= self._size else 0
        if end:
            self._say({"span": [self._first, self._at + end]})
            self._first = self._at + end
        self._at += len(piece)

    def _is_text(self, piece: bytes, *, is_last: bool = False) -> bool:
        """True if all that came is UTF-8 so far."""
        self._is_ascii = self._is_ascii and piece.isascii()
        try:
            if not self._is_ascii:
                self._decoder.decode(piece, is_last)
            return True
        except UnicodeDecodeError:
            self._give_up()
            return False

    def _give_up(self) -> None:
        self._is_off = True
        self._say({})


def _even_line_end(piece: bytes, marks: int) -> int:
    """Behind the last line end with an even number of quotation marks before it; 0 if there is none.

    Args:
        marks: up to the end of the piece, from the text's beginning.
    """
    end = len(piece)
    while (line := piece.rfind(b"\n", 0, end)) >= 0:
        marks -= piece.count(b'"', line, end)
        if marks % 2 == 0:
            return line + 1
        end = line
    return 0


_LOST = "\ufffd".encode()


def _ahead(text: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, at least so many if there are, and all of them again."""
    held = b""
    for piece in text:
        held += piece
        if len(held) >= size:
            break

    def again() -> Iterator[bytes]:
        yield held
        yield from text

    return held, again()


def _widest(text: str, delimiter: str) -> int:
    head = text.encode()[:_WIDE].decode(errors="ignore").splitlines()
    return max((len(row) for row in csv.reader(head, delimiter=delimiter)), default=0)


class _Rows:
    """UTF-8 text in pieces of about so many bytes, each ending where a row does, and whether that is certain: where it
    is not, it is so if every quotation mark of the piece stands where it must.

    Args:
        start: bytes to leave out at the beginning.
    """

    def __init__(self, text: Iterator[bytes], size: int, delimiter: bytes, start: int) -> None:
        self._text, self._size, self._delimiter = text, size, delimiter
        self._held, self._behind, self._wanted = next(text, b"")[start:], b"", size
        """What was read, and what of it stands behind the last line end that may be wanted: a piece mostly ends there, and need
        not be copied once more."""
        self._end = 0
        self._only_certain = False

    def __iter__(self) -> Iterator[tuple[bytes, bool]]:
        while True:
            self._fill()
            if not self._held:
                return
            is_last = len(self._held) + len(self._behind) <= self._wanted
            end, is_certain = (len(self._held), True) if is_last else self._row_end()
            if not end:
                self._wanted *= 2
                continue
            self._end = end
            yield self._held[:end], is_certain
            if self._end:
                self._held, self._behind, self._wanted, self._only_certain = self._held[end:] + self._behind, b"", self._size, False

    def refuse(self) -> None:
        """The piece last given was no piece: a longer one or a shorter follows, that certainly is."""
        self._end, self._only_certain = 0, True

    def _fill(self) -> None:
        some = [self._held, self._behind]
        length = len(self._held) + len(self._behind)
        while length <= self._wanted and (more := next(self._text, b"")):
            some.append(more)
            length += len(more)
        last = some.pop()
        end = last.rfind(b"\n", 0, max(0, self._wanted - (length - len(last)))) + 1 if length > self._wanted else 0
        self._held, self._behind = (b"".join([*some, last[:end]]), last[end:]) if end else (b"".join([*some, last]), b"")

    def _row_end(self) -> tuple[int, bool]:
        """Behind the last line end of these bytes that ends a row, 0 if none does; and whether it certainly does."""
        data, end, last = self._held, self._wanted, self._wanted
        marks = 0 if self._only_certain else data.count(b'"', 0, end)
        for _ in range(_TRIES):
            before = end
            end = data.rfind(b"\n", 0, end)
            if end < 0:
                break
            if last >= end:
                last = _last_lone_mark(data, end)
            # A cell that opens a mark and does not close it here may do so further on.
            opens = last == 0 or data[last - 1 : last] in {b"\n", b"\r"} or data[last - len(self._delimiter) : last] == self._delimiter
            if last < 0 or not opens or self._wanted - last >= _FARTHEST:
                return end + 1, True
            if not self._only_certain:
                marks -= data.count(b'"', end, before)
                if marks % 2 == 0:
                    return end + 1, False
        return 0, False


def _last_lone_mark(data: bytes, end: int) -> int:
    """Where the last row of quotation marks begins that are odd in number; -1 if there is none."""
    last = data.rfind(b'"', 0, end)
    while last >= 0:
        first = last
        while first > 0 and data[first - 1] == 0x22:
            first -= 1
        if (last - first) % 2 == 0:
            return first
        last = data.rfind(b'"', 0, first)
    return -1


def sniff(text: str) -> tuple[str, str]:
    """The delimiter, and the text without the `sep=` line some spreadsheets put first."""
    declared = re.match(r"sep=(.)\r?\n", text)
    if declared:
        return declared.group(1), text[declared.end() :]
    head = re.split(r"\r\n|\n|\r", text[:65536])
    if len(text) > 65536 and len(head) > 1:
        head.pop()  # cut off in the middle, it would tell of a width nobody wrote
    head = head[:80]
    return max(DELIMITERS, key=lambda delimiter: (_quoted(text[:65536], delimiter), _is_between(head, delimiter), *_regularity(head, delimiter))), text


def _quoted(text: str, delimiter: str) -> float:
    """The share of a text, from its beginning, that is rows of cells in quotation marks with this between them and nothing
    else: a cell may hold another delimiter, or line ends, alone."""
    cell, between = r'"[^"]*(?:""[^"]*)*"', re.escape(delimiter)
    rows = re.match(rf"(?:{cell}(?:{between}{cell})*(?:\r\n|\n|\r|\Z))*", text)
    return rows.end() / len(text) if rows and text else 0.0


def _is_between(lines: list[str], delimiter: str) -> bool:
    """True if every line is cells in quotation marks with this between them: then it needs no weighing."""
    return all(line.startswith('"') and f'"{delimiter}"' in line for line in lines if line)


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
