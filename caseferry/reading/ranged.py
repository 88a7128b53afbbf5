"""A long delimited file: read in ranges, side by side, and looked at while its later ranges are still read."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from caseferry.errors import ExportRefused, PassingFault
from caseferry.reading.grid import widened
from caseferry.reading.guard import WORKS, Answer, Handed, Unpacks, ask
from caseferry.reading.kinds import Kind
from caseferry.reading.spooled import Spooled, cells, head_of, spooled
from caseferry.services.store import at_rest
from config.limits import ReadingLimits

RANGE = 64 << 20
"""The most bytes of a long file that one reader reads, or little more."""
AT_ONCE, _AHEAD = 2, 3
"""Ranges that are read side by side, and those that are asked for before whoever goes through them has come to them."""


class Surprise(Exception):
    """A list is not what its first rows promised: whatever was made of it is no good. `settled` has it as it is."""


class Ranges:
    """A file that can be read in ranges. Each is read in one way only, or none of them is any good.

    Args:
        handed: open as long as anything is asked of it.
        rows: how many are kept in hand.
    """

    def __init__(self, handed: Handed, name: str, limits: ReadingLimits, rows: int) -> None:
        self._handed, self._name, self._limits, self._rows = handed, name, limits, rows
        told = ask(f"{WORKS}ranges", handed, name, limits, size=_even(handed.size)).made
        self._told: dict[str, Any] = told or {}
        self.spans: list[list[int]] = self._told.get("spans", [])

    @property
    def are_several(self) -> bool:
        return len(self.spans) > 1

    def later(self) -> Iterator[Sequence[int]]:
        """Those behind the first."""
        return iter(self.spans[1:])

    def wait(self) -> None:
        """Until all of the file is there."""

    def read(self, span: Sequence[int], over: Answer | None = None) -> Answer:
        """The cells of one range, in pieces.

        Args:
            over: of another one, which nobody asks any more.
        """
        words = {"kind": Kind.DELIMITED, "file": self._name, "span": span, "shape": self._told["shape"]}
        return ask(f"{WORKS}lists", self._handed, self._name, self._limits, is_large=True, gently=True, over=over, **words)

    def every(self) -> Spooled | None:
        """The list, with all ranges read; nothing if one of them may be read in several ways."""
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            return self._whole(list(pool.map(self.read, self.spans)))
        finally:
            at_rest(pool)

    def _whole(self, answers: Sequence[Answer]) -> Spooled | None:
        facts = [answer.made[0] for answer in answers]
        if not all(fact["is_proven"] for fact in facts):
            return None
        pieces: list[Callable[[], pl.DataFrame]] = []
        before = 0
        for answer, fact in zip(answers, facts, strict=True):
            pieces += [partial(cells, answer, number, before) for number in range(len(answer))]
            before += fact["height"]
        lost = sum(map(_lost, facts))
        notes = {"notes": {"replaced_characters": lost} if lost else {}, "encoding": self._told["encoding"]}
        return spooled(pieces, max(fact["width"] for fact in facts), before, notes, self._rows, facts[-1]["ends_midway"])

    def first(self, answer: Answer) -> tuple[Any, int]:
        """The first rows, told by the first range; and about how many all of them hold."""
        fact = answer.made[0]
        pieces = [partial(cells, answer, number) for number in range(len(answer))]
        return head_of(pieces, fact["width"], {"notes": {}, "encoding": self._told["encoding"]}, self._rows), fact["height"] * self._count

    @property
    def _count(self) -> int:
        """About how many there are."""
        return len(self.spans)


def _even(size: int) -> int:
    """The bytes of a range: as many as are read together, and none much longer than another."""
    return -(-size // (AT_ONCE * -(-size // (AT_ONCE * RANGE))))


class Coming(Ranges):
    """The same of a file that is still being unpacked: a range can be read as soon as it is there.

    Args:
        packed: the file as it is packed.
        unpacks: how it is unpacked.
        into: a file of ours that is to hold it. `handed` is that one.
        pool: whose threads have nothing else to do.
    """

    def __init__(self, packed: Handed, unpacks: Unpacks, into: Path, handed: Handed, name: str, limits: ReadingLimits, rows: int, pool: ThreadPoolExecutor) -> None:
        self._handed, self._name, self._limits, self._rows, self._size = handed, name, limits, rows, unpacks.size
        self._told, self.spans, self._is_all = {}, [], False
        ours, theirs = os.pipe()
        self._said = os.fdopen(ours, "rb")
        self._unpacked = pool.submit(_unpack, packed, name, limits, into, theirs, unpacks._asdict() | {"of": _even(unpacks.size)})

    def begin(self) -> Sequence[int] | None:
        """The first range; nothing if the file has to be read otherwise, and is there."""
        try:
            self._told = self._next()
            return next(self._live())
        except (Surprise, StopIteration):
            return None

    def _next(self) -> dict[str, Any]:
        """What is said next.

        Raises:
            Surprise: that there is nothing to say. All of the file is there then.
            ExportRefused, StorageRefused: it is not to be had.
        """
        line = self._said.readline()
        said: dict[str, Any] = json.loads(line) if line else {}
        if not said or "end" in said:
            self.wait()
        if not said:
            raise Surprise
        return said

    def _live(self) -> Iterator[Sequence[int]]:
        while "end" not in (said := self._next()):
            self.spans.append(said["span"])
            yield said["span"]
        self._is_all = True

    def later(self) -> Iterator[Sequence[int]]:
        return iter(self.spans[1:]) if self._is_all else self._live()

    def wait(self) -> None:
        self._unpacked.result()

    def every(self) -> Spooled | None:
        self.wait()
        whole = Ranges(self._handed, self._name, self._limits, self._rows)
        return whole.every() if whole.are_several else None

    @property
    def _count(self) -> int:
        first, end = self.spans[0]
        return -(-self._size // (end - first))


def _unpack(packed: Handed, name: str, limits: ReadingLimits, into: Path, talk: int, words: Mapping[str, Any]) -> None:
    with packed, os.fdopen(talk, "wb"):  # who listens hears of its end
        try:
            ask(f"{WORKS}unpacked", packed, name, limits, into=into, talk=talk, **words)
        except PassingFault:  # whoever forks readers was ended, and nobody knows how much was said
            ask(f"{WORKS}unpacked", packed, name, limits, into=into, **{**words, "of": 0})


def _lost(fact: dict[str, Any]) -> int:
    return int(fact["facts"]["notes"].get("replaced_characters", 0))


def in_ranges(handed: Handed, name: str, limits: ReadingLimits, rows: int) -> Spooled | None:
    """A long list, with all of it read; nothing where it has to be read from its beginning to its end."""
    ranges = Ranges(handed, name, limits, rows)
    return ranges.every() if ranges.are_several else None


class Ahead:
    """Reads ranges nobody has asked for yet. When it is left nothing is at work any more."""

    def __init__(self) -> None:
        self._pool, self._unpacking, self._handed = ThreadPoolExecutor(AT_ONCE), ThreadPoolExecutor(AT_ONCE), list[Handed]()

    def begin(self, data: Path, name: str, limits: ReadingLimits, rows: int, from_end_to_end: Callable[[Handed], list[Spooled]]) -> list[Spooled]:
        """A long list, as soon as its first rows are read, if it can be read in ranges.

        Args:
            from_end_to_end: reads it where it can't.
        """
        handed = self._hand(data)
        ranges = Ranges(handed, name, limits, rows)
        return self._begin(ranges, ranges.spans[0] if ranges.are_several else None, partial(from_end_to_end, handed))

    def unpack(self, packed: Path, unpacks: Unpacks, into: Path, name: str, limits: ReadingLimits, rows: int, from_end_to_end: Callable[[Handed], list[Spooled]]) -> list[Spooled]:
        """The same of a file that is still packed: its first rows are there before its last are unpacked.

        Args:
            into: a file of ours that is to hold it.

        Raises:
            ExportRefused: its reader ended.
            StorageRefused: CF-145, it is not what came.
        """
        handed = self._hand(into)
        coming = Coming(Handed(packed), unpacks, into, handed, name, limits, rows, self._unpacking)
        return self._begin(coming, coming.begin(), partial(from_end_to_end, handed))

    def _hand(self, data: Path) -> Handed:
        handed = Handed(data)
        self._handed.append(handed)
        return handed

    def _begin(self, ranges: Ranges, span: Sequence[int] | None, again: Callable[[], list[Spooled]]) -> list[Spooled]:
        first = ranges.read(span) if span else None
        if first is None or not first.made[0]["is_proven"]:
            ranges.wait()
            return again()
        try:
            return [_Looked(ranges, first, partial(self._submit, ranges), again)]
        except Surprise:
            whole = ranges.every()
            return [whole] if whole is not None else again()

    def _submit(self, ranges: Ranges, span: Sequence[int], over: Answer | None = None) -> Future[Answer]:
        return self._pool.submit(ranges.read, span, over)

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            at_rest(self._unpacking)
            at_rest(self._pool)
        finally:
            for handed in self._handed:
                with handed:
                    pass


class _Looked(Spooled):
    """A long list of which the first range is there. Of each further one it shows, when it is asked for, whether the whole
    is what the first rows promised. A few of them lie there at a time; whoever goes through them again has them read again.

    Args:
        read: begins to read a range.
        again: reads all of the list, from end to end.
    """

    def __init__(self, ranges: Ranges, first: Answer, read: Callable[..., Future[Answer]], again: Callable[[], list[Spooled]]) -> None:
        self._ranges, self._first, self._read, self._again = ranges, first, read, again
        self.head, self._about = ranges.first(first)
        self._begun: _Begun | None = self._begin()
        self._counted: int | None = None

    def _begin(self) -> "_Begun":
        left = self._ranges.later()
        return deque(self._read(span) for span in islice(left, _AHEAD)), left

    @property
    def height(self) -> int:
        if self._counted is None:
            for _ in self._answers():
                pass
        assert self._counted is not None
        return self._counted

    @property
    def length(self) -> int:
        return self._about

    @property
    def ends_midway(self) -> bool:
        return False  # or it is a surprise

    def pieces(self) -> Iterator[pl.DataFrame]:
        columns, before = self.head.columns, 0
        for answer in self._answers():
            for number in range(len(answer)):
                yield widened(cells(answer, number, before), columns)
            before += answer.made[0]["height"]

    def settled(self) -> list[Spooled]:
        whole = self._ranges.every()
        return [whole] if whole is not None else self._again()

    def _answers(self) -> Iterator[Answer]:
        """Each range's, as they come. The next may be written over it.

        Raises:
            Surprise: one is not as the first rows are.
        """
        coming = deque[Future[Answer]]()
        try:
            (coming, left), self._begun = self._begun or self._begin(), None
            yield self._as_promised(self._first)
            height = self._first.made[0]["height"]
            while coming:
                answer = coming.popleft().result()
                yield self._as_promised(answer)
                height += answer.made[0]["height"]
                coming.extend(self._read(span, answer) for span in islice(left, 1))
        except ExportRefused:
            raise Surprise from None
        finally:
            for one in coming:  # whoever goes no further wants none of them
                one.cancel()
        self._counted = height

    def _as_promised(self, answer: Answer) -> Answer:
        fact = answer.made[0]
        if not fact["is_proven"] or fact["width"] > len(self.head.columns) or _lost(fact) or fact["ends_midway"]:
            raise Surprise
        return answer


_Begun = tuple[deque[Future[Answer]], Iterator[Sequence[int]]]
"""The ranges that are being read, and those that nobody has asked for."""
