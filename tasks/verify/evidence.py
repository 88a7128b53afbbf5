"""What the verification looks at, read once: the drop, the raw parts, where each row ended, the files handed over."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar

import polars as pl

from caseferry.keys import Run
from caseferry.manifest import Intake, Merged, Migration, Split, Table
from caseferry.services.store import ObjectStore, get_all
from config.limits import ReadingLimits
from tasks.verify import recount


@dataclass(frozen=True)
class Handed:
    """One file handed over, as read back."""

    name: str
    data: bytes
    header: list[str]
    lines: pl.DataFrame
    """Columns `0`, `1`, … of text; an empty cell is the empty text."""
    even: bool
    """All rows are as wide as the header."""

    def column(self, name: str) -> pl.Series:
        return self.lines[str(self.header.index(name))]

    @property
    def cells(self) -> pl.Series:
        return recount.cells_of(self.lines, self.lines.columns)


@dataclass(frozen=True)
class Evidence:
    store: ObjectStore
    run: Run
    migration: Migration
    intake: Intake
    split: Split
    merged: Merged
    limits: ReadingLimits = ReadingLimits()

    @cached_property
    def files(self) -> dict[str, Handed]:
        names = [entry.name for entry in self.merged.files]
        every = get_all(self.store, [self.run.at("3-merge", "files", name) for name in names])
        return {name: Handed(name, data, *recount.read_file(data)) for name, data in zip(names, every, strict=True)}

    def handed(self, name: str) -> list[Handed]:
        """The files of one kind, all users' together; `name` without number and mark."""
        return [self.files[e.name] for e in self.merged.files if kind_of_file(e.name) == name]

    @cached_property
    def places(self) -> pl.DataFrame:
        return self._frame("3-merge", "places")

    @cached_property
    def _placed(self) -> dict[tuple[Any, ...], pl.DataFrame]:
        return self.places.partition_by("record", "table", as_dict=True, include_key=False)

    def placed(self, table: Table) -> pl.DataFrame:
        """`row`, `place`, `reason` of one table's rows."""
        none = pl.DataFrame(schema={"row": pl.UInt32, "place": pl.String, "reason": pl.String})
        return self._placed.get((table.record, table.id), none)

    @cached_property
    def _lined(self) -> dict[tuple[Any, ...], pl.DataFrame]:
        return self.lineage.partition_by("file", as_dict=True, include_key=False)

    def lined(self, file: str) -> pl.DataFrame:
        """`line`, `table`, `row`: where each line of one file came from, in the file's order."""
        none = pl.DataFrame(schema={"line": pl.UInt32, "table": pl.String, "row": pl.UInt32})
        return self._lined.get((file,), none)

    @cached_property
    def lineage(self) -> pl.DataFrame:
        return self._frame("3-merge", "lineage")

    @cached_property
    def findings(self) -> pl.DataFrame:
        return self._every(self.findings_of)

    @cached_property
    def changes(self) -> pl.DataFrame:
        return self._every(self.changes_of)

    @cached_property
    def findings_of(self) -> dict[str, pl.DataFrame]:
        """The findings of each table, by row, field and rule; tables in the order of their names."""
        return self._notes("findings")

    @cached_property
    def changes_of(self) -> dict[str, pl.DataFrame]:
        return self._notes("changes")

    @cached_property
    def memo(self) -> dict[str, Any]:
        """What was counted already: the checks and the ledger say the same figures."""
        return {}

    @cached_property
    def _raws(self) -> dict[str, pl.DataFrame]:
        return {}

    def raw(self, table: Table) -> pl.DataFrame:
        """A table's data rows with the source's own cells."""
        if table.id not in self._raws:
            self._raws[table.id] = self._read(table)
        return self._raws[table.id]

    def _read(self, table: Table) -> pl.DataFrame:
        parts = get_all(self.store, [self.run.at("1-split", "parts", f"{part}.parquet") for part in table.parts])
        frames = [pl.read_parquet(io.BytesIO(data)) for data in parts]
        return pl.concat(frames) if frames else pl.DataFrame(schema={"row": pl.UInt32})

    def _frame(self, *key: str) -> pl.DataFrame:
        folder, name = key
        return pl.read_parquet(io.BytesIO(self.store.get(self.run.at(folder, f"{name}.parquet"))))

    def _notes(self, name: str) -> dict[str, pl.DataFrame]:
        later = self._frame("3-merge", name)
        added = {str(table): some for (table,), some in later.partition_by("table", as_dict=True, include_key=False).items()}
        of = {table.id: table for table in self.split.tables}
        noted = {}
        for table in sorted({*of, *added}):
            parts = [self.run.at("2-transform", f"{part}.{name}.parquet") for part in (of[table].parts if table in of else ())]
            empty = later.drop("table").clear()
            early = pl.concat([empty, *(pl.read_parquet(io.BytesIO(data)).select(empty.columns) for data in get_all(self.store, parts))])
            noted[table] = _among(early, added[table]) if table in added else early
        return noted

    @staticmethod
    def _every(noted: dict[str, pl.DataFrame]) -> pl.DataFrame:
        return pl.concat([some.select(pl.lit(table).alias("table"), pl.all()) for table, some in noted.items()])


def _among(early: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """Later notes in their places among those that are in order already: only rows that have some are sorted again."""
    touched = early["row"].is_in(later["row"].unique().implode())
    again = pl.concat([early.filter(touched), later]).sort("row", "field", "rule", maintain_order=True)
    return pl.concat([early.filter(~touched), again]).sort("row", maintain_order=True)


R = TypeVar("R")


def counted_once(count: Callable[[Evidence], R]) -> Callable[[Evidence], R]:
    """Count a thing once for each run, however many pages show it."""

    @wraps(count)
    def remembered(evidence: Evidence) -> R:
        if count.__name__ not in evidence.memo:
            evidence.memo[count.__name__] = count(evidence)
        found: R = evidence.memo[count.__name__]
        return found

    return remembered


def kind_of_file(name: str) -> str:
    """`11_activities_user-01.csv` and `NOT-AN-IMPORT-FILE_tasks.csv` are `activities` and `tasks`."""
    stem = name.removesuffix(".csv")
    stem = stem.split("_", 1)[1] if "_" in stem else stem
    return stem.rsplit("_user-", 1)[0]
