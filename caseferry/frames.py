"""A few things done to tables a thousand times a run, most of them short, without a plan.

Polars plans a filter, a concatenation or a drop like any query and hands it to a thread of its pool: a tenth of a
millisecond each, however few the rows. Column by column they take a hundredth of that, and as long as before for many rows.
"""

from collections.abc import Iterable
from functools import reduce

import polars as pl


def kept(table: pl.DataFrame, which: pl.Series | pl.Expr) -> pl.DataFrame:
    """`table.filter(which)`: the rows where it is true, not false and not null.

    Args:
        which: one answer for each row; an expression has to give as many.
    """
    holds = which if isinstance(which, pl.Series) else table.select_seq(which).to_series()
    if holds.len() != table.height:
        raise ValueError("a table is kept by one answer for each of its rows")
    return side_by_side(column.filter(holds) for column in table.iter_columns())


def known(column: pl.Series) -> pl.Series:
    """`column.drop_nulls()`: the cells that hold something."""
    return column.drop_nulls() if column.null_count() else column


def side_by_side(columns: Iterable[pl.Series]) -> pl.DataFrame:
    """`pl.DataFrame(list(columns))` of columns that are equally long."""
    every = list(columns)
    return every[0].to_frame().hstack(every[1:]) if every else pl.DataFrame()


def stacked(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """`pl.concat(tables)`: the rows of one behind those of the other, all of one schema."""
    return reduce(pl.DataFrame.vstack, tables)


def without(table: pl.DataFrame, *names: str) -> pl.DataFrame:
    """`table.drop(names)`."""
    return side_by_side(column for column in table.iter_columns() if column.name not in names)
