"""Import files put together by the store, out of stretches that several tasks have laid; then read through, piece by piece."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import accumulate, pairwise

import polars as pl
from isal import isal_zlib

from caseferry.errors import BrokenPromise
from caseferry.keys import Run
from caseferry.manifest import Batch, ImportFile, Laying, Piece, Placed
from caseferry.mapping.target import Target
from caseferry.services.store import ObjectStore
from tasks.merge.files import write_lines

_AT_ONCE = 2
"""Files that are put together, and read, at a time."""
_AGAIN = 3
"""How often a piece, or a header, that is not what was laid is read, before it is taken for what is stored."""
_STRETCH = 8 << 20
"""Bytes of a file that are read at a time, as far as its pieces allow: a request costs a store as much as megabytes do."""


def gather(store: ObjectStore, run: Run, laid: Mapping[str, Laying], target: Target) -> Laying:
    """Put the files of a run together, and add up what is told of its batches.

    Args:
        laid: by part, in the order of their batches.

    Returns:
        The files in import order; and all batches, with the headers counted among their files' first pieces.

    Raises:
        BrokenPromise: what lies there is not what was laid.
    """
    files, batches = _files(store, run, laid, target)
    placed, derived, not_taken = dict[str, Placed](), dict[str, int](), dict[str, tuple[int, Decimal | None]]()
    for laying in laid.values():
        for record, more in laying.placed.items():
            placed[record] = Placed(**{place: count + getattr(more, place) for place, count in placed.get(record, Placed())})
        for record, count in laying.derived.items():
            derived[record] = derived.get(record, 0) + count
        for reason, (rows, total) in laying.not_taken.items():
            before, some = not_taken.get(reason, (0, None))
            not_taken[reason] = (before + rows, total if some is None else some if total is None else some + total)
    every = laid.values()
    return Laying(
        files=files, batches=batches, placed=placed, derived=derived, not_taken=not_taken,
        findings=tuple(note for one in every for note in one.findings), todo=tuple(text for one in every for text in one.todo),
    )  # fmt: skip


def _files(store: ObjectStore, run: Run, laid: Mapping[str, Laying], target: Target) -> tuple[tuple[ImportFile, ...], tuple[Batch, ...]]:
    found = defaultdict[str, list[tuple[str, ImportFile]]](list)
    for part, laying in laid.items():
        for entry in laying.files:
            found[entry.name].append((part, entry))
    batches = [batch for laying in laid.values() for batch in laying.batches]
    pieces = {name: [piece for batch in batches for piece in batch.pieces if piece.file == name] for name in found}
    stretches = {name: [(run.at("3-merge", "laid", part, name), _length(laid[part], name)) for part, _ in some] for name, some in found.items()}

    def made(name: str) -> tuple[ImportFile, Piece]:
        entries = [entry for _, entry in found[name]]
        if any(entry.model_copy(update={"rows": entries[0].rows, "sha256": entries[0].sha256}) != entries[0] for entry in entries):
            raise BrokenPromise("stretches of one file are laid out in two ways")
        head = bytearray()
        write_lines(pl.DataFrame(schema=[f"{place}" for place in range(len(entries[0].header))]), entries[0].header, target, head.extend)
        header = bytes(head)
        try:
            store.join(run.at("3-merge", "files", name), header, stretches[name])
        except KeyError:
            raise BrokenPromise("a stretch of a file is missing") from None
        first, digest = _read_through(store, run.at("3-merge", "files", name), header, pieces[name])
        return entries[0].model_copy(update={"rows": sum(entry.rows for entry in entries), "sha256": digest}), first

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        files = list(pool.map(made, sorted(found, key=lambda name: -sum(length for _, length in stretches[name]))))
    headed = {entry.name: first for entry, first in files}
    every = tuple(batch.model_copy(update={"pieces": tuple(headed.pop(piece.file, piece) for piece in batch.pieces)}) for batch in batches)
    return tuple(sorted((entry for entry, _ in files), key=lambda entry: (entry.order, entry.user))), every


def _length(laying: Laying, name: str) -> int:
    return sum(piece.size for batch in laying.batches for piece in batch.pieces if piece.file == name)


def _read_through(store: ObjectStore, key: str, header: bytes, pieces: Sequence[Piece]) -> tuple[Piece, str]:
    """The first piece as it is with the header before it, and the SHA-256 of the file."""
    at, digest, first = len(header), hashlib.sha256(header), pieces[0]
    if _size(store, key) != at + sum(piece.size for piece in pieces):
        raise BrokenPromise("a file is not as long as what was laid for it")
    if not any(store.get_range(key, 0, at) == header for _ in range(_AGAIN)):
        raise BrokenPromise("a file does not begin with its header")
    for some in _in_stretches(pieces):
        data = _proven(store, key, at, some)
        digest.update(data)
        if at == len(header):
            first = first.model_copy(update={"size": at + first.size, "crc32": f"{isal_zlib.crc32(data[: first.size], isal_zlib.crc32(header)):08x}"})
        at += len(data)
    return first, digest.hexdigest()


def _in_stretches(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces that are read with one request."""
    held: list[Piece] = []
    for piece in pieces:
        if held and sum(one.size for one in held) + piece.size > _STRETCH:
            yield held
            held = []
        held.append(piece)
    yield held


def _proven(store: ObjectStore, key: str, start: int, pieces: Sequence[Piece]) -> bytes:
    """The bytes of some pieces, each of which is what was laid."""
    ends = list(accumulate((piece.size for piece in pieces), initial=0))
    for _ in range(_AGAIN):
        data = store.get_range(key, start, ends[-1])
        if all(f"{isal_zlib.crc32(data[begin:end]):08x}" == piece.crc32 for piece, (begin, end) in zip(pieces, pairwise(ends), strict=True)):
            return data
    raise BrokenPromise("a piece of a file is not what was laid")


def _size(store: ObjectStore, key: str) -> int:
    found = store.stat(key)
    return found.size if found else 0
