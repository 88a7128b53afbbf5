"""A column's values have few forms: what is made of each is made once, and given to every row that holds it."""

from collections.abc import Callable

import polars as pl


def each_once(values: pl.Expr, form: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """The text that `form` makes of each value, as if it were asked row by row.

    Args:
        form: looks at nothing but the value itself.
    """

    def made(some: pl.Series) -> pl.Series:
        distinct = some.drop_nulls().unique().rename("v")
        if distinct.is_empty() or distinct.len() * 2 > some.len():
            return _texts(some.rename("v"), form).alias(some.name)
        return some.replace_strict(distinct, _texts(distinct, form), default=None, return_dtype=pl.String)

    return values.map_batches(made, return_dtype=pl.String, is_elementwise=True)


def _texts(values: pl.Series, form: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    return values.to_frame().select(form(pl.col("v"))).to_series()
