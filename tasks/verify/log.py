"""Every change and finding, written down to the last."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from isal import isal_zlib

from caseferry.noted import SAID, Noted
from caseferry.onward import write_csv
from caseferry.reading.grid import ROW
from caseferry.services.scratch import Scratch
from caseferry.services.store import pieces_of
from tasks.verify.evidence import Batch, Evidence


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _cell(text: pl.Expr) -> pl.Expr:
    """As a cell of the log: in quotation marks, or nothing at all."""
    return pl.when(text.is_not_null()).then(pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"'))).otherwise(pl.lit(""))


def write_log(some: Noted, where: Sequence[str], columns: Sequence[str], take: Callable[[bytes], object]) -> None:
    """Write lines of a log, a machine file: no byte of a value altered. What is said often is written once, and taken from there.

    Args:
        where: what stands at the head of each line, before the row.
        columns: of the wordings, behind it.
        take: called with the lines, some at a time.
    """
    tails = some.words.select(pl.concat_str(*(_cell(pl.col(name)) for name in columns), separator=",")).to_series()
    head = pl.lit(",".join(_quoted(text) for text in where)).alias("where")
    lines = some.rows.select(head, ROW, tails.gather(some.rows[SAID]).alias("tail"))
    write_csv(lines, take, quote_style="never", line_terminator="\r\n")


class _Pressed:
    """A stretch of a compressed file, as it grows on disk. Stretches may stand one behind the other, in whichever order they grew.

    Args:
        path: an empty file of ours.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.size, self.crc32 = path, 0, 0
        self._press, self._held = isal_zlib.compressobj(1, wbits=-15), b""

    def add(self, data: bytes) -> None:
        """However it is cut, equal text is compressed to equal bytes."""
        self.size, self.crc32 = self.size + len(data), isal_zlib.crc32(data, self.crc32)
        data = self._held + data
        whole = len(data) // _PIECE * _PIECE
        self._append(b"".join(self._press.compress(data[start : start + _PIECE]) for start in range(0, whole, _PIECE)))
        self._held = data[whole:]

    def end(self) -> None:
        """Nothing is added from now on, and another may follow: it ends with a byte, and not the whole."""
        self._append(self._press.compress(self._held) + self._press.flush(isal_zlib.Z_FULL_FLUSH))

    def _append(self, data: bytes) -> None:
        with self.path.open("ab") as out:
            out.write(data)


_PIECE = 1 << 17
"""Bytes that are compressed at a time."""
_BEGIN = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""Of a gzip file: deflated, without a name or a moment, quickly, by whatever system."""
_END = b"\x03\x00"
"""Of what is deflated."""


class Log:
    """The log of all changes, or of all findings, as it grows on disk.

    Args:
        kind: `changes` or `findings`.
        columns: what it shows of a note, behind file, sheet and row.
        scratch: where it grows.
    """

    def __init__(self, evidence: Evidence, kind: str, columns: tuple[str, ...], scratch: Scratch) -> None:
        self.kind, self._columns, self._scratch = kind, columns, scratch
        self._where = {table.id: (table.file, table.sheet) for table in evidence.split.tables}
        self._logs: dict[str, _Pressed] = {}

    def see(self, batch: Batch) -> None:
        for table, some in batch.notes(self.kind).items():
            if some.height:
                log = self._logs.get(table) or self._logs.setdefault(table, _Pressed(self._scratch.file()))
                write_log(some, self._where.get(table, ("", "")), self._columns, log.add)

    def packed(self, grown: Callable[[Path], object] = lambda _: None) -> Path:
        """The whole log: file, sheet, row and what there is to say, by table. Compressed, as it says little in many words.

        Args:
            grown: is shown the file now and then, while it grows.
        """
        path, head = self._scratch.file(), io.BytesIO()
        pl.DataFrame(schema=dict.fromkeys(("file", "sheet", "row", *self._columns), pl.String)).write_csv(head, quote_style="non_numeric", line_terminator="\r\n")
        top = _Pressed(self._scratch.file())
        top.add(b"\xef\xbb\xbf" + head.getvalue())
        size = crc32 = 0
        with path.open("wb") as out:
            out.write(_BEGIN)
            for log in (top, *(log for _, log in sorted(self._logs.items()))):
                log.end()
                for piece in pieces_of(log.path):
                    out.write(piece)
                    grown(path)
                size, crc32 = size + log.size, isal_zlib.crc32_combine(crc32, log.crc32, log.size)
            out.write(_END + crc32.to_bytes(4, "little") + (size % (1 << 32)).to_bytes(4, "little"))
        return path
