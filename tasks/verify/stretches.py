"""The files handed over, as they lie in the bucket, read a stretch at a time: a request costs a store as much as megabytes do."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from isal import isal_zlib

from caseferry.keys import Run
from caseferry.manifest import Piece
from caseferry.services.store import AT_ONCE, ObjectStore

AGAIN = 3
"""How often a piece that is not what the manifest says is read, before it is taken for what is stored."""
_STRETCH, _HELD = 6 << 20, 64 << 20
"""Bytes that are fetched of a file at a time, and the most that is held of all of them, as far as pieces allow."""
_SMALL = 4 << 20
"""Bytes of pieces that are asked for at once."""


class Stretches:
    """Files that are read piece by piece, each from somewhere to somewhere.

    Args:
        ends: where the last piece ends that will be asked for, by file; one byte more where that is the end of the file.
    """

    def __init__(self, store: ObjectStore, run: Run, ends: Mapping[str, int]) -> None:
        self._store, self._run, self._ends = store, run, ends
        self._stretch = min(_STRETCH, _HELD // max(1, len(ends)))
        self._held = dict[str, tuple[int, int, bytes]]()
        """By file what was fetched and not asked for yet: from where on, up to where it was wanted, and the bytes."""

    def pieces(self, some: Sequence[tuple[Piece, int]]) -> Iterator[bytes]:
        """The bytes of some pieces, each with where it begins. The last piece of a file goes on to the file's end, wherever the
        manifest says that is."""
        if sum(piece.size for piece, _ in some) > _SMALL:
            yield from (self._piece(*one) for one in some)
            return
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(lambda one: self._piece(*one), some)

    def _piece(self, piece: Piece, start: int) -> bytes:
        end = start + piece.size
        end += end + 1 == self._ends[piece.file]
        for _ in range(AGAIN):
            data = self._read(piece.file, start, end)
            if f"{isal_zlib.crc32(data):08x}" == piece.crc32:
                break
            self._held.pop(piece.file, None)
        return data

    def _read(self, file: str, start: int, end: int) -> bytes:
        at, until, held = self._held.pop(file, (start, start, b""))
        if at > start or until < end:
            at, until = start, max(end, min(start + self._stretch, self._ends[file]))
            held = self._store.get_range(self._run.at("3-merge", "files", file), at, until - at)
        if end < until:
            self._held[file] = (at, until, held)
        return held[start - at : end - at]


def digest_of(store: ObjectStore, run: Run, file: str, size: int) -> str:
    """The SHA-256 of a file handed over, from its beginning to its end.

    Args:
        size: in bytes, as the manifest says; if there are more, they count.
    """
    key, digest = run.at("3-merge", "files", file), hashlib.sha256()
    with ThreadPoolExecutor(1) as pool:
        coming: list[Future[bytes]] = []
        for start in [*range(0, size, _STRETCH), size]:
            some = [one.result() for one in coming]
            coming = [pool.submit(store.get_range, key, start, _STRETCH + (start + _STRETCH >= size))] if start < size else []
            for data in some:
                digest.update(data)
    return digest.hexdigest()
