"""The lists of one file, read behind the guard, and kept on disk until each has its turn."""

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from caseferry.reading.grid import Grid, gathered, numbered, widened
from caseferry.reading.guard import WORKS, Answer, Handed, ask
from caseferry.reading.kinds import Kind
from config.limits import ReadingLimits

RANGE = 64 << 20
"""Bytes of a long file that one reader reads."""
AT_ONCE = 2
"""Ranges of one file that are read side by side."""


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


def read_lists(data: bytes | Path, kind: Kind, name: str, limits: ReadingLimits, rows: int, encoding: str = "") -> list[Spooled]:
    """Every list of a file.

    A long delimited file is read in ranges, side by side; where one of them is not read in one way only, from its
    beginning to its end.

    Args:
        name: the file's name, for messages only.
        rows: how many are kept in hand.
        encoding: what a person said it is written in; else it is told by its bytes.

    Raises:
        ExportRefused: it is locked, damaged, out of proportion, or ended its reader.
    """
    with Handed(data) as handed:
        if kind is Kind.DELIMITED and not encoding and handed.size > RANGE:
            ranged = _in_ranges(handed, name, limits, rows)
            if ranged is not None:
                return [ranged]
        answer = ask(f"{WORKS}lists", handed, name, limits, kind=kind, file=name, encoding=encoding)
    found, first = [], 0
    for fact in answer.made:
        numbers = range(first, first + len(fact["rows"]))
        first = numbers.stop
        found.append(_spooled([partial(_cells, answer, number) for number in numbers], fact["width"], fact["height"], fact["facts"], rows))
    return found


def _in_ranges(handed: Handed, name: str, limits: ReadingLimits, rows: int) -> Spooled | None:
    told = ask(f"{WORKS}ranges", handed, name, limits, size=RANGE).made
    if told is None or len(told["spans"]) < 2:
        return None

    def read(span: list[int]) -> Answer:
        return ask(f"{WORKS}lists", handed, name, limits, is_large=True, kind=Kind.DELIMITED, file=name, span=span, shape=told["shape"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(read, told["spans"]))
    facts = [answer.made[0] for answer in answers]
    if not all(fact["is_proven"] for fact in facts):
        return None
    pieces: list[Callable[[], pl.DataFrame]] = []
    before = 0
    for answer, fact in zip(answers, facts, strict=True):
        pieces += [partial(_cells, answer, number, before) for number in range(len(answer))]
        before += fact["height"]
    lost = sum(fact["facts"]["notes"].get("replaced_characters", 0) for fact in facts)
    notes = {"notes": {"replaced_characters": lost} if lost else {}, "encoding": told["encoding"]}
    return _spooled(pieces, max(fact["width"] for fact in facts), before, notes, rows)


def _spooled(pieces: Sequence[Callable[[], pl.DataFrame]], width: int, height: int, facts: dict[str, Any], rows: int) -> Spooled:
    columns = [f"c{place}" for place in range(width)]
    head, held = [], 0
    for read in pieces:
        if held >= rows:
            break
        piece = widened(read(), columns).head(rows - held)
        head.append(pl.DataFrame(piece.to_dict(as_series=False), schema=piece.schema))  # a slice would keep all of it in memory
        held += piece.height
    return Spooled(gathered(head, **facts), height, pieces)


def _cells(answer: Answer, number: int, before: int = 0) -> pl.DataFrame:
    return numbered(pl.read_ipc(io.BytesIO(answer.blob(number).read())), before)


def heights(data: bytes | Path, name: str, limits: ReadingLimits) -> dict[str, int]:
    """How many rows each sheet of a workbook has.

    Raises:
        ExportRefused: as `read_lists`.
    """
    return dict(ask(f"{WORKS}heights", data, name, limits, file=name).made)
