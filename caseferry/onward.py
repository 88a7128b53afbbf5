"""Text that is written only to be looked at goes on to somebody, while it is at hand. Laid down first it would take memory that is
new each time, and costs as much again as writing it.
"""

import io
from collections.abc import Callable
from typing import Any, BinaryIO

import polars as pl


def write_csv(table: pl.DataFrame, take: Callable[[bytes], object], **how: Any) -> None:
    """A table as delimited text, without a header.

    Args:
        take: called with the text, some of it at a time.
        how: as `polars.DataFrame.write_csv` has it.

    Raises:
        Exception: what `take` raised.
    """
    onward = _Onward(take)
    try:
        table.write_csv(onward, include_header=False, **how)
    except OSError:  # Polars makes one of whatever happens in a file of Python's
        if onward.failed is None:
            raise
    if onward.failed is not None:
        raise onward.failed


class _Onward(io.RawIOBase, BinaryIO):
    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take
        self.failed: BaseException | None = None

    def write(self, some: Any, /) -> int:
        try:
            self._take(some)
        except BaseException as error:
            self.failed = error
            raise
        return len(some)
