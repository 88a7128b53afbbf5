"""A column's values have few forms: what is made of each is made once, and given to every row that holds it."""

from collections.abc import Callable, Sequence

import polars as pl

from caseferry.frames import kept, known, stacked


def each_once(values: pl.Expr, form: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """The text that `form` makes of each value, as if it were asked row by row.

    Args:
        form: looks at nothing but the value itself.
    """

    def made(some: pl.Series) -> pl.Series:
        distinct = known(some).unique().rename("v")
        if distinct.is_empty() or distinct.len() * 2 > some.len():
            return _texts(some.rename("v"), form).alias(some.name)
        return some.replace_strict(distinct, _texts(distinct, form), default=None, return_dtype=pl.String)

    return values.map_batches(made, return_dtype=pl.String, is_elementwise=True)


def _texts(values: pl.Series, form: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    return values.to_frame().select(form(pl.col("v"))).to_series()


def told_apart(texts: pl.DataFrame, are_plain: pl.Series, quickly: Callable[[pl.DataFrame], pl.DataFrame], closely: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What is told of plain texts in one way and of the others in another, in the order of the texts."""
    if are_plain.all():
        return quickly(texts)
    told = stacked([quickly(kept(texts, are_plain)), closely(kept(texts, ~are_plain))])
    was = stacked([are_plain.arg_true().to_frame("n"), (~are_plain).arg_true().to_frame("n")])["n"]
    return told.select(pl.all().gather(was.arg_sort()))


_TOGETHER = 100_000


class Counted:
    """The distinct texts of a column that comes in pieces: each is told of some thousand at a time, not of every piece again.

    Args:
        tell: each of these takes distinct texts `t`, of which `n` cells hold each. What it makes of them adds up.
    """

    def __init__(self, tell: Sequence[Callable[[pl.DataFrame], None]]) -> None:
        self._tell, self._held = tell, list[pl.DataFrame]()

    def see(self, cells: pl.Series) -> None:
        self._held.append(known(cells).rename("t").value_counts(name="n"))
        if sum(one.height for one in self._held) >= _TOGETHER:
            self.told()

    def told(self) -> None:
        """No more comes."""
        if self._held:
            counts = self._held[0] if len(self._held) == 1 else pl.concat(self._held).group_by("t").agg(pl.col("n").sum())
            self._held = []
            for tell in self._tell:
                tell(counts)
