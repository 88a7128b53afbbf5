"""Cells of a database's table as a person reads them there: a day that has no time of day without one, a time of day without the day
that stands for none, a number without the noise of its binary form.
"""

from collections.abc import Iterator, Mapping

import polars as pl

_DIGITS = {"Single": 7, "Double": 15}
"""Digits that each kind of number holds for certain; those behind them are how it is kept."""


def measured(pieces: Iterator[pl.DataFrame], kinds: Mapping[str, str]) -> Iterator[pl.DataFrame]:
    """The pieces of a list whose first row is its header.

    Args:
        kinds: by heading, `DateTime`, `Single` or `Double`.
    """
    columns: dict[str, str] = {}
    for number, piece in enumerate(pieces):
        if not number and piece.height:
            columns = {name: kinds[heading] for name, heading in zip(piece.columns[1:], piece.row(0)[1:], strict=True) if heading in kinds}
        yield piece.with_columns(_day(name) if kind == "DateTime" else _number(name, _DIGITS[kind]) for name, kind in columns.items())


def _day(name: str) -> pl.Expr:
    """Midnight is how a day is kept, and the 30th of December 1899 how a time of day is."""
    return pl.col(name).str.replace(r"^(\d{4}-\d\d-\d\d) 00:00:00$", "${1}").str.replace(r"^1899-12-30 (\d\d:\d\d:\d\d)$", "${1}")


def _number(name: str, digits: int) -> pl.Expr:
    text = pl.col(name)
    figure = text.cast(pl.Float64, strict=False)
    is_noisy = text.str.contains(rf"^-?\d*\.\d{{{digits - 1},}}$") & figure.is_not_null()
    return pl.when(is_noisy).then(figure.round_sig_figs(digits).cast(pl.String)).otherwise(text).alias(name)
