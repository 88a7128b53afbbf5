"""The lists of one file, read behind the guard, and kept on disk until each has its turn."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from caseferry.errors import ExportRefused
from caseferry.reading.grid import Grid, gathered, numbered, widened
from caseferry.reading.guard import WORKS, Answer, Handed, ask
from caseferry.reading.kinds import Kind
from config.limits import ReadingLimits

RANGE = 64 << 20
"""The most bytes of a long file that one reader reads, or little more."""
_TOGETHER, _AT_MOST = 32 << 20, 2_000
"""Bytes, and messages, that one reader reads."""
AT_ONCE = 2
"""Ranges of one file that are read side by side."""


class Spooled:
    """One list as it was read: its first rows in hand, all of it in pieces on disk.

    Args:
        head: what is known of it, with the first rows for its cells.
        height: of all of it.
        pieces: of its cells, in order, and how often they like.
        ends_midway: its file breaks off in the middle of a row.
    """

    def __init__(self, head: Grid, height: int, pieces: Sequence[Callable[[], pl.DataFrame]], ends_midway: bool = False) -> None:
        self.head, self.height, self._pieces, self.ends_midway = head, height, pieces, ends_midway

    def on_sheet(self, name: str) -> "Spooled":
        """The same list, as the one of this name in its file."""
        return Spooled(replace(self.head, sheet=name), self.height, self._pieces, self.ends_midway)

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Its cells, some rows at a time, each with every column."""
        columns = self.head.columns
        for piece in self._pieces:
            yield widened(piece(), columns)


def read_lists(
    data: bytes | Path, kind: Kind, name: str, limits: ReadingLimits, rows: int, encoding: str = "", beside: int = -1, kinds: Mapping[str, str] | None = None
) -> list[Spooled]:
    """Every list of a file.

    A long delimited file is read in ranges, side by side; where one of them is not read in one way only, from its
    beginning to its end.

    Args:
        name: the file's name, for messages only.
        rows: how many are kept in hand.
        encoding: what a person said it is written in; else it is told by its bytes.
        beside: of a dBase table, where its memo file begins, if that lies behind it.
        kinds: of a database's table, what some of its columns hold, by their names.

    Raises:
        ExportRefused: it is locked, damaged, out of proportion, or ended its reader.
    """
    with Handed(data) as handed:
        if kind is Kind.DELIMITED and not encoding and handed.size > RANGE:
            ranged = _in_ranges(handed, name, limits, rows)
            if ranged is not None:
                return [ranged]
        answer = ask(f"{WORKS}lists", handed, name, limits, kind=kind, file=name, encoding=encoding, beside=beside, kinds=kinds)
    return lists_in(answer, rows)


def wanted(kind: Kind, name: str, encoding: str = "") -> tuple[str, dict[str, object]]:
    """What `read_lists` asks about a file, where one reader reads several: `lists_in` has them out of its answer."""
    return f"{WORKS}lists", {"kind": kind, "file": name, "encoding": encoding}


def lists_in(answer: Answer, rows: int) -> list[Spooled]:
    """Every list of a file, as its reader has answered; so many rows of each are kept in hand."""
    found, first = [], 0
    for fact in answer.made:
        numbers = range(first, first + len(fact["rows"]))
        first = numbers.stop
        found.append(_spooled([partial(_cells, answer, number) for number in numbers], fact["width"], fact["height"], fact["facts"], rows, fact.get("ends_midway", False)))
    return found


def _in_ranges(handed: Handed, name: str, limits: ReadingLimits, rows: int) -> Spooled | None:
    ranges = AT_ONCE * -(-handed.size // (AT_ONCE * RANGE))  # as many as are read together, and none much longer than another
    told = ask(f"{WORKS}ranges", handed, name, limits, size=-(-handed.size // ranges)).made
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
    return _spooled(pieces, max(fact["width"] for fact in facts), before, notes, rows, facts[-1]["ends_midway"])


def _spooled(pieces: Sequence[Callable[[], pl.DataFrame]], width: int, height: int, facts: dict[str, Any], rows: int, ends_midway: bool = False) -> Spooled:
    columns = [f"c{place}" for place in range(width)]
    head, held = [], 0
    for read in pieces:
        if held >= rows:
            break
        piece = widened(read(), columns).head(rows - held)
        head.append(pl.DataFrame(piece.to_dict(as_series=False), schema=piece.schema))  # a slice would keep all of it in memory
        held += piece.height
    return Spooled(gathered(head, **facts), height, pieces, ends_midway)


def _cells(answer: Answer, number: int, before: int = 0) -> pl.DataFrame:
    return numbered(pl.read_ipc(io.BytesIO(answer.blob(number).read())), before)


def read_messages(messages: Iterable[tuple[str, bytes]], limits: ReadingLimits, rows: int, refused: Callable[[str, str], None]) -> Spooled | None:
    """Messages that lie in files of their own, as one list: a row for each; nothing if there is none.

    Args:
        messages: name and bytes of each.
        rows: how many are kept in hand.
        refused: takes the name of a message that can't be read, and why.
    """
    from caseferry.reading.mails import HEADINGS

    head = pl.DataFrame([list(HEADINGS)], schema=[f"c{n}" for n in range(len(HEADINGS))], orient="row").with_row_index("row", offset=1)
    pieces: list[Callable[[], pl.DataFrame]] = [lambda: head]
    height = 1
    for batch in _batches(messages):
        for answer in _letters(batch, limits, refused):
            for number in range(len(answer)):
                cells = _cells(answer, number)
                pieces.append(partial(_moved, answer, number, height + 1))
                height += cells.height
    return _spooled(pieces, len(HEADINGS), height, {"encoding": "utf-8", "notes": {}}, rows) if height > 1 else None


def _moved(answer: Answer, number: int, first: int) -> pl.DataFrame:
    """A piece whose first row has this number."""
    return _cells(answer, number).drop("row").with_row_index("row", offset=first)


def _batches(messages: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    held = 0
    for name, data in messages:
        if batch and (held + len(data) > _TOGETHER or len(batch) >= _AT_MOST):
            yield batch
            batch, held = [], 0
        batch.append((name, data))
        held += len(data)
    if batch:
        yield batch


def _letters(batch: list[tuple[str, bytes]], limits: ReadingLimits, refused: Callable[[str, str], None]) -> Iterator[Answer]:
    """What a reader makes of a batch; where one message ends it, each half by itself, so that one costs no other."""
    spans, at = [], 0
    for name, data in batch:
        spans.append([name, at, len(data)])
        at += len(data)
    try:
        yield ask(f"{WORKS}letters", b"".join(data for _, data in batch), batch[0][0], limits, file=batch[0][0], spans=spans)
    except ExportRefused as refusal:
        if len(batch) == 1:
            refused(batch[0][0], f"{refusal.code} {refusal.detail}".strip())
            return
        middle = len(batch) // 2
        yield from _letters(batch[:middle], limits, refused)
        yield from _letters(batch[middle:], limits, refused)
