"""The parts a list was cut into, as they lie in the bucket."""

from collections.abc import Sequence

import polars as pl

from caseferry.keys import Run
from caseferry.services.store import ObjectStore, get_all
from tasks.journey import CELLS


def cells(store: ObjectStore, run: Run, parts: Sequence[str], also: Sequence[str] = ()) -> list[bytes]:
    """What lies of some parts, to be read by `caseferry.tables.cells_by_number`.

    Args:
        also: keys of what is asked for with them, and stands behind them.
    """
    now, before = ([run.at("1-split", "parts", f"{part}{ending}") for part in parts] for ending in CELLS)
    try:
        return get_all(store, [*now, *also])
    except KeyError:
        return get_all(store, [*before, *also])


_LOOKED_AT, _SAMPLES, _LETTERS = 200, 3, 60
"""Rows that are looked at for samples of a column, how many of those, and letters of each."""


def samples(part: pl.DataFrame, places: Sequence[int]) -> list[list[str]]:
    """The first few texts that differ, of each of some columns, as far as the first rows of a part have them."""
    first = [pl.col(f"c{place}").drop_nulls().unique(maintain_order=True).head(_SAMPLES).str.slice(0, _LETTERS).implode().alias(str(place)) for place in places]
    return list(part.head(_LOOKED_AT).select(first).row(0)) if first else []
