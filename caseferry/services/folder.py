"""A folder that behaves like a bucket: nothing leaves the computer.

First-writer-wins is `link`, which fails when the name exists; a swap happens under one lock file.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from caseferry.services.store import Stat


class FolderStore:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, key: str) -> Path:
        if key.startswith("/") or ".." in key.split("/"):
            raise ValueError("a key never leaves its bucket")
        return self.root / key

    def get(self, key: str) -> bytes:
        try:
            return self.path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise KeyError(key) from None

    def get_tagged(self, key: str) -> tuple[bytes, str]:
        data = self.get(key)
        return data, _tag(data)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with self.path(key).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def put(self, key: str, data: bytes) -> None:
        with self._staged(key, data) as staged:
            os.replace(staged, self.path(key))

    def put_once(self, key: str, data: bytes) -> bool:
        with self._staged(key, data) as staged:
            try:
                os.link(staged, self.path(key))
            except FileExistsError:
                return False
            finally:
                os.unlink(staged)
        return True

    def swap(self, key: str, data: bytes, tag: str) -> bool:
        with (self.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                if self.get_tagged(key)[1] != tag:
                    return False
            except KeyError:
                return False
            self.put(key, data)
            return True

    def stat(self, key: str) -> Stat | None:
        try:
            data = self.get(key)
        except KeyError:
            return None
        return Stat(key, len(data), _tag(data))

    def listing(self, prefix: str) -> Iterator[Stat]:
        start = self.path(prefix.rsplit("/", 1)[0]) if "/" in prefix else self.root
        keys = sorted(
            path.relative_to(self.root).as_posix()
            for path in start.rglob("*")
            if path.is_file() and not path.name.startswith(".staged-")
        )
        for key in keys:
            if key.startswith(prefix) and key != ".lock":
                yield Stat(key, self.path(key).stat().st_size, "")

    def folders(self, prefix: str) -> Iterator[str]:
        home = self.path(prefix.rstrip("/"))
        if home.is_dir():
            yield from sorted(path.name for path in home.iterdir() if path.is_dir())

    @contextmanager
    def _staged(self, key: str, data: bytes) -> Iterator[str]:
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=".staged-", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        yield name


def _tag(data: bytes) -> str:
    """The ETag S3 gives to an object uploaded in one piece, so a run has the same name in both kinds of store."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
