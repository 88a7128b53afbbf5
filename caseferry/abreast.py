"""Work done side by side: the longest begins first, for the last to end decides when all is done."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from caseferry.services.store import at_rest

T = TypeVar("T")
R = TypeVar("R")


def abreast(do: Callable[[T], R], some: Sequence[T], lengths: Sequence[int], at_once: int) -> list[R]:
    """What `do` makes of each, in their order.

    Args:
        lengths: of each, in whatever tells how long it takes.
        at_once: how many are at work together.

    Raises:
        Whatever `do` raises for the first of them, in their order, that fails; none is begun from then on.
    """
    longest = sorted(range(len(some)), key=lambda place: -lengths[place])
    pool = ThreadPoolExecutor(at_once)
    try:
        begun = {place: pool.submit(do, some[place]) for place in longest}
        return [begun[place].result() for place in range(len(some))]
    finally:
        at_rest(pool)
