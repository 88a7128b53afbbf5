"""What the merge has written down so far: files that grow, where each row ended, and the notes about it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import polars as pl

from caseferry.frames import kept
from caseferry.manifest import Batch, Laying, Placed
from caseferry.reading.grid import ROW
from caseferry.services.scratch import Scratch
from caseferry.services.store import Sending, at_rest
from caseferry.tables import write_tables
from tasks.merge.desk import CHANGED, NOTED, Desk
from tasks.merge.files import Files
from tasks.merge.left_out import Gone
from tasks.merge.targets.fitting import Fitting
from tasks.merge.targets.typed import as_read
from tasks.transform.sheet import PLACE, REASON


class Laid:
    """What is there so far of files and of the notes about their rows.

    Args:
        scratch: where the notes wait.
        sending: takes what changes no more, notes about rows and files no further batch has lines for; and ahead what will still grow.
        key: of a name below the merge.
        below: where the files lie, below the merge.
        first: the number of the first batch.
    """

    def __init__(
        self, files: Files, scratch: Scratch, sending: Sending, key: Callable[[str], str], fittings: Sequence[Fitting] = (), below: str = "files", first: int = 1
    ) -> None:  # fmt: skip
        self.files, self._scratch, self._sending, self._key, self._fittings, self._below, self._first = files, scratch, sending, key, fittings, below, first
        self._batches: list[Batch] = []
        self._placed: dict[str, Placed] = {}
        self._not_taken: dict[str, tuple[int, Decimal | None]] = {}

    def told(self, desk: Desk) -> Laying:
        """What was laid, once all of it is, and what the desk's notes say beside it."""
        return Laying(
            files=tuple(entry for entry, _ in self.files.written()), batches=tuple(self._batches), placed=self._placed, not_taken=self._not_taken,
            derived=desk.derived, findings=tuple(desk.notes), todo=tuple(desk.todo),
        )  # fmt: skip

    def lay(
        self, parts: tuple[str, ...], desk: Desk, aside: pl.DataFrame, typed: Mapping[str, pl.DataFrame], gone: Gone, coming: Collection[str]
    ) -> None:  # fmt: skip
        """Write down one batch.

        Args:
            aside: rows of parts that no worker survived.
            typed: all its records as mapped targets take them, if there are any.
            gone: which of them an earlier run has moved.
            coming: records of the batches behind this one.
        """
        pieces, lineage = self.files.add(desk.files, coming, self._grown, self._ended)
        places = _places(desk, aside)
        self._keep({
            "places": places, "lineage": lineage,
            "findings": pl.concat([pl.DataFrame(schema=NOTED), *(f.select(list(NOTED)) for f in desk.findings)]),
            "changes": pl.concat([pl.DataFrame(schema=CHANGED), *desk.changes]),
        })  # fmt: skip
        self._batches.append(Batch(parts=parts, pieces=pieces))
        for record, place, count in places.group_by("record", PLACE, maintain_order=True).len().iter_rows():
            before = self._placed.get(record, Placed())
            self._placed[record] = before.model_copy(update={"read": before.read + count, place: getattr(before, place) + count})
        self._count_not_taken(desk)
        if self._fittings:
            marks = {name: gone.of(frame) for name, frame in typed.items()}
            records = {name: frame.filter(~marks[name]) for name, frame in typed.items()}
            there = {name: frame.filter(marks[name]) for name, frame in typed.items() if marks[name].any()}
            custom = _custom_fields(desk, records)
            for fitting in self._fittings:
                fitting.add(records, custom, there)

    def _grown(self, name: str, path: Path) -> None:
        self._sending.grow(self._key(f"{self._below}/{name}"), path)

    def _ended(self, name: str, path: Path) -> None:
        self._sending.send(self._key(f"{self._below}/{name}"), path)

    def _keep(self, notes: dict[str, pl.DataFrame]) -> None:
        path = self._scratch.file()
        write_tables(notes, path)
        self._sending.send(self._key(f"rows/{self._first + len(self._batches):04d}.zip"), path)

    def _count_not_taken(self, desk: Desk) -> None:
        for frame in desk.records.values():
            amount = pl.col("amount").cast(pl.Decimal(24, 4)) if "amount" in frame.columns else pl.lit(None, pl.Decimal(24, 4))
            left = kept(frame.select(PLACE, REASON, amount.alias("amount")), frame[PLACE] == "excluded")
            if left.is_empty():
                continue
            for reason, rows, known, total in left.group_by(REASON).agg(pl.len(), pl.col("amount").count().alias("known"), pl.col("amount").sum().alias("total")).iter_rows():
                before = self._not_taken.get(reason, (0, None))
                self._not_taken[reason] = (before[0] + rows, (before[1] or Decimal(0)) + total if known else before[1])


class Pen:
    """Writes one batch down while the next is linked."""

    def __init__(self, laid: Laid) -> None:
        self._laid, self._pool = laid, ThreadPoolExecutor(1)
        self._last: Future[None] | None = None

    def lay(
        self, parts: tuple[str, ...], desk: Desk, aside: pl.DataFrame, typed: Mapping[str, pl.DataFrame], gone: Gone, coming: Collection[str]
    ) -> None:  # fmt: skip
        """`Laid.lay`, once the batch before is written. Nobody may touch the desk from now on."""
        self.wait()
        self._last = self._pool.submit(self._laid.lay, parts, desk, aside, typed, gone, coming)

    def wait(self) -> None:
        """Until everything is written that was laid."""
        if self._last:
            self._last.result()

    def __enter__(self) -> "Pen":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            at_rest(self._pool)


def _custom_fields(desk: Desk, records: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """By kind of record: `table`, `row`, `key`, `field`, `type`, `value`, and what the value means: `day`, `number`, `flag`."""
    found = {}
    for name, file in (("contacts", "contact_custom_fields"), ("matters", "matter_custom_fields")):
        if name in records and file in desk.files:
            keys = records[name].select("table", ROW, "key")
            custom = desk.files[file].select("table", ROW, "field", "type", "value", "day").join(keys, on=["table", ROW], maintain_order="left")
            found[name] = as_read(custom, desk)
    return found


def _places(desk: Desk, aside: pl.DataFrame) -> pl.DataFrame:
    """Where each source row ended: `record`, `table`, `row`, `place`, `reason`."""
    frames = [
        frame.select(pl.lit(record).alias("record"), "table", pl.col(ROW).cast(pl.UInt32), PLACE, REASON)
        for record, frame in sorted(desk.records.items())
    ]
    return pl.concat([aside, *frames])
