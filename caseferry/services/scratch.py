"""Files on disk that nobody can find: they have no name, and are gone with the process that made them, however it ends.

What a step can't hold in memory waits here. A worker that is killed leaves no client's data behind. Only Linux lets a
nameless file be opened again; elsewhere, on a laptop, they lie in a folder that is ours alone and go with the step.
"""

import io
import os
import sys
import tempfile
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Literal


@cache
def _as_many_as_allowed() -> None:
    """Open as many files at a time as the system lets us at most: a large run's parts are many, and each is one."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Span:
    """Some of the bytes of a file that is open, to be read as a file of their own, by several at once.

    Args:
        start, length: bytes.
    """

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._start, self.length = file, start, length

    def part(self, start: int, length: int) -> "Span":
        """Some of it; less where it ends before."""
        return Span(self._file, self._start + start, min(length, self.length - start))

    def open(self, mode: Literal["rb"] = "rb") -> BinaryIO:
        return io.BufferedReader(_Within(self._file, self._start, self.length), _BUFFER)

    def read(self) -> bytes:
        return self.open().read() if self.length > _MOST else os.pread(self._file.fileno(), self.length, self._start) if self.length else b""


_BUFFER, _MOST = 1 << 20, 1 << 30
NOTHING = Span(io.BytesIO(), 0, 0)


class _Within(io.RawIOBase):
    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._start, self._length, self._at = file, start, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._length - self._at))
        got = os.preadv(self._file.fileno(), [memoryview(buffer)[:wanted]], self._start + self._at)
        self._at += got
        return got


class Scratch:
    """Makes files that are gone when it is left."""

    def __init__(self) -> None:
        self._all = ExitStack()
        _as_many_as_allowed()
        self._folder = None if sys.platform == "linux" else Path(self._all.enter_context(tempfile.TemporaryDirectory()))

    def file(self) -> Path:
        """Where one more file can be opened, by this process alone, as often as it likes."""
        if self._folder is None:
            return Path(f"/proc/self/fd/{self._all.enter_context(tempfile.TemporaryFile()).fileno()}")
        handle, name = tempfile.mkstemp(dir=self._folder)
        open(handle, "wb").close()
        return Path(name)

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        self._all.close()
