"""The lists of one file, read behind the guard, and kept on disk until each has its turn."""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from caseferry.reading.grid import Grid, gathered, widened
from caseferry.reading.guard import WORKS, Answer, ask
from config.limits import ReadingLimits


class Spooled:
    """One list as it was read: its first rows in hand, all of it in pieces on disk.

    Args:
        head: what is known of it, with the first rows for its cells.
        height: of all of it.
        pieces: of its cells, in order, and how often they like.
    """

    def __init__(self, head: Grid, height: int, pieces: Sequence[Callable[[], pl.DataFrame]]) -> None:
        self.head, self.height, self._pieces = head, height, pieces

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Its cells, some rows at a time, each with every column."""
        columns = self.head.columns
        for piece in self._pieces:
            yield widened(piece(), columns)


def read_lists(data: bytes | Path, is_workbook: bool, name: str, limits: ReadingLimits, rows: int, encoding: str = "") -> list[Spooled]:
    """Every list of a workbook or a delimited file.

    Args:
        name: the file's name, for messages only.
        rows: how many are kept in hand.
        encoding: what a person said it is written in; else it is told by its bytes.

    Raises:
        ExportRefused: it is locked, damaged, out of proportion, or ended its reader.
    """
    answer = ask(f"{WORKS}lists", data, name, limits, workbook=is_workbook, file=name, encoding=encoding)
    found, first = [], 0
    for fact in answer.made:
        numbers = range(first, first + len(fact["rows"]))
        first = numbers.stop
        found.append(_spooled(fact, answer, numbers, rows))
    return found


def _spooled(fact: dict[str, Any], answer: Answer, numbers: range, rows: int) -> Spooled:
    columns = [f"c{place}" for place in range(fact["width"])]
    head, held = [], 0
    for number in numbers:
        if held >= rows:
            break
        piece = widened(_cells(answer, number), columns).head(rows - held)
        head.append(pl.DataFrame(piece.to_dict(as_series=False), schema=piece.schema))  # a slice would keep all of it in memory
        held += piece.height
    return Spooled(gathered(head, **fact["facts"]), fact["height"], [partial(_cells, answer, number) for number in numbers])


def _cells(answer: Answer, number: int) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(answer.blob(number).read()))


def heights(data: bytes | Path, name: str, limits: ReadingLimits) -> dict[str, int]:
    """How many rows each sheet of a workbook has.

    Raises:
        ExportRefused: as `read_lists`.
    """
    return dict(ask(f"{WORKS}heights", data, name, limits, file=name).made)
