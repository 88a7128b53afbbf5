"""A file that holds nothing: what is written to it goes on to somebody, while it is at hand."""

import io
from collections.abc import Callable
from typing import Any, BinaryIO


class Onward(io.RawIOBase, BinaryIO):
    """Whoever writes a text to be looked at need not lay it down first: memory for megabytes is new each time, and costs as much
    again as writing them.

    Args:
        take: called with what is written, as it comes.
    """

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take

    def write(self, some: Any, /) -> int:
        self._take(some)
        return len(some)
