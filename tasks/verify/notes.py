"""Every change and finding: written down to the last, counted by rule, and the first of each kept to be shown."""

import io
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import polars as pl
from isal import isal_zlib

from caseferry.canonical import apart
from caseferry.noted import SAID, Noted, together
from caseferry.reading.grid import ROW
from caseferry.services.scratch import Scratch
from caseferry.services.store import pieces_of
from tasks.verify.evidence import Batch, Evidence

EACH = 2_000
"""Rows of one rule that a person is shown; past that the workbook says how many more there are, and where."""
REWRITTEN = ("date_read", "amount_read", "hours_read", "units_read", "minutes_read", "seconds_read", "since_1970", "time_read", "group_header", "fill_down", "task_status", "columns_joined")
"""Rules that write a value in another form. Their every use is in changes.csv."""


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


class Notes:
    """The changes, or the findings, of a run.

    Args:
        kind: `changes` or `findings`.
        by: the columns that make a group in the ledger.
        columns: what the log shows of a note, behind file, sheet and row.
        unseen: rules of which a person is shown none.
        scratch: where the log grows.
    """

    def __init__(self, evidence: Evidence, kind: str, by: tuple[str, ...], columns: tuple[str, ...], unseen: tuple[str, ...], scratch: Scratch) -> None:
        self.kind, self._by, self._columns, self._unseen, self._scratch = kind, by, columns, unseen, scratch
        self._where = {table.id: (table.file, table.sheet) for table in evidence.split.tables}
        self._records = {table.id: table.record for table in evidence.split.tables}
        self._logs: dict[str, Path] = {}
        self._groups: list[pl.DataFrame] = []
        self._first: list[pl.DataFrame] = []
        self._seen = Counter[tuple[str, str]]()

    def see(self, batch: Batch) -> None:
        some = {table: notes for table, notes in getattr(batch, self.kind).items() if notes.height}
        for table, notes in some.items():
            self._log(table, notes)
        if some:
            every = together([Noted(notes.rows, notes.words.select(pl.lit(table).alias("table"), pl.all())) for table, notes in some.items()])
            self._count(every)
            self._keep_first(every)

    def _log(self, table: str, some: Noted) -> None:
        if table not in self._logs:
            self._logs[table] = self._scratch.file()
        with self._logs[table].open("ab") as out:
            write_log(some, self._where.get(table, ("", "")), self._columns, out)

    def _count(self, some: Noted) -> None:
        """By list and what makes a group: how many, in which columns, and the first row."""
        said = some.rows.group_by(SAID).agg(pl.len().alias("count"), pl.col(ROW).min().alias("first_row"))
        words = some.words.select("table", *self._by, pl.col("field").alias("fields")).with_row_index(SAID)
        counted = words.join(said, on=SAID).group_by("table", *self._by).agg(pl.col("count").sum(), pl.col("fields").unique(), pl.col("first_row").min())
        self._groups.append(apart(counted))

    def _keep_first(self, some: Noted) -> None:
        shown = some.where(~pl.col("rule").is_in(self._unseen))
        counts = {(table, rule): count for table, rule, count in shown.group_by("table", "rule").len().iter_rows()}
        if shown.height > EACH or any(self._seen[one] >= EACH for one in counts):
            full = pl.any_horizontal(pl.lit(False), *((pl.col("table") == table) & (pl.col("rule") == rule) for table, rule in counts if self._seen[table, rule] >= EACH))
            shown = shown.filter(~full).filter(pl.int_range(pl.len()).over("table", "rule") < EACH)
        if shown.height:
            self._first.append(apart(shown))
        self._seen.update(counts)

    @cached_property
    def first(self) -> tuple[pl.DataFrame, list[tuple[str, int]]]:
        """The first notes of each rule, by table and row, and how many more there are of which."""
        if not self._first:
            return pl.DataFrame(schema={"table": pl.String, "rule": pl.String}), []
        shown = pl.concat(self._first).sort("table", maintain_order=True).filter(pl.int_range(pl.len()).over("rule") < EACH)
        counts = Counter[str]()
        for (_, rule), count in self._seen.items():
            counts[rule] += count
        return shown, [(rule, count - EACH) for rule, count in sorted(counts.items()) if count > EACH]

    @cached_property
    def grouped(self) -> list[dict[str, Any]]:
        """Notes by rule: how many, in which lists, in which columns."""
        if not self._groups:
            return []
        near = pl.concat(self._groups).group_by(*self._by, "table", maintain_order=True).agg(
            pl.col("count").sum(), pl.col("fields").explode().unique(), pl.col("first_row").first()
        ).sort("table", maintain_order=True)  # fmt: skip
        near = near.with_columns(pl.col("table").replace_strict(self._records, default="document", return_dtype=pl.String).alias("record"))
        groups = near.group_by(*self._by, "record", maintain_order=True).agg(
            pl.col("count").sum(), pl.col("fields").explode().str.split("#").list.first().unique().sort().alias("fields"),
            pl.col("first_row").first(), pl.col("table").first(),
        )  # fmt: skip
        return groups.sort("count", *self._by, "record", descending=[True, *(False for _ in self._by), False]).to_dicts()

    def log(self) -> Path:
        """The whole log: file, sheet, row and what there is to say, by table. Compressed, as it says little in many words."""
        path = self._scratch.file()
        head = io.BytesIO()
        pl.DataFrame(schema=dict.fromkeys(("file", "sheet", "row", *self._columns), pl.String)).write_csv(head, quote_style="non_numeric", line_terminator="\r\n")
        press = isal_zlib.compressobj(1, wbits=31)
        with path.open("wb") as out:
            out.write(press.compress(b"\xef\xbb\xbf" + head.getvalue()))
            for _, log in sorted(self._logs.items()):
                for piece in pieces_of(log):
                    out.write(press.compress(piece))
            out.write(press.flush())
        return path
