"""Foreign bytes, read as they are asked for: a file of any length takes the memory of one piece of it."""

import io
from collections.abc import Iterator
from typing import BinaryIO

PIECE = 8 << 20


class Source:
    """A file's bytes. `source[a:b]` reads them; nothing is held."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)

    @classmethod
    def of(cls, data: bytes) -> "Source":
        return cls(io.BytesIO(data))

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, span: slice) -> bytes:
        start, stop, _ = span.indices(self._size)
        self._file.seek(start)
        return self._file.read(max(0, stop - start))

    def whole(self) -> bytes:
        return self[:]

    def pieces(self, start: int = 0, stop: int | None = None, size: int = PIECE) -> Iterator[bytes]:
        """All from `start` on to `stop`, so many bytes at a time."""
        stop = len(self) if stop is None else stop
        for at in range(start, stop, size):
            yield self[at : min(at + size, stop)]

    def lines(self, size: int = PIECE) -> Iterator[bytes]:
        """All of it, about so many bytes at a time, each piece ending behind a line feed."""
        held = b""
        for piece in self.pieces(size=size):
            end = piece.rfind(b"\n") + 1
            if end:
                yield held + piece[:end]
                held = piece[end:]
            else:
                held += piece
        if held:
            yield held
