"""A list as it was read: its first rows in hand, all of it in pieces on disk."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from caseferry.reading.grid import Grid, gathered, numbered, widened
from caseferry.reading.guard import Answer
from caseferry.tables import arrow_of


class Spooled:
    """One list.

    Args:
        head: what is known of it, with the first rows for its cells.
        height: of all of it.
        pieces: of its cells, in order, and how often they like.
        ends_midway: its file breaks off in the middle of a row.
    """

    def __init__(self, head: Grid, height: int, pieces: Sequence[Callable[[], pl.DataFrame]], ends_midway: bool = False) -> None:
        self.head, self._height, self._pieces, self._ends_midway = head, height, pieces, ends_midway

    @property
    def height(self) -> int:
        return self._height

    @property
    def length(self) -> int:
        """About how many rows it has; nothing only where it has none."""
        return self._height

    @property
    def ends_midway(self) -> bool:
        return self._ends_midway

    def on_sheet(self, name: str) -> "Spooled":
        """The same list, as the one of this name in its file."""
        return Spooled(replace(self.head, sheet=name), self._height, self._pieces, self._ends_midway)

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Its cells, some rows at a time, each with every column."""
        columns = self.head.columns
        for piece in self._pieces:
            yield widened(piece(), columns)

    def settled(self) -> "list[Spooled]":
        """The same, with all of it read."""
        return [self]


def spooled(pieces: Sequence[Callable[[], pl.DataFrame]], width: int, height: int, facts: dict[str, Any], rows: int, ends_midway: bool = False) -> Spooled:
    """A list of these pieces, with so many rows in hand."""
    return Spooled(head_of(pieces, width, facts, rows), height, pieces, ends_midway)


def head_of(pieces: Sequence[Callable[[], pl.DataFrame]], width: int, facts: dict[str, Any], rows: int) -> Grid:
    """The first rows of some pieces."""
    columns = [f"c{place}" for place in range(width)]
    head, held = [], 0
    for read in pieces:
        if held >= rows:
            break
        piece = widened(read(), columns).head(rows - held)
        head.append(pl.DataFrame(piece.to_dict(as_series=False), schema=piece.schema))  # a slice would keep all of it in memory
        held += piece.height
    return gathered(head, **facts)


def cells(answer: Answer, number: int, before: int = 0) -> pl.DataFrame:
    """One piece of what a reader gave."""
    return numbered(arrow_of(answer.blob(number).read()), before)
