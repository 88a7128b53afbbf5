"""The lists of one file, read behind the guard, and kept on disk until each has its turn."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from caseferry.reading.grid import Grid
from caseferry.reading.guard import WORKS, ask
from caseferry.services.scratch import Scratch
from config.limits import ReadingLimits


class Spooled:
    """One list as it was read: its first rows in hand, all of it in a file.

    Args:
        head: what is known of it, with the first rows for its cells.
    """

    def __init__(self, head: Grid, height: int, path: Path) -> None:
        self.head, self.height, self._path = head, height, path

    def whole(self) -> Grid:
        return replace(self.head, cells=pl.read_ipc(self._path))


def read_lists(data: bytes, is_workbook: bool, name: str, limits: ReadingLimits, scratch: Scratch, rows: int, encoding: str = "") -> list[Spooled]:
    """Every list of a workbook or a delimited file.

    Args:
        name: the file's name, for messages only.
        scratch: where the lists are kept.
        rows: how many are kept in hand.
        encoding: what a person said it is written in; else it is told by its bytes.

    Raises:
        ExportRefused: it is locked, damaged, out of proportion, or ended its reader.
    """
    answer = ask(f"{WORKS}lists", data, name, limits, workbook=is_workbook, file=name, encoding=encoding)
    found = []
    for number, fact in enumerate(answer.made):
        path = scratch.file()
        answer.save(number, path)
        height = fact.pop("height")
        found.append(Spooled(Grid(pl.read_ipc(path, n_rows=rows), **fact), height, path))
    return found


def heights(data: bytes, name: str, limits: ReadingLimits) -> dict[str, int]:
    """How many rows each sheet of a workbook has.

    Raises:
        ExportRefused: as `read_lists`.
    """
    return {fact["sheet"]: fact["height"] for fact in ask(f"{WORKS}lists", data, name, limits, workbook=True, file=name).made}
