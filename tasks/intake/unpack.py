"""What a file is and what an archive holds, asked behind the guard; archives in archives as deep as the limits let."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from caseferry.errors import ExportRefused
from caseferry.manifest import Refusal
from caseferry.reading.guard import WORKS, Handed, ask
from caseferry.reading.kinds import Kind
from caseferry.services.scratch import NOTHING, Scratch, Span
from caseferry.services.store import pieces_of
from config.limits import ReadingLimits

_BATCH = 64 << 20
"""Bytes of an archive that are asked for at a time."""


@dataclass(frozen=True)
class Found:
    """One file of a drop."""

    name: str
    archive: str
    kind: Kind
    data: Path | Span
    held_by: str = ""
    """Key of the stored object that is it, or that it lies in; nothing if it is to be stored by itself."""


def kind_behind(data: bytes | Path, name: str, limits: ReadingLimits, head: int = -1) -> Kind:
    """What a file is, by its content.

    Args:
        head: where the tail begins, when `data` is only the two ends of it.
    """
    return Kind(ask(f"{WORKS}kind", data, name, limits, head=head).made)


def unpack(data: bytes | Path, name: str, limits: ReadingLimits, nesting: int, refused: list[Refusal], scratch: Scratch, depth: int = 0) -> Iterator[Found]:
    """Every file of an archive.

    Args:
        refused: takes what could not be read of it, by name and reason.
        scratch: where archives in the archive lie.

    Raises:
        ExportRefused: the archive as a whole can't be taken.
    """
    with Handed(data) as handed:
        listed = ask(f"{WORKS}directory", handed, name, limits, file=name).made
        for entry, code, detail in listed["refused"]:
            refused.append(Refusal(name=_shown(name, entry, depth), code=code, detail=detail))
        for batch, size in _batches(listed["entries"]):
            for number, kind, code, detail, inner in _read(handed, batch, size, name, limits):
                entry = _shown(name, listed["entries"][number][0], depth)
                if code:
                    refused.append(Refusal(name=entry, code=code, detail=detail))
                elif kind is not Kind.ARCHIVE:
                    yield Found(entry, name, kind, inner)
                elif depth >= nesting:
                    refused.append(Refusal(name=entry, code="CF-111", detail="archives lie too deep in archives"))
                else:
                    path = scratch.file()
                    with path.open("wb") as out:
                        out.writelines(pieces_of(inner))
                    yield from _inner(path, listed["entries"][number][0], entry, limits, nesting, refused, scratch, depth)


def _inner(data: Path, name: str, shown: str, limits: ReadingLimits, nesting: int, refused: list[Refusal], scratch: Scratch, depth: int) -> Iterator[Found]:
    """An archive in the archive: whole, or not at all."""
    odd: list[Refusal] = []
    try:
        found = list(unpack(data, name, limits, nesting, odd, scratch, depth + 1))
    except ExportRefused as refusal:
        refused.append(Refusal(name=shown, code=refusal.code, detail=refusal.detail))
        return
    refused += odd
    yield from found


def _shown(archive: str, entry: str, depth: int) -> str:
    return entry if depth == 0 else f"{archive}/{entry}"


def _batches(entries: list[tuple[str, int]]) -> Iterator[tuple[list[int], int]]:
    """Numbers of entries to read together, and their bytes."""
    batch: list[int] = []
    held = 0
    for number, (_, size) in enumerate(entries):
        if batch and held + size > _BATCH:
            yield batch, held
            batch, held = [], 0
        batch.append(number)
        held += size
    if batch:
        yield batch, held


def _read(handed: Handed, batch: list[int], size: int, name: str, limits: ReadingLimits) -> Iterator[tuple[int, Kind, str, str, Span]]:
    """Entries of one batch; where the batch ends its reader, each by itself, so that one costs no other."""
    try:
        answer = ask(f"{WORKS}entries", handed, name, limits, size > _BATCH, file=name, numbers=batch)
    except ExportRefused as refusal:
        if len(batch) == 1:
            yield batch[0], Kind.DOCUMENT, refusal.code, refusal.detail, NOTHING
        else:
            for number in batch:
                yield from _read(handed, [number], size, name, limits)
        return
    for place, (number, found) in enumerate(zip(batch, answer.made, strict=True)):
        yield number, Kind(found.get("kind", Kind.DOCUMENT)), found.get("code", ""), found.get("detail", ""), answer.blob(place)
