"""The bucket, as the stages see it. Two kinds stand behind it: S3, and a folder on this computer.

Every promise rests on two writes: `put_once` (the first writer wins, everybody else is told) and `swap` (only on top
of the version one has read). Both kinds keep them.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from isal import isal_zlib

from caseferry.services.scratch import Span


@dataclass(frozen=True)
class Stat:
    key: str
    size: int
    tag: str
    """Changes when the bytes do: the ETag."""
    version: str = ""
    """The version's name, where the bucket keeps versions; only `stat` tells it."""
    changed: str = ""
    """When it was written, in the store's own words. Told apart, never compared; only `stat` tells it."""


class Replaced(Exception):
    """The version asked for is no longer there: somebody wrote another over it."""


AT_ONCE = 8
"""Requests of one step that are under way together: an object store answers each in its own time."""


def get_all(store: "ObjectStore", keys: Iterable[str]) -> list[bytes]:
    """Several objects, in the order asked for."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(store.get, keys))


def put_all(store: "ObjectStore", objects: Iterable[tuple[str, bytes]]) -> None:
    """Write several objects, each once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda one: store.put_once(*one), objects))


def put_files(store: "ObjectStore", files: Iterable[tuple[str, Path | Span]]) -> None:
    """Write several files, each once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda one: store.put_file(*one), files))


class Growing(Protocol):
    """An object on its way while it grows. Nobody sees anything of it until it is done."""

    def add(self, number: int, some: Span) -> None:
        """The stretch of this number, from 1; several may be under way together."""
        ...

    def done(self, whole: Span) -> bool:
        """It is as long as this, and all of it was added: `put_once` of the whole."""
        ...

    def leave(self) -> None:
        """Nothing comes of it, unless it is done."""
        ...


@dataclass
class _Ahead:
    """A file that grows, and how much of it went ahead."""

    way: Growing
    file: BinaryIO
    sent: int = 0
    stretches: list[Future[None]] = field(default_factory=list)


class Sending:
    """Files on their way into the bucket, each written once, while whoever sends them goes on. Leaving waits for all.

    Long ones go one at a time, in stretches: others want something of the store too.
    """

    def __init__(self, store: "ObjectStore") -> None:
        self._store = store
        self._short, self._long = ThreadPoolExecutor(AT_ONCE), ThreadPoolExecutor(_LONG_AT_ONCE)
        self._sent: list[Future[bool]] = []
        self._ahead: dict[str, _Ahead] = {}

    def grow(self, key: str, file: Path) -> None:
        """What lies there so far of a file that grows on: whole stretches of it go ahead, where the store takes them. `send`
        is still to be called when it grows no more.
        """
        ahead = self._ahead.get(key)
        if ahead is None:
            if length_of(file) < STRETCH or (way := self._store.grow(key)) is None:
                return
            ahead = self._ahead[key] = _Ahead(way, file.open("rb"))
        self._go(ahead, length_of(file) // STRETCH * STRETCH)

    def _go(self, ahead: _Ahead, until: int) -> None:
        for start in range(ahead.sent, until, STRETCH):
            some = Span(ahead.file, start, min(STRETCH, until - start))
            ahead.stretches.append(self._long.submit(ahead.way.add, len(ahead.stretches) + 1, some))
        ahead.sent = until

    def send(self, key: str, file: Path | Callable[[], Path]) -> None:
        """One file, which has to stay as it is from now on; or what makes it, to be called on the way.

        It is opened at once: the file of another that comes to have its place later is never sent for it.
        """
        if not callable(file):
            self.grow(key, file)
        if ahead := self._ahead.get(key):
            self._sent.append(self._rest(ahead))
            return
        if callable(file):
            self._sent.append(self._long.submit(lambda: self._store.put_file(key, file())))
            return
        opened, length = file.open("rb"), length_of(file)

        def put() -> bool:
            with opened:
                return self._store.put_file(key, Span(opened, 0, length))

        self._sent.append((self._long if length > _LONG else self._short).submit(put))

    def _rest(self, ahead: _Ahead) -> Future[bool]:
        """The end of a file whose beginning went ahead. It grows no more."""
        length = os.fstat(ahead.file.fileno()).st_size
        self._go(ahead, length)

        def end() -> bool:
            for one in ahead.stretches:  # each began before this did
                one.result()
            return ahead.way.done(Span(ahead.file, 0, length))

        return self._long.submit(end)

    def put(self, key: str, data: bytes) -> None:
        """The same of some bytes."""
        self._sent.append((self._long if len(data) > _LONG else self._short).submit(self._store.put_once, key, data))

    def __enter__(self) -> "Sending":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                for one in self._sent:
                    one.result()
        finally:
            try:
                at_rest(self._short, self._long)
            finally:
                for ahead in self._ahead.values():
                    ahead.file.close()
                    ahead.way.leave()


def at_rest(*pools: ThreadPoolExecutor) -> None:
    """Nothing waits in them and nothing is at work in them, even if whoever waits for it is interrupted meanwhile: what it
    works with is taken away next, and may be somebody else's then.
    """
    broken: BaseException | None = None
    for pool in pools:
        while True:
            try:
                pool.shutdown(cancel_futures=True)
                break
            except BaseException as error:
                broken = error
    if broken is not None:
        raise broken


_LONG, _LONG_AT_ONCE = 1 << 20, 1
"""Bytes from which a file is long, and how many of those, or of their stretches, go at a time."""
STRETCH = 8 << 20
"""Bytes of a long file that go together. S3 takes no fewer than 5 MB, and no more than 10,000 of them. While a store takes in
much at a time others wait: with two stretches of 16 MB under way one in ten small objects took 75 ms, with one of 8 MB 13.
"""
_PIECE = 1 << 20


def pieces_of(data: bytes | Path | Span) -> Iterator[bytes]:
    """Bytes, wherever they lie, some at a time."""
    if isinstance(data, bytes):
        yield data
        return
    with data.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def length_of(data: bytes | Path | Span) -> int:
    """In bytes."""
    return len(data) if isinstance(data, bytes) else data.stat().st_size if isinstance(data, Path) else data.length


def sha256_of(data: Path | Span) -> str:
    digest = hashlib.sha256()
    for piece in pieces_of(data):
        digest.update(piece)
    return digest.hexdigest()


def crc32_of(data: bytes | Path | Span) -> str:
    """Eight digits of hexadecimal."""
    value = 0
    for piece in pieces_of(data):
        value = isal_zlib.crc32(piece, value)
    return f"{value:08x}"


class ObjectStore(Protocol):
    def get(self, key: str) -> bytes:
        """The object's bytes. Raises KeyError if there is none."""
        ...

    def get_tagged(self, key: str) -> tuple[bytes, str]: ...

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Some of an object's bytes; fewer where it ends before. Raises KeyError if there is none."""
        ...

    def put(self, key: str, data: bytes) -> None: ...

    def put_once(self, key: str, data: bytes) -> bool:
        """Write if nothing is there. False: somebody was first, and theirs stands."""
        ...

    def put_file(self, key: str, file: Path | Span) -> bool:
        """`put_once` of what lies on disk; it is never in memory as a whole."""
        ...

    def grow(self, key: str) -> Growing | None:
        """How a long file comes in while it grows; nothing where it comes in as a whole."""
        ...

    def join(self, key: str, head: bytes, rest: Sequence[tuple[str, int]]) -> bool:
        """`put_once` of some bytes and other objects behind them, which an object store copies by itself. Whoever asks reads it
        back before he believes it.

        Args:
            rest: their keys, and how many bytes of each, from its beginning.

        Raises:
            KeyError: one is not there, or not so long.
        """
        ...

    def copy(self, key: str, source: Stat, file: Path) -> bool:
        """Write once what lies elsewhere in the bucket. An object store that has that very version does so by itself, and
        nothing is sent.

        Args:
            file: its bytes, which we have read; sent where the store does not copy them.

        Returns:
            True if the store's own digest says that these are what it wrote. Else whoever asks reads it back.
        """
        ...

    def save(self, key: str, path: Path, version: Stat | None = None) -> None:
        """Write an object's bytes to a file of ours; they are never in memory as a whole.

        Args:
            version: raises Replaced if another lies there now.

        Raises:
            KeyError: there is none.
        """
        ...

    def swap(self, key: str, data: bytes, tag: str) -> bool:
        """Write over the version `tag`. False: it is no longer that version."""
        ...

    def delete(self, key: str) -> None:
        """Take an object away. Only the marks of open work ever are."""
        ...

    def stat(self, key: str) -> Stat | None: ...

    def listing(self, prefix: str) -> Iterator[Stat]:
        """All objects below the prefix, in the order of their keys."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """The names right below the prefix that hold further keys."""
        ...
