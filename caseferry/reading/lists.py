"""The lists of one file, read behind the guard."""

import io

import polars as pl

from caseferry.reading.grid import Grid
from caseferry.reading.guard import WORKS, Answer, ask
from config.limits import ReadingLimits


def read_lists(data: bytes, is_workbook: bool, name: str, limits: ReadingLimits, encoding: str = "") -> list[Grid]:
    """Every grid of a workbook or a delimited file.

    Args:
        name: the file's name, for messages only.
        encoding: what a person said it is written in; else it is told by its bytes.

    Raises:
        ExportRefused: it is locked, damaged, out of proportion, or ended its reader.
    """
    return _grids(ask(f"{WORKS}lists", data, name, limits, workbook=is_workbook, file=name, encoding=encoding))


def _grids(answer: Answer) -> list[Grid]:
    return [Grid(pl.read_ipc(io.BytesIO(blob)), **fact) for fact, blob in zip(answer.made, answer.blobs, strict=True)]
