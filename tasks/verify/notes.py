"""Every change and finding counted by rule, and the first of each kept to be shown."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import polars as pl

from caseferry.noted import SAID, Noted, together
from caseferry.reading.grid import ROW
from caseferry.tables import apart
from tasks.verify.evidence import Batch, Evidence
from tasks.verify.seen import Seen

EACH = 2_000
"""Rows of one rule that a person is shown; past that the workbook says how many more there are, and where."""
REWRITTEN = ("date_read", "amount_read", "hours_read", "units_read", "minutes_read", "seconds_read", "since_1970", "time_read", "group_header", "fill_down", "task_status", "columns_joined")
"""Rules that write a value in another form. Their every use is in changes.csv."""



class Notes:
    """The changes, or the findings, of a run.

    Args:
        kind: `changes` or `findings`.
        by: the columns that make a group in the ledger.
        unseen: rules of which a person is shown none.
    """

    def __init__(self, evidence: Evidence, kind: str, by: tuple[str, ...], unseen: tuple[str, ...]) -> None:
        self.name, self._by, self._unseen = kind, by, unseen
        self._records = {table.id: table.record for table in evidence.split.tables}
        self._groups: list[pl.DataFrame] = []
        self._first: list[pl.DataFrame] = []
        self._seen = Counter[tuple[str, str]]()

    def see(self, batch: Batch) -> None:
        some = {table: notes for table, notes in batch.notes(self.name).items() if notes.height}
        if some:
            every = together([Noted(notes.rows, notes.words.select(pl.lit(table).alias("table"), pl.all())) for table, notes in some.items()])
            self._keep_first(every, self._count(every))

    def seen(self) -> Seen:
        tables = {name: pl.concat(some) for name, some in (("groups", self._groups), ("first", self._first)) if some}
        return Seen([[*which, count] for which, count in self._seen.items()], tables)

    def add(self, seen: Seen) -> None:
        self._groups += [seen.tables["groups"]] if "groups" in seen.tables else []
        counts = {(table, rule): count for table, rule, count in seen.facts}
        if "first" in seen.tables:
            self._hold(seen.tables["first"], counts)

    def _count(self, some: Noted) -> pl.DataFrame:
        """By list and what makes a group: how many, in which columns, and the first row."""
        said = some.rows.group_by(SAID).agg(pl.len().alias("count"), pl.col(ROW).min().alias("first_row"))
        words = some.words.select("table", *self._by, pl.col("field").alias("fields")).with_row_index(SAID)
        counted = words.join(said, on=SAID).group_by("table", *self._by).agg(pl.col("count").sum(), pl.col("fields").unique(), pl.col("first_row").min())
        self._groups.append(apart(counted))
        return counted

    def _keep_first(self, some: Noted, counted: pl.DataFrame) -> None:
        counts = Counter[tuple[str, str]]()
        for table, rule, count in counted.filter(~pl.col("rule").is_in(self._unseen)).select("table", "rule", "count").iter_rows():
            counts[table, rule] += count
        wanted = {one for one in counts if self._seen[one] < EACH}  # of the others there is enough
        which = pl.any_horizontal(pl.lit(False), *((pl.col("table") == table) & (pl.col("rule") == rule) for table, rule in sorted(wanted)))
        self._hold(some.where(which), counts)

    def _hold(self, shown: pl.DataFrame, counts: Mapping[tuple[str, str], int]) -> None:
        """Keep the first of these notes; none of what there is enough of.

        Args:
            counts: how many there are, by list and rule, of which these may be only some.
        """
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
