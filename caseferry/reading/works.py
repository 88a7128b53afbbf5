"""What is done to foreign bytes, each in a child of its own: see `caseferry.reading.guard`.

Every function takes the bytes and the limits, and gives back what JSON can hold and a list of byte strings.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

from caseferry.errors import ExportRefused
from caseferry.reading.archive import Archive, is_noise
from caseferry.reading.delimited import cut, read_delimited, sniff
from caseferry.reading.encoding import decode
from caseferry.reading.grid import Grid
from caseferry.reading.kinds import kind_of
from caseferry.reading.workbook import sheets_of

Made = tuple[Any, list[bytes]]
Limits = dict[str, Any]


def named(limits: Limits) -> Any:
    """The limits by attribute, as `config.limits.ReadingLimits` has them; that itself would cost each reader its import."""
    return SimpleNamespace(**limits)


def kind(data: bytes, limits: Limits, head: int = -1) -> Made:
    """What it is; `head` is where the tail begins when only the two ends were handed over."""
    return (kind_of(data) if head < 0 else kind_of(data[:head], data[head:])).value, []


def directory(data: bytes, limits: Limits, file: str) -> Made:
    """What an archive holds: each entry's name and size in the order of the names, and what of it can't be taken."""
    archive = Archive(data, file, named(limits))
    entries = [[entry.name, entry.size] for entry in _listed(archive)]
    return {"entries": entries, "refused": [list(one) for one in archive.refused]}, []


def entries(data: bytes, limits: Limits, file: str, numbers: Sequence[int]) -> Made:
    """Some entries of an archive: what each is, or why it can't be read, and its bytes."""
    archive = Archive(data, file, named(limits))
    listed = _listed(archive)
    found, blobs = [], []
    for number in numbers:
        try:
            inner = archive.read(listed[number])
            found.append({"kind": kind_of(inner).value})
        except ExportRefused as refusal:
            inner = b""
            found.append({"code": refusal.code, "detail": refusal.detail})
        blobs.append(inner)
    return found, blobs


def _listed(archive: Archive) -> list[Any]:
    return sorted((entry for entry in archive.entries if not is_noise(entry.name)), key=lambda entry: (entry.name, entry.start))


def lists(data: bytes, limits: Limits, workbook: bool, file: str, encoding: str = "") -> Made:
    """Every grid of a workbook or a delimited file: what is known of each, and its cells."""
    grids = sheets_of(data, file, named(limits)) if workbook else [read_delimited(data, encoding, limits["field_bytes"])]
    facts, blobs = [], []
    for grid in grids:
        if grid.width > limits["columns"]:
            raise ExportRefused("CF-130", file, f"more than {limits['columns']} columns")
        buffer = io.BytesIO()
        grid.cells.write_ipc(buffer)
        blobs.append(buffer.getvalue())
        facts.append({f.name: getattr(grid, f.name) for f in fields(Grid) if f.name != "cells"} | {"height": grid.cells.height})
    return facts, blobs


def heading_row(data: bytes, limits: Limits) -> Made:
    """The first row of a delimited file: a template's headings."""
    delimiter, text = sniff(decode(data).text)
    rows, _ = cut(text, delimiter)
    return list(rows[0]) if rows.len() else [], []


def mapping(data: bytes, limits: Limits) -> Made:
    """A JSON mapping: choices as the firm wrote them.

    Raises:
        ExportRefused: CF-124, it is no JSON, no mapping, or nested past the limit.
    """
    try:
        value = json.loads(data, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half a character can be written in JSON and nowhere else
    except (ValueError, RecursionError):
        raise ExportRefused("CF-124", "", "it is not JSON") from None
    if not isinstance(value, dict):
        raise ExportRefused("CF-124", "", "it is not a mapping of choices")
    if _depth(value) > limits["json_depth"]:
        raise ExportRefused("CF-124", "", "it is nested too deep")
    return value, []


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _depth(value: Any) -> int:
    """How deep the mappings and lists lie in each other."""
    depth, level = 0, [value]
    while level:
        depth += 1
        inside = (one for holder in level for one in (holder.values() if isinstance(holder, dict) else holder))
        level = [one for one in inside if isinstance(one, dict | list)]
    return depth
