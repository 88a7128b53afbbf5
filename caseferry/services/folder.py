"""A folder that behaves like a bucket: nothing leaves the computer.

First-writer-wins is `link`, which fails when the name exists; a swap happens under one lock file.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from caseferry.services.scratch import Span
from caseferry.services.store import Replaced, Stat, length_of, pieces_of

STAGED = ".staged"


class FolderStore:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep()

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

    def save(self, key: str, path: Path, version: Stat | None = None) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        try:
            with path.open("wb") as file:
                for piece in pieces_of(self.path(key)):
                    digest.update(piece)
                    file.write(piece)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise KeyError(key) from None
        if version is not None and digest.hexdigest() != version.tag:
            raise Replaced

    def get_range(self, key: str, start: int, length: int) -> bytes:
        try:
            with self.path(key).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise KeyError(key) from None

    def put(self, key: str, data: bytes) -> None:
        with self._staged(key, data) as staged:
            os.replace(staged, self.path(key))

    def put_once(self, key: str, data: bytes) -> bool:
        return self._first(key, data)

    def put_file(self, key: str, file: Path | Span) -> bool:
        return self._first(key, file)

    def grow(self, key: str) -> None:
        return None  # what lies on this computer anyway is sent nowhere

    def join(self, key: str, head: bytes, rest: Sequence[tuple[str, int]]) -> bool:
        def laid() -> Iterator[bytes]:
            yield head
            for one, length in rest:
                with self.path(one).open("rb") as file:
                    if length_of(self.path(one)) < length:
                        raise KeyError(one)
                    yield from pieces_of(Span(file, 0, length))

        try:
            return self._first(key, laid())
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(key) from None

    def copy(self, key: str, source: Stat, file: Path) -> bool:
        self.put_file(key, file)
        return False

    def _first(self, key: str, data: bytes | Path | Span | Iterable[bytes]) -> bool:
        with self._staged(key, data) as staged:
            try:
                os.link(staged, self.path(key))
            except FileExistsError:
                return False
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

    def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def stat(self, key: str) -> Stat | None:
        path = self.path(key)
        try:
            tag, size, changed = _tag(path), length_of(path), str(path.stat().st_mtime_ns)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        return Stat(key, size, tag, changed=changed)

    def listing(self, prefix: str) -> Iterator[Stat]:
        folder = prefix.rpartition("/")[0]
        if folder and {"", "."} & set(folder.split("/")):
            return  # no key begins so
        found = sorted(_below(self.path(folder), f"{folder}/" if folder else "", prefix))
        yield from (Stat(key, size, "") for key, size in found if key != ".lock" and not key.startswith(f"{STAGED}/"))

    def folders(self, prefix: str) -> Iterator[str]:
        home = self.path(prefix.rstrip("/"))
        if home.is_dir():
            yield from sorted(path.name for path in home.iterdir() if path.is_dir() and path.name != STAGED)

    @contextmanager
    def _staged(self, key: str, data: bytes | Path | Span | Iterable[bytes]) -> Iterator[str]:
        """The bytes, whole and on disk, under a name nobody looks at; named after this process, so that its end is noticed."""
        self.path(key).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        home = self.root / STAGED
        home.mkdir(exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=f"{os.getpid()}-", dir=home)
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces_of(data) if isinstance(data, bytes | Path | Span) else data:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            yield name
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)

    def _sweep(self) -> None:
        """Take away what a process left that ended in the middle of writing."""
        for path in (self.root / STAGED).glob("*-*"):
            owner = path.name.split("-")[0]
            if owner.isdigit() and not _lives(int(owner)):
                path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tag(data: bytes | Path) -> str:
    """The ETag S3 gives to an object uploaded in one piece, so a run has the same name in both kinds of store."""
    digest = hashlib.md5(usedforsecurity=False)
    for piece in pieces_of(data):
        digest.update(piece)
    return digest.hexdigest()


def _below(folder: Path, home: str, prefix: str) -> Iterator[tuple[str, int]]:
    """The files below a folder and their sizes, as far as their keys begin with the prefix; no other folder is looked into."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(folder) as entries:
        for entry in entries:
            key = home + entry.name
            if entry.is_dir(follow_symlinks=False):
                if f"{key}/".startswith(prefix):
                    yield from _below(folder / entry.name, f"{key}/", prefix)
            elif key.startswith(prefix) and entry.is_file():
                with suppress(FileNotFoundError):  # it was taken away a moment ago
                    yield key, entry.stat().st_size
