"""Notes about rows, changes or findings, as they are made, kept and read back: what is said, and of which rows it is.

A column of a million cells is written otherwise in a few hundred ways. Each stands once, and a row has its number.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from caseferry.frames import kept, side_by_side, stacked, without
from caseferry.reading.grid import ROW
from caseferry.tables import table_of

SAID = "said"


@dataclass(frozen=True)
class Noted:
    """Notes in the order of the rows, those of one row by field and rule.

    Args:
        rows: `row` and `said`, the line of `words` that holds of it.
        words: `field`, `heading`, `rule` and whatever else a note says, all of it text.
    """

    rows: pl.DataFrame
    words: pl.DataFrame

    @classmethod
    def none(cls, schema: Mapping[str, Any]) -> "Noted":
        """No note; `schema` is of one in full, its row too."""
        return cls(_ROWS, pl.DataFrame(schema={name: kind for name, kind in schema.items() if name != ROW}))

    @classmethod
    def each(cls, notes: pl.DataFrame) -> "Noted":
        """Notes that stand in full, one for each row."""
        return cls(side_by_side([notes[ROW], pl.int_range(notes.height, dtype=pl.UInt32, eager=True).alias(SAID)]), without(notes, ROW))

    @classmethod
    def alike(cls, rows: pl.Series, words: pl.DataFrame) -> "Noted":
        """The one wording of all these rows."""
        return cls(pl.DataFrame({ROW: rows, SAID: pl.repeat(0, rows.len(), dtype=pl.UInt32, eager=True)}), words)

    @property
    def height(self) -> int:
        return self.rows.height

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Every note in full."""
        return self._full(self.rows)

    def where(self, which: pl.Expr) -> pl.DataFrame:
        """The notes in full that say so; `which` looks at the words alone."""
        holds = self.words.select_seq(which.fill_null(False).alias("w")).to_series() if self.words.height else None
        return self._full(kept(self.rows, holds.gather(self.rows[SAID])) if holds is not None and holds.any() else _ROWS)

    def _full(self, rows: pl.DataFrame) -> pl.DataFrame:
        said = self.words.select_seq(pl.all().gather(rows[SAID])) if rows.height else self.words.clear()
        return side_by_side([rows[ROW], *said.iter_columns()])

    def tables(self, name: str) -> dict[str, pl.DataFrame]:
        """As they lie in the bucket."""
        return {name: self.rows, f"{name}.words": self.words}

    @classmethod
    def of(cls, archive: zipfile.ZipFile, name: str) -> "Noted":
        """What `tables` wrote."""
        return cls(table_of(archive, name), table_of(archive, f"{name}.words"))


_ROWS = pl.DataFrame(schema={ROW: pl.UInt32, SAID: pl.UInt32})


def together(some: Sequence[Noted]) -> Noted:
    """Notes of one list that follow each other, each part's behind those before."""
    some = [one for one in some if one.words.height] or some[:1]
    words, rows = [], []
    before = 0
    for one in some:
        words.append(one.words)
        rows.append(one.rows.with_columns(pl.col(SAID) + before) if before else one.rows)
        before += one.words.height
    return Noted(stacked(rows), stacked(words))


def in_order(some: Sequence[Noted], *, is_settled: bool) -> Noted:
    """Notes of the same rows, by row, field and rule.

    Args:
        some: each in the order of its rows.
        is_settled: those of one row stand in order already, if the first are taken first.
    """
    every = together(some)
    if not is_settled:
        order = every.words.with_row_index("was").sort("field", "rule", maintain_order=True)["was"]
        now = order.arg_sort().cast(pl.UInt32).gather(every.rows[SAID])
        every = Noted(every.rows.with_columns(now.alias(SAID)).sort(SAID, maintain_order=True), every.words.select(pl.all().gather(order)))
    return Noted(every.rows.sort(ROW, maintain_order=True), every.words)


def among(early: Noted, later: pl.DataFrame) -> Noted:
    """Notes with others in full in their places among them; only rows that have some of both are put in order again."""
    added = Noted.each(later)
    touched = early.rows[ROW].is_in(later[ROW].unique().implode())
    again = in_order([Noted(kept(early.rows, touched), early.words), added], is_settled=False)
    apart = together([Noted(kept(early.rows, ~touched), early.words), again])
    return Noted(apart.rows.sort(ROW, maintain_order=True), apart.words)
