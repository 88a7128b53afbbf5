"""The lists of one file, read behind the guard, and kept on disk until each has its turn."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import polars as pl

from caseferry.errors import ExportRefused
from caseferry.reading import ranged
from caseferry.reading.guard import WORKS, Answer, Handed, Unpacks, ask
from caseferry.reading.kinds import Kind
from caseferry.reading.ranged import Ahead
from caseferry.reading.spooled import Spooled, cells, spooled
from config.limits import ReadingLimits

_TOGETHER, _AT_MOST = 32 << 20, 2_000
"""Bytes, and messages, that one reader reads."""


def read_lists(
    data: bytes | Path, kind: Kind, name: str, limits: ReadingLimits, rows: int, encoding: str = "", beside: int = -1, kinds: Mapping[str, str] | None = None,
    ahead: Ahead | None = None, packed: tuple[Path, Unpacks] | None = None,
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
        ahead: reads the later ranges of a long file while its first rows are looked at.
        packed: where the file lies packed, if `data` is to hold it only when it was unpacked; `unpacks_itself` says for which.

    Raises:
        ExportRefused: it is locked, damaged, out of proportion, or ended its reader.
    """

    def from_end_to_end(handed: Handed) -> list[Spooled]:
        return lists_in(ask(f"{WORKS}lists", handed, name, limits, kind=kind, file=name, encoding=encoding, beside=beside, kinds=kinds), rows)

    if packed is not None:
        assert ahead is not None and isinstance(data, Path)
        return ahead.unpack(*packed, data, name, limits, rows, from_end_to_end)
    with Handed(data) as handed:
        if kind is Kind.DELIMITED and not encoding and handed.size > ranged.RANGE:
            if ahead is not None and isinstance(data, Path):
                return ahead.begin(data, name, limits, rows, from_end_to_end)
            found = ranged.in_ranges(handed, name, limits, rows)
            if found is not None:
                return [found]
        return from_end_to_end(handed)


def unpacks_itself(kind: Kind, size: int, encoding: str) -> bool:
    """True for a long list, which is read while it is unpacked."""
    return kind is Kind.DELIMITED and not encoding and size > ranged.RANGE


def wanted(kind: Kind, name: str, encoding: str = "") -> tuple[str, dict[str, object]]:
    """What `read_lists` asks about a file, where one reader reads several: `lists_in` has them out of its answer."""
    return f"{WORKS}lists", {"kind": kind, "file": name, "encoding": encoding}


def lists_in(answer: Answer, rows: int) -> list[Spooled]:
    """Every list of a file, as its reader has answered; so many rows of each are kept in hand."""
    found, first = [], 0
    for fact in answer.made:
        numbers = range(first, first + len(fact["rows"]))
        first = numbers.stop
        found.append(spooled([partial(cells, answer, number) for number in numbers], fact["width"], fact["height"], fact["facts"], rows, fact.get("ends_midway", False)))
    return found


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
                some = cells(answer, number)
                pieces.append(partial(_moved, answer, number, height + 1))
                height += some.height
    return spooled(pieces, len(HEADINGS), height, {"encoding": "utf-8", "notes": {}}, rows) if height > 1 else None


def _moved(answer: Answer, number: int, first: int) -> pl.DataFrame:
    """A piece whose first row has this number."""
    return cells(answer, number).drop("row").with_row_index("row", offset=first)


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
