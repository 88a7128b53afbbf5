"""Every change and finding, written down to the last."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import polars as pl
from isal import isal_zlib

from caseferry.noted import SAID, Noted
from caseferry.reading.grid import ROW
from caseferry.services.scratch import Scratch
from caseferry.services.store import pieces_of
from tasks.verify.evidence import Batch, Evidence


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _cell(text: pl.Expr) -> pl.Expr:
    """As a cell of the log: in quotation marks, or nothing at all."""
    return pl.when(text.is_not_null()).then(pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"'))).otherwise(pl.lit(""))


def write_log(some: Noted, where: Sequence[str], columns: Sequence[str], out: IO[bytes]) -> None:
    """Lines of a log, a machine file: no byte of a value altered. What is said often is written once, and taken from there.

    Args:
        where: what stands at the head of each line, before the row.
        columns: of the wordings, behind it.
    """
    tails = some.words.select(pl.concat_str(*(_cell(pl.col(name)) for name in columns), separator=",")).to_series()
    head = pl.lit(",".join(_quoted(text) for text in where)).alias("where")
    lines = some.rows.select(head, ROW, tails.gather(some.rows[SAID]).alias("tail"))
    lines.write_csv(out, include_header=False, quote_style="never", line_terminator="\r\n")


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
        self._logs: dict[str, Path] = {}

    def see(self, batch: Batch) -> None:
        for table, some in batch.notes(self.kind).items():
            if some.height:
                self._write(table, some)

    def _write(self, table: str, some: Noted) -> None:
        if table not in self._logs:
            self._logs[table] = self._scratch.file()
        with self._logs[table].open("ab") as out:
            write_log(some, self._where.get(table, ("", "")), self._columns, out)

    def packed(self, grown: Callable[[Path], object] = lambda _: None) -> Path:
        """The whole log: file, sheet, row and what there is to say, by table. Compressed, as it says little in many words.

        Args:
            grown: is shown the file now and then, while it grows.
        """
        path = self._scratch.file()
        head = io.BytesIO()
        pl.DataFrame(schema=dict.fromkeys(("file", "sheet", "row", *self._columns), pl.String)).write_csv(head, quote_style="non_numeric", line_terminator="\r\n")
        press = isal_zlib.compressobj(1, wbits=31)
        with path.open("wb") as out:
            out.write(press.compress(b"\xef\xbb\xbf" + head.getvalue()))
            for _, log in sorted(self._logs.items()):
                for piece in pieces_of(log):
                    out.write(press.compress(piece))
                    grown(path)
            out.write(press.flush())
        return path
