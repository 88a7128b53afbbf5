"""dBase tables (`.dbf`) as lists: fields of fixed width, one record behind the other.

Deleted records are counted and not read, as every dBase program does. Memo fields lie in a second file, which is read where it came
along; pictures and objects, and memos without their file, are counted. Source: the dBASE III and IV table file formats.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl

from caseferry.errors import ExportRefused
from caseferry.reading.encoding import Written, tell
from caseferry.reading.grid import ROW
from caseferry.reading.memos import Memos
from caseferry.reading.source import Source

_HEADER, _FIELD = 32, 32
_PIECE = 50_000
_CODE_PAGES = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x57: "cp1252", 0x58: "cp1252", 0x59: "cp1252", 0x26: "cp866", 0x64: "cp852", 0x65: "cp866",
    0x4D: "cp936", 0x4E: "cp949", 0x4F: "cp950", 0x7B: "cp932", 0x7A: "cp936", 0xC8: "cp1250", 0xC9: "cp1251", 0xCA: "cp1254", 0xCB: "cp1253",
}  # fmt: skip
"""Language drivers that say what the text is written in."""
_MEMO = frozenset("MGP")
_HIDDEN = "0"
"""FoxPro's own column, of what is null."""
_BINARY = {"I": 4, "Y": 8, "B": 8, "T": 8}
_LIVE = 0x20
"""What stands before a record that is not deleted."""
_ONE_BYTE = frozenset({"cp437", "cp850", "cp852", "cp866", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "latin-1", "mac_roman", "ascii"})
_JULIAN = 1_721_425
"""The day before the first of the year 1, counted as astronomers do."""


@dataclass(frozen=True)
class _Column:
    name: str
    kind: str
    start: int
    width: int
    decimals: int


