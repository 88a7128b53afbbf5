"""Work done side by side: the longest begins first, for the last to end decides when all is done."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
    if len(some) == 1:
        return [do(some[0])]
    longest = sorted(range(len(some)), key=lambda place: -lengths[place])
    pool = ThreadPoolExecutor(at_once)
    try:
        begun = {place: pool.submit(do, some[place]) for place in longest}
        return [begun[place].result() for place in range(len(some))]
    finally:
        at_rest(pool)


@contextmanager
def beside(do: Callable[[], R]) -> Iterator[Callable[[], R]]:
    """What one thing gives, asked for at the end, while the block does another. Leaving waits for it, however it is left."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool.submit(do).result
    finally:
        at_rest(pool)
