"""The parts a list was cut into, as they lie in the bucket."""

from collections.abc import Sequence

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