class Dbase:
    """A table, told by its header; its records in pieces."""

    def __init__(self, data: Source, file: str, encoding: str = "", memos: Source | None = None, longest: int = 1 << 20) -> None:
        head = data[:_HEADER]
        self._memos = Memos(memos, head[0], longest) if memos else None
        self._data, self._file = data, file
        self._count = int.from_bytes(head[4:8], "little")
        self._begin, self._width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
        if self._width < 1 or self._begin < _HEADER:
            raise ExportRefused("CF-123", file, "its header is no dBase header")
        self.columns = self._laid_out(data[_HEADER : self._begin])
        room = max(0, len(data) - self._begin) // self._width
        self.lost, self.beyond = max(0, self._count - room), max(0, room - self._count)
        self._count = room  # what is there counts, not what the header says of it
        named = encoding or _CODE_PAGES.get(head[29], "")
        self.written = Written(named) if named else tell(data.part(self._begin, min(len(data), self._begin + self._width * 20_000)))
        self.deleted = self.unread = self.replaced = 0

    def _laid_out(self, head: bytes) -> list[_Column]:
        """The fields. Some programs keep the rest of a long text's width where others keep decimals: what fills the record is right."""
        for is_long in (False, True):
            columns = list(self._columns(head, is_long))
            if columns and columns[-1].start + columns[-1].width == self._width:
                return [column for column in columns if column.kind != _HIDDEN]
        columns = list(self._columns(head, is_long=False))
        if not columns or columns[-1].start + columns[-1].width > self._width:
            raise ExportRefused("CF-123", self._file, "its fields are not those of its records")
        return [column for column in columns if column.kind != _HIDDEN]

    def _columns(self, head: bytes, is_long: bool) -> Iterator[_Column]:
        at = 1
        for place in range(0, len(head) - _FIELD + 1, _FIELD):
            one = head[place : place + _FIELD]
            if one[:1] in {b"\r", b""}:
                return
            name = one[:11].split(b"\x00")[0].decode("ascii", "replace").strip()
            kind, width, decimals = chr(one[11]), one[16], one[17]
            if kind == "C" and is_long:
                width, decimals = width + 256 * decimals, 0
            if _BINARY.get(kind, width) != width:
                kind = "C" if kind != "B" else "P"  # of dBase V: the number of a block of the memo file that holds no text
            yield _Column(name, _HIDDEN if kind == "0" and one[18] & 1 else kind, at, width, decimals)
            at += width

    def pieces(self) -> Iterator[pl.DataFrame]:
        """The list, its header first."""
        names = [f"c{n}" for n in range(len(self.columns))]
        yield pl.DataFrame([[column.name for column in self.columns]], schema=names, orient="row").with_row_index(ROW, offset=1)
        first = 2
        for start in range(0, self._count, _PIECE):
            count = min(_PIECE, self._count - start)
            data = self._data[self._begin + start * self._width : self._begin + (start + count) * self._width]
            flags = data[:: self._width]
            living = [at * self._width for at, flag in enumerate(flags) if flag == _LIVE]
            self.deleted += flags.count(b"*")
            cells = self._texts(data, living)
            cells = cells.with_columns(pl.when(pl.all() == "").then(None).otherwise(pl.all()).name.keep())
            cells = cells.with_columns(self._memo(name, column, data, living) for name, column in zip(names, self.columns, strict=True) if column.kind in _MEMO)
            if cells.height:
                yield cells.with_row_index(ROW, offset=first)
            first += cells.height

    def _memo(self, name: str, column: _Column, data: bytes, living: list[int]) -> pl.Series:
        """The texts of a memo field; nothing for what is no text, or whose file did not come along."""
        named = [data[at + column.start : at + column.start + column.width] for at in living]
        blocks = [int.from_bytes(one, "little") if column.width == 4 else int(one) if one.strip(b" \0").isdigit() else 0 for one in named]
        if self._memos is None or column.kind != "M":
            self.unread += sum(map(bool, blocks))
            return pl.Series(name, [None] * len(blocks), dtype=pl.String)
        texts = [self._memos.text(block).decode(self.written.encoding, "replace") if block else "" for block in blocks]
        self.replaced += sum(text.count("\ufffd") for text in texts)
        cells = pl.Series(name, texts, dtype=pl.String).str.replace_all("\r\n", "\n", literal=True).str.replace_all(r"[\x00-\x08\x0b-\x1f]", "").str.strip_chars()
        return cells.set(cells == "", None)

    def _texts(self, data: bytes, living: list[int]) -> pl.DataFrame:
        """The cells of some records. Where each letter is a byte, columns are cut out of whole records."""
        names = [f"c{n}" for n in range(len(self.columns))]
        encoding = self.written.encoding
        if encoding in _ONE_BYTE:
            text = data.decode(encoding, "replace")
            records = pl.Series("r", [text[at : at + self._width] for at in living], dtype=pl.String)
            cells = records.to_frame().select(self._cell(column, pl.col("r").str.slice(column.start, column.width)).alias(name) for name, column in zip(names, self.columns, strict=True))
        else:
            cut = [pl.Series(name, [data[at + column.start : at + column.start + column.width].decode(encoding, "replace") for at in living], dtype=pl.String)
                   for name, column in zip(names, self.columns, strict=True)]  # fmt: skip
            cells = pl.DataFrame(cut).select(self._cell(column, pl.col(name)).alias(name) for name, column in zip(names, self.columns, strict=True))
        texts = [cells[name] for name, column in zip(names, self.columns, strict=True) if column.kind not in _BINARY and column.kind not in _MEMO]
        self.replaced += sum(int(one.str.count_matches("\ufffd", literal=True).sum()) for one in texts)
        binary = [(name, column) for name, column in zip(names, self.columns, strict=True) if column.kind in _BINARY]
        return cells.with_columns(pl.Series(name, [_figure(column, data[at + column.start : at + column.start + column.width]) for at in living], dtype=pl.String) for name, column in binary)

    @staticmethod
    def _cell(column: _Column, text: pl.Expr) -> pl.Expr:
        text = text.str.replace_all(r"[\x00-\x1f]", "").str.strip_chars()
        if column.kind == "D":  # a day as 20240531; a day of zeros is none
            return pl.when(text.str.contains(r"^\d{8}$") & (text != "00000000")).then(text.str.replace(r"^(\d{4})(\d\d)(\d\d)$", "${1}-${2}-${3}")).otherwise(pl.when(text != "00000000").then(text).otherwise(pl.lit("")))
        if column.kind == "L":
            return text.replace({"T": "True", "t": "True", "Y": "True", "y": "True", "F": "False", "f": "False", "N": "False", "n": "False", "?": ""})
        return text

    @property
    def notes(self) -> dict[str, int]:
        """What is to be said about it, when all of it was read."""
        said = {"records_beyond_count": self.beyond, "replaced_characters": self.replaced, "deleted_records": self.deleted, "memos_not_read": self.unread + (self._memos.pictures if self._memos else 0), "memos_lost": self._memos.lost if self._memos else 0, "records_cut_off": self.lost, "encoding_assumed": int(self.written.assumed)}
        return {name: count for name, count in said.items() if count}


def _figure(column: _Column, data: bytes) -> str:
    """A number, amount or moment that is kept as binary. Source: Visual FoxPro's table structure."""
    if not any(data):
        return "0" if column.kind in "IYB" else ""
    if column.kind == "I":
        return str(int.from_bytes(data, "little", signed=True))
    if column.kind == "Y":
        return str(Decimal(int.from_bytes(data, "little", signed=True)) / 10_000)
    if column.kind == "B":
        return f"{struct.unpack('<d', data)[0]:.15g}"  # the digits it holds for certain; those behind them are how it is kept
    days, milliseconds = struct.unpack("<ii", data)
    try:
        moment = datetime.fromordinal(days - _JULIAN) + timedelta(milliseconds=milliseconds)
        return moment.isoformat(" ", "seconds").removesuffix(" 00:00:00")  # a day that has no time of day
    except (ValueError, OverflowError):
        return ""
