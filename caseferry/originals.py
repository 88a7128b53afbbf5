"""The files of a drop, read again as they came: an object by itself, or the place in the archive where it lies.

What comes back is held against what the intake saw: packed bytes against their checksum as they arrive, the file against
its sha256 as it is unpacked, behind the guard.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from caseferry.errors import ExportRefused, StorageRefused
from caseferry.manifest import Kept, Packed
from caseferry.reading.guard import WORKS, Answer, Asked, Unpacks, ask, ask_each
from caseferry.services.scratch import Scratch
from caseferry.services.store import AT_ONCE, ObjectStore, crc32_of
from config.limits import ReadingLimits

_PIECE = 8 << 20
"""Bytes of an archive that are asked for at a time."""
_BETWEEN = 1 << 16
"""Bytes that are fetched for nothing rather than asking twice."""
_TRIES = 3
"""How often bytes that are not what they were are asked for: they may have changed on their way."""
Work = tuple[str, Mapping[str, Any]]
"""What is wanted of a file: `module:function` and the words it takes."""


def save(store: ObjectStore, file: Kept, path: Path, limits: ReadingLimits) -> None:
    """One file of the drop, written to a file of ours; it is never in memory as a whole.

    Raises:
        ExportRefused: its reader ended while unpacking it.
        StorageRefused: CF-145, it is not what came.
    """
    if file.packed is None:
        return store.save(file.key, path)
    with Scratch() as aside:
        packed = aside.file()
        fetch(store, file.key, file.packed, packed)
        ask(f"{WORKS}unpacked", packed, file.name, limits, into=path, method=file.packed.method, size=file.size, sha256=file.sha256)


def ask_of(store: ObjectStore, file: Kept, work: Work, limits: ReadingLimits, *, flows: bool) -> Answer:
    """What is made of a long file by one reader.

    Args:
        flows: it is read once, from its beginning on, and so need not lie anywhere unpacked.

    Raises:
        ExportRefused: its reader ended.
        StorageRefused: CF-145, it is not what came.
    """
    name, words = work
    with Scratch() as scratch:
        path, packed = scratch.file(), file.packed
        if packed is None or not flows:
            save(store, file, path, limits)
            return ask(name, path, file.name, limits, **words)
        fetch(store, file.key, packed, path)
        return ask(name, path, file.name, limits, unpacks=Unpacks(packed.method, file.size, file.sha256), **words)


def ask_about(store: ObjectStore, files: Sequence[Kept], works: Sequence[Work], limits: ReadingLimits) -> list[Answer | ExportRefused]:
    """What is made of several small files by one reader, which unpacks them too; see `ask_each`.

    Raises:
        StorageRefused: CF-145, one is not what came.
    """
    unpacks = [Unpacks(one.packed.method, one.size, one.sha256) if one.packed else None for one in files]
    data = _stored(store, files)
    return ask_each([Asked(work, some, one.name, words, how) for one, some, (work, words), how in zip(files, data, works, unpacks, strict=True)], limits)


def read_all(store: ObjectStore, files: Sequence[Kept], limits: ReadingLimits) -> list[bytes | ExportRefused]:
    """The bytes of several small files."""
    answers = ask_about(store, files, [(f"{WORKS}given", {})] * len(files), limits)
    return [one if isinstance(one, ExportRefused) else one.blob(0).read() for one in answers]


def fetch(store: ObjectStore, key: str, packed: Packed, path: Path) -> None:
    """Some of an archive, written to a file of ours.

    Raises:
        StorageRefused: CF-145, it is not what came.
    """
    for _ in range(_TRIES):
        with path.open("wb") as out:
            for at in range(0, packed.length, _PIECE):
                out.write(store.get_range(key, packed.start + at, min(_PIECE, packed.length - at)))
        if crc32_of(path) == packed.crc32:
            return
    raise StorageRefused("CF-145", "GetObject")


def _stored(store: ObjectStore, files: Sequence[Kept]) -> list[bytes]:
    """Small files as they are stored, packed or not; those that lie side by side in an archive with one request."""
    found: dict[int, bytes] = {}

    def get(some: list[tuple[str, Packed | None, int]]) -> None:
        key, packed, number = some[0]
        if packed is None:
            found[number] = store.get(key)
            return
        last = some[-1][1] or packed
        data = store.get_range(key, packed.start, last.start + last.length - packed.start)
        for _, one, place in some:
            assert one is not None
            begin = one.start - packed.start
            found[place] = _checked(store, key, one, data[begin : begin + one.length])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(get, _neighbours([(file.key, file.packed, number) for number, file in enumerate(files)])))
    return [found[number] for number in range(len(files))]


def _neighbours(files: list[tuple[str, Packed | None, int]]) -> Iterator[list[tuple[str, Packed | None, int]]]:
    """What is fetched with one request each."""
    some: list[tuple[str, Packed | None, int]] = []
    first = end = 0
    for file in sorted(files, key=lambda one: (one[0], one[1].start if one[1] else 0, one[2])):
        key, packed, _ = file
        if some and (packed is None or some[0][1] is None or some[0][0] != key or packed.start - end > _BETWEEN or packed.start + packed.length - first > _PIECE):
            yield some
            some = []
        if packed is not None:
            first, end = (first if some else packed.start), packed.start + packed.length
        some.append(file)
    if some:
        yield some


def _checked(store: ObjectStore, key: str, packed: Packed, data: bytes) -> bytes:
    """The same bytes if they are what was stored; else asked for again."""
    for attempt in range(_TRIES):
        if attempt:
            data = store.get_range(key, packed.start, packed.length)
        if crc32_of(data) == packed.crc32:
            return data
    raise StorageRefused("CF-145", "GetObject")
