"""A long delimited file: read in ranges, side by side, and looked at while its later ranges are still read."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from caseferry.errors import ExportRefused
from caseferry.reading.grid import widened
from caseferry.reading.guard import WORKS, Answer, Handed, ask
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
        count = AT_ONCE * -(-handed.size // (AT_ONCE * RANGE))  # as many as are read together, and none much longer than another
        told = ask(f"{WORKS}ranges", handed, name, limits, size=-(-handed.size // count)).made
        self._told: dict[str, Any] = told or {}
        self.spans: list[list[int]] = self._told.get("spans", [])

    @property
    def are_several(self) -> bool:
        return len(self.spans) > 1

    def read(self, span: Sequence[int], over: Answer | None = None) -> Answer:
        """The cells of one range, in pieces.

        Args:
            over: of another one, which nobody asks any more.
        """
        words = {"kind": Kind.DELIMITED, "file": self._name, "span": span, "shape": self._told["shape"]}
        return ask(f"{WORKS}lists", self._handed, self._name, self._limits, is_large=True, gently=True, over=over, **words)

    def every(self) -> Spooled | None:
        """The list, with all ranges read; nothing if one of them may be read in several ways."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return self._whole(list(pool.map(self.read, self.spans)))

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
        return head_of(pieces, fact["width"], {"notes": {}, "encoding": self._told["encoding"]}, self._rows), fact["height"] * len(self.spans)


def _lost(fact: dict[str, Any]) -> int:
    return int(fact["facts"]["notes"].get("replaced_characters", 0))


def in_ranges(handed: Handed, name: str, limits: ReadingLimits, rows: int) -> Spooled | None:
    """A long list, with all of it read; nothing where it has to be read from its beginning to its end."""
    ranges = Ranges(handed, name, limits, rows)
    return ranges.every() if ranges.are_several else None


class Ahead:
    """Reads ranges nobody has asked for yet. When it is left nothing is at work any more."""

    def __init__(self) -> None:
        self._pool, self._handed = ThreadPoolExecutor(AT_ONCE), list[Handed]()

    def begin(self, data: Path, name: str, limits: ReadingLimits, rows: int, from_end_to_end: Callable[[Handed], list[Spooled]]) -> list[Spooled]:
        """A long list, as soon as its first rows are read, if it can be read in ranges.

        Args:
            from_end_to_end: reads it where it can't.
        """
        handed = Handed(data)
        self._handed.append(handed)
        ranges = Ranges(handed, name, limits, rows)
        first = ranges.read(ranges.spans[0]) if ranges.are_several else None
        if first is None or not first.made[0]["is_proven"]:
            return from_end_to_end(handed)
        return [_Coming(ranges, first, partial(self._submit, ranges), partial(from_end_to_end, handed))]

    def _submit(self, ranges: Ranges, span: Sequence[int], over: Answer | None = None) -> Future[Answer]:
        return self._pool.submit(ranges.read, span, over)

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            at_rest(self._pool)
        finally:
            for handed in self._handed:
                with handed:
                    pass


class _Coming(Spooled):
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
        left = iter(self._ranges.spans[1:])
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
        (coming, left), self._begun = self._begun or self._begin(), None
        yield self._as_promised(self._first)
        height = self._first.made[0]["height"]
        while coming:
            try:
                answer = coming.popleft().result()
            except ExportRefused:
                raise Surprise from None
            yield self._as_promised(answer)
            height += answer.made[0]["height"]
            coming.extend(self._read(span, answer) for span in islice(left, 1))
        self._counted = height

    def _as_promised(self, answer: Answer) -> Answer:
        fact = answer.made[0]
        if not fact["is_proven"] or fact["width"] > len(self.head.columns) or _lost(fact) or fact["ends_midway"]:
            raise Surprise
        return answer


_Begun = tuple[deque[Future[Answer]], Iterator[Sequence[int]]]
"""The ranges that are being read, and those that nobody has asked for."""
