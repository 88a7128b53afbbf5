"""A column of text by number: a million cells hold a few thousand texts, and what is asked of each is asked once."""

from dataclasses import dataclass

import polars as pl

from caseferry.frames import known


@dataclass(frozen=True)
class Coded:
    """A column, of text or made of one.

    Args:
        numbers: for each cell the line of `words` that it holds; null where it is empty.
        words: of a column of text every text once; of what was made of it what each became, if anything.
    """

    numbers: pl.Series
    words: pl.Series

    def each(self, said: pl.Series) -> pl.Series:
        """What is said of each word, for every cell that holds it; null for empty ones."""
        if said.is_empty():
            return pl.repeat(None, self.numbers.len(), dtype=said.dtype, eager=True)
        if said.len() == 1 and not self.numbers.null_count():
            return said.new_from_index(0, self.numbers.len())
        return said.gather(self.numbers)

    def full(self, name: str) -> pl.Series:
        """The column itself."""
        return self.each(self.words).alias(name)

    def of(self, which: pl.Series) -> "Coded":
        """Of some cells, those where it is true."""
        return Coded(self.numbers.filter(which), self.words)

    def with_word(self, where: pl.Series, word: str) -> "Coded":
        """The same with this text in the cells where it is true."""
        number = self.words.index_of(word)
        if number is None:
            return Coded(self.numbers.set(where, self.words.len()), pl.concat([self.words, pl.Series(self.words.name, [word])]))
        return Coded(self.numbers.set(where, number), self.words)


def coded(column: pl.Series) -> Coded:
    """Number the texts of a column: one look at each cell, where finding them and joining them to their cells takes three."""
    few = coded_if_few(column)
    if few is not None:
        return few
    words = known(column).unique(maintain_order=True).rename("text")
    return Coded(column.to_frame("text").join(words.to_frame().with_row_index("number"), on="text", how="left", maintain_order="left")["number"], words)


def coded_if_few(column: pl.Series) -> Coded | None:
    """The same, but for a column whose texts are too many for it to be quicker so."""
    if not are_few(column):
        return None
    if _is_constant(column):
        return Coded(pl.repeat(0, column.len(), dtype=pl.UInt32, eager=True), column.head(1).alias("text"))
    kinds = pl.Categories.random("", pl.UInt32)
    cells = column.cast(pl.Categorical(kinds))
    return Coded(cells.to_physical(), kinds.to_series().alias("text"))


def _is_constant(column: pl.Series) -> bool:
    """True of a long column whose cells all say the same."""
    if column.len() < _AT * _TOGETHER or column.null_count() or column.first() != column.last():
        return False
    return bool((column == column.first()).all())


_AT, _TOGETHER = 8, 250
"""In how many places a column is looked at, and how many cells there: equal ones may stand together, or all over it."""
_MANY = 0.93
"""The share of different texts among them beyond which numbering one by one takes longer than to find and join them."""


def are_few(column: pl.Series) -> bool:
    """True of a column that says the same again and again, as far as some of its cells show."""
    every = column.len() // _AT
    if every <= _TOGETHER:
        return True
    looked_at = [column.slice(place * every, _TOGETHER) for place in range(_AT)]
    return pl.concat(looked_at).n_unique() <= _MANY * _AT * _TOGETHER
