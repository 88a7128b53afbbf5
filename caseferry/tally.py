"""Keys that stand on several rows, of however many there are."""

from collections.abc import Iterator

import polars as pl

from caseferry.frames import stacked
from caseferry.services.scratch import Scratch

_HELD = 4_000_000
_SHARES = 16


class Tally:
    """Counts keys by their 64-bit hashes: among ten million, two that differ share one once in a million runs.

    Past a few million the hashes wait on disk, in shares that are counted one at a time.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._held: list[pl.Series] = []
        self._height = 0
        self._waiting: list[list[pl.LazyFrame]] = [[] for _ in range(_SHARES)]

    def add(self, hashes: pl.Series) -> None:
        self._held.append(hashes.rename("key"))
        self._height += hashes.len()
        if self._height >= _HELD:
            self._put_away()

    def _put_away(self) -> None:
        every = pl.concat(self._held).to_frame()
        for number, waiting in enumerate(self._waiting):
            path = self._scratch.file()
            every.filter(pl.col("key") % _SHARES == number).write_ipc(path)
            waiting.append(pl.scan_ipc(path))
        self._held, self._height = [], 0

    def _shares(self) -> Iterator[pl.Series]:
        if not any(self._waiting):
            yield from ([pl.concat(self._held)] if self._held else [])
            return
        self._put_away()
        for waiting in self._waiting:
            yield pl.concat(waiting).collect()["key"]

    def several(self) -> pl.DataFrame:
        """The keys that stand on more than one row, `key`, and on how many, `n`."""
        none = pl.DataFrame(schema={"key": pl.UInt64, "n": pl.UInt32})
        return stacked([none, *(_several(share) for share in self._shares())])


def _several(keys: pl.Series) -> pl.DataFrame:
    """Put in order, equal keys are neighbours: most stand alone, and only the others are counted."""
    ordered = keys.sort()
    again = ordered.filter((ordered == ordered.shift(1)).fill_null(False))
    return again.value_counts(name="n").select("key", (pl.col("n") + 1).cast(pl.UInt32))
