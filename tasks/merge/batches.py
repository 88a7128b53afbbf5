"""What is brought together at a time: no worker ever holds a whole firm.

Cards, matters and balances hang on each other and come first, together. Everything else hangs on them alone, and
comes a batch of parts after another.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property

import polars as pl

from caseferry.keys import Run
from caseferry.manifest import Split
from caseferry.mapping.names import BY_ID, number_key
from caseferry.services.store import ObjectStore, get_all
from caseferry.tables import read_tables, table_of
from tasks.transform.sheet import PLACE, REASON

_HELD = 8 << 20
"""Bytes of results that are kept to be read again."""
_AHEAD = 3
"""Batches whose bytes are fetched before they are asked for: a store that takes in files keeps others waiting."""
TOGETHER = frozenset({"contact", "matter", "related_contact", "receivable", "trust"})
"""Records that are looked at as a whole."""


def in_batches(split: Split, rows: int, size: int) -> list[tuple[str, ...]]:
    """The parts of a run in the order they are brought together; always at least one batch, which may be empty.

    Args:
        rows, size: of a batch, and bytes of its text, as far as it can be helped.
    """
    every = [
        (part, count, length, table.record)
        for table in split.tables
        for part, count, length in zip(table.parts, table.part_rows, table.part_bytes or [0] * len(table.parts), strict=True)
    ]
    first = [one for one in every if one[3] in TOGETHER]
    batches, batch = [], [part for part, *_ in first]
    held, full = sum(count for _, count, _, _ in first), sum(length for _, _, length, _ in first)
    for part, count, length, record in every:
        if record in TOGETHER:
            continue
        if held and (held + count > rows or full + length > size):
            batches.append(tuple(batch))
            batch, held, full = [], 0, 0
        batch.append(part)
        held, full = held + count, full + length
    return [*batches, tuple(batch)]


class Outcomes:
    """What the transform made of the parts, read a batch at a time."""

    def __init__(self, store: ObjectStore, run: Run, split: Split) -> None:
        self._store, self._run = store, run
        self._records = {part: table.record for table in split.tables for part in table.parts}
        self._held, self._room = dict[str, bytes](), _HELD
        self._by_id = any(table.matter_by == "id" for table in split.tables)

    def of(self, record: str) -> list[str]:
        """The parts of a record, in order."""
        return [part for part, one in self._records.items() if one == record]

    def records_of(self, batches: Iterable[Iterable[str]]) -> set[str]:
        """What the parts of some batches hold."""
        return {self._records[part] for parts in batches for part in parts}

    def read(self, parts: Sequence[str]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
        """The records of some parts by type, in the order of the tables; and the rows of parts that were put aside."""
        return self._taken(parts, self._got(parts))

    def _taken(self, parts: Sequence[str], got: Mapping[str, bytes]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
        frames: dict[str, list[pl.DataFrame]] = defaultdict(list)
        aside = [pl.DataFrame(schema=_ASIDE)]
        for part in parts:
            frame = self._numbered(table_of(read_tables(got[part]), "records"))
            if frame.height and frame[REASON].eq_missing("part_quarantined").all():
                aside.append(frame.select(pl.lit(self._records[part]).alias("record"), *list(_ASIDE)[1:]).cast(_ASIDE))  # type: ignore[arg-type]
            else:
                frames[self._records[part]].append(frame)
        return {record: pl.concat(some, how="diagonal_relaxed") for record, some in frames.items()}, pl.concat(aside)

    def ahead(self, batches: Sequence[Sequence[str]]) -> Iterator[tuple[dict[str, pl.DataFrame], pl.DataFrame]]:
        """`read` of one batch after the other; while one is looked at, the next is read, and some behind it are on their way."""
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as fetcher:
            coming = deque(fetcher.submit(self._got, parts) for parts in batches[:_AHEAD])
            read: deque[Future[tuple[dict[str, pl.DataFrame], pl.DataFrame]]] = deque()
            for number in range(len(batches) + 1):
                if number < len(batches):
                    read.append(reader.submit(lambda parts, got: self._taken(parts, got.result()), batches[number], coming.popleft()))
                    coming.extend(fetcher.submit(self._got, parts) for parts in batches[number + _AHEAD : number + _AHEAD + 1])
                if number:
                    yield read.popleft().result()

    def columns(self, record: str, names: Collection[str]) -> Iterator[pl.DataFrame]:
        """Some columns of each part of a record, one part after another; those it has."""
        for part in self.of(record):
            yield self.some(part, names)

    def some(self, part: str, names: Collection[str]) -> pl.DataFrame:
        """Some columns of a part, those it has."""
        return self._numbered(table_of(read_tables(self._bytes(part)), "records", names))

    def _got(self, parts: Sequence[str]) -> dict[str, bytes]:
        absent = [part for part in parts if part not in self._held]
        got = dict(zip(absent, get_all(self._store, [self._key(part) for part in absent]), strict=True))
        self._hold(got)
        return {part: got.get(part) or self._held[part] for part in parts}

    def _bytes(self, part: str) -> bytes:
        if part in self._held:
            return self._held[part]
        data = self._store.get(self._key(part))
        self._hold({part: data})
        return data

    def _hold(self, more: Mapping[str, bytes]) -> None:
        """Keep what is small: some parts are asked for more than once, and each time it takes as long as a thousand rows do."""
        for part, data in more.items():
            if len(data) <= self._room:
                self._room -= len(data)
                self._held[part] = data

    @cached_property
    def _numbers(self) -> pl.DataFrame:
        """`i`, `k`: the ids of the matters, and the normal forms of their numbers."""
        empty = pl.DataFrame(schema={"source_id": pl.String, "number": pl.String, PLACE: pl.String})
        parts = [table_of(read_tables(self._bytes(part)), "records", list(empty.columns)) for part in self.of("matter")]
        every = pl.concat([empty, *parts], how="diagonal_relaxed")
        ids = every.select((pl.lit(BY_ID) + number_key(pl.col("source_id"))).alias("i"), number_key(pl.col("number")).alias("k"))
        return ids.drop_nulls().unique("i", keep="none")  # an id of two matters names neither

    def _numbered(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows with matters named by number that name them by id. What is the id of none stays as it is, and is the number of none."""
        if not self._by_id or "matter_key" not in frame.columns:
            return frame
        ids = pl.col("matter_key")
        return frame.with_columns(pl.when(ids.str.starts_with(BY_ID)).then(ids.replace_strict(self._numbers["i"], self._numbers["k"], default=ids)).otherwise(ids).alias("matter_key"))

    def _key(self, part: str) -> str:
        return self._run.at("2-transform", f"{part}.zip")


_ASIDE = {"record": pl.String, "table": pl.String, "row": pl.UInt32, PLACE: pl.String, REASON: pl.String}
