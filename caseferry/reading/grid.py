"""A grid: the cells of one sheet or delimited file as text, before anyone knows what they mean.

Columns `c0`, `c1`, … of strings; an empty cell is null. `row` is the row's number as a spreadsheet shows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from caseferry.frames import stacked

ROW = "row"


@dataclass(frozen=True)
class Grid:
    cells: pl.DataFrame
    sheet: str = ""
    notes: dict[str, int] = field(default_factory=dict)
    """What reading it showed: `hidden_rows`, `broken_quoting`, `error_cells` … with a count."""
    encoding: str = ""
    epoch_1904: bool = False
    hidden: bool = False
    places: dict[str, list[list[int]]] = field(default_factory=dict)
    """Row and column of what the notes count, the first few."""
    undecided: tuple[str, ...] = ()
    """Encodings it could be written in, where its letters do not say which."""

    @property
    def width(self) -> int:
        return self.cells.width - 1

    @property
    def columns(self) -> list[str]:
        return [f"c{place}" for place in range(self.width)]


def from_lists(values: pl.Series, **rest: object) -> Grid:
    """A grid from one list of cells per row; short rows end in empty cells."""
    width = int(values.list.len().max() or 0)  # type: ignore[arg-type]
    names = [f"c{place}" for place in range(width)]
    return from_columns(values.list.to_struct(fields=names).struct.unnest() if width else pl.DataFrame(), **rest)


def from_columns(cells: pl.DataFrame, is_ascii: bool = False, /, **rest: object) -> Grid:
    """A grid from columns of text, first row first; a cell of blanks is empty.

    Args:
        is_ascii: it is known that all of it is.
    """
    if cells.width == 0:
        return Grid(pl.DataFrame({ROW: pl.Series([], dtype=pl.UInt32)}), **rest)  # type: ignore[arg-type]
    # A blank begins with a character below "!", or with one that is not ASCII: most columns need no closer look.
    begins = pl.all() < "!" if is_ascii else (pl.all() < "!") | (pl.all() >= "\u0080")
    may_be = cells.select(begins.any().name.keep()).row(0)
    blank = [name for name, may in zip(cells.columns, may_be, strict=True) if may]
    cells = cells.with_columns(pl.when(pl.col(blank).str.strip_chars() == "").then(None).otherwise(pl.col(blank)).name.keep())
    return Grid(cells.with_row_index(ROW, offset=1), **rest)  # type: ignore[arg-type]


def numbered(cells: pl.DataFrame, before: int) -> pl.DataFrame:
    """The same rows where so many stand before them."""
    return cells.with_columns(pl.col(ROW) + before) if before else cells


def widened(cells: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The same rows with every column of the list; those a row does not have are empty."""
    missing = [pl.lit(None, pl.String).alias(name) for name in columns if name not in cells.columns]
    return cells.with_columns(missing).select(ROW, *columns) if missing else cells


def gathered(pieces: Iterable[pl.DataFrame], **rest: object) -> Grid:
    """A grid from pieces of it."""
    every = list(pieces)
    columns = [f"c{place}" for place in range(max((one.width for one in every), default=1) - 1)]
    empty = pl.DataFrame(schema={ROW: pl.UInt32, **dict.fromkeys(columns, pl.String)})
    return Grid(stacked([empty, *(widened(one, columns) for one in every)]), **rest)  # type: ignore[arg-type]
