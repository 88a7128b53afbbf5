"""What a file is and what an archive holds, asked behind the guard; archives in archives as deep as the limits let."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caseferry.abreast import abreast
from caseferry.errors import ExportRefused
from caseferry.manifest import Packed, Refusal
from caseferry.reading.guard import WORKS, Handed, ask
from caseferry.reading.kinds import Kind
from caseferry.services.scratch import NOTHING, Scratch, Span
from config.limits import ReadingLimits

_BATCH = 64 << 20
"""Bytes of an archive that are asked for at a time."""
_AT_ONCE = 2
"""Those of one archive that are read side by side."""


@dataclass(frozen=True)
class Found:
    """One file of a drop."""

    name: str
    archive: str
    kind: Kind
    size: int
    sha256: str
    data: Span = NOTHING
    """Its bytes, where it lies in an archive in the archive."""
    packed: Packed | None = None
    """Where it lies, if in the archive that came itself; without a checksum yet."""
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
        batches = list(_batches(listed["entries"]))
        read = abreast(lambda one: list(_read(handed, *one, name, limits, is_kept=depth > 0)), batches, [size for _, size in batches], _AT_ONCE)
        for some in read:
            for number, told, inner in some:
                entry, length = listed["entries"][number]
                shown = _shown(name, entry, depth)
                if "code" in told:
                    refused.append(Refusal(name=shown, code=told["code"], detail=told["detail"]))
                elif told["kind"] != Kind.ARCHIVE:
                    yield Found(shown, name, Kind(told["kind"]), length, told["sha256"], inner, None if depth else Packed(**told["lies"], crc32=""))
                elif depth >= nesting:
                    refused.append(Refusal(name=shown, code="CF-111", detail="archives lie too deep in archives"))
                else:
                    path = scratch.file()
                    try:
                        ask(f"{WORKS}entries", handed, name, limits, into=path, file=name, numbers=[number], is_kept=True)
                    except ExportRefused as refusal:
                        refused.append(Refusal(name=shown, code=refusal.code, detail=refusal.detail))
                    else:
                        yield from _inner(path, entry, shown, limits, nesting, refused, scratch, depth)


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


def _read(handed: Handed, batch: list[int], size: int, name: str, limits: ReadingLimits, is_kept: bool) -> Iterator[tuple[int, dict[str, Any], Span]]:
    """Entries of one batch, what is told of each, and its bytes if they are kept; where the batch ends its reader, each by
    itself, so that one costs no other."""
    try:
        answer = ask(f"{WORKS}entries", handed, name, limits, is_kept and size > _BATCH, file=name, numbers=batch, is_kept=is_kept)
    except ExportRefused as refusal:
        if len(batch) == 1:
            yield batch[0], {"code": refusal.code, "detail": refusal.detail}, NOTHING
        else:
            for number in batch:
                yield from _read(handed, [number], size, name, limits, is_kept)
        return
    for place, (number, told) in enumerate(zip(batch, answer.made, strict=True)):
        yield number, told, answer.blob(place)
