"""Foreign bytes, read as they are asked for: a file of any length takes the memory of one piece of it."""

import os
from collections.abc import Callable, Iterator

PIECE = 1 << 20
"""Bytes that are read at a time. Memory for so many is found where some was given back; for more it is new, which costs as much
again as reading them."""


class Source:
    """A file's bytes, or some of them in a row. `source[a:b]` reads them; nothing is held.

    Several processes may read one file so: where it stands open is nobody's business.

    Args:
        read: some of the bytes, from where on and how many.
        first, size: of the bytes that are meant.
    """

    def __init__(self, read: Callable[[int, int], bytes], first: int, size: int) -> None:
        self._read, self._first, self._size = read, first, size

    @classmethod
    def at(cls, file: int) -> "Source":
        """An open file, by its number."""
        return cls(lambda start, length: _all(file, start, length), 0, os.fstat(file).st_size)

    @classmethod
    def of(cls, data: bytes) -> "Source":
        return cls(lambda start, length: data[start : start + length], 0, len(data))

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, span: slice) -> bytes:
        start, stop, _ = span.indices(self._size)
        return self._read(self._first + start, stop - start) if stop > start else b""

    def part(self, start: int, stop: int) -> "Source":
        return Source(self._read, self._first + start, stop - start)

    def whole(self) -> bytes:
        return self[:]

    def pieces(self, start: int = 0, stop: int | None = None, size: int = PIECE) -> Iterator[bytes]:
        """All from `start` on to `stop`, so many bytes at a time."""
        stop = len(self) if stop is None else stop
        for at in range(start, stop, size):
            yield self[at : min(at + size, stop)]

    def lines(self, size: int = PIECE) -> Iterator[bytes]:
        """All of it, about so many bytes at a time, each piece ending behind a line feed."""
        held: list[bytes] = []
        for piece in self.pieces(size=size):
            end = piece.rfind(b"\n") + 1
            if end:
                yield b"".join([*held, piece[:end]])
                held = [piece[end:]]
            else:
                held.append(piece)
        if rest := b"".join(held):
            yield rest


def _all(file: int, start: int, length: int) -> bytes:
    """So many bytes from there; a single read gives 2 GiB at most."""
    found = []
    while length and (piece := os.pread(file, length, start)):
        found.append(piece)
        start, length = start + len(piece), length - len(piece)
    return found[0] if len(found) == 1 else b"".join(found)
