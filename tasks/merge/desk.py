"""What the merge has on its desk at a time: the records of a batch by type, and the notes it takes about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from caseferry.choices import Migration
from caseferry.frames import kept
from caseferry.manifest import Finding, Intake, Split
from caseferry.mapping.distinct import each_once
from caseferry.mapping.profile import Profile
from caseferry.mapping.target import Target
from caseferry.reading.grid import ROW
from tasks.merge.moved import KEPT, Moved
from tasks.transform.sheet import CHANGES, FINDINGS, PLACE, REASON, Outcome

NOTED = {"table": pl.String, **FINDINGS}
CHANGED = {"table": pl.String, **CHANGES}


@dataclass
class Desk:
    """What the rooms of the merge pass round."""

    migration: Migration
    profile: Profile
    target: Target
    split: Split
    intake: Intake
    records: dict[str, pl.DataFrame]
    """Per record type, every row of the batch, with `table`, `row`, `place`, `reason`."""
    as_at: date
    files: dict[str, pl.DataFrame] = field(default_factory=dict)
    """What each file of the target will hold, in our column names; `table` and `row` say where a line came from."""
    findings: list[pl.DataFrame] = field(default_factory=list)
    changes: list[pl.DataFrame] = field(default_factory=list)
    derived: dict[str, int] = field(default_factory=dict)
    """Records no source row stands for by itself: a client made from a matter's text, a party from a column."""
    notes: list[Finding] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    staying: pl.Series = field(default_factory=lambda: pl.Series("matter_key", [], dtype=pl.String))
    """Open matters that the firm finishes where they are: see `tasks.merge.matters.stay`."""
    occurrences: pl.DataFrame | None = None
    """Events of the batch, one for each time they happen, if the firm wants them so."""
    twice: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"table": pl.String, ROW: pl.UInt32, "rule": pl.String}))
    """Work that stands in the export more than once, and what follows: see `tasks.merge.balances.work_told_twice`."""

    moved: Moved = field(default_factory=lambda: Moved(pl.DataFrame(schema=KEPT)))
    """What an earlier run has moved."""

    @property
    def is_handed(self) -> bool:
        """The files of our own layout are for a target that was asked for; else they are the package beside its files."""
        return self.target.target in self.migration.targets

    @property
    def trust_stays(self) -> str:
        """Where trust money lives from now on, if no file takes it."""
        return self.migration.trust_lives(self.profile.product)

    def has(self, record: str) -> bool:
        return record in self.records and not self.records[record].is_empty()

    def carried(self, record: str) -> pl.DataFrame:
        return kept(self.records[record], self.records[record][PLACE] == "carried")

    def find(
        self, record: str, when: pl.Expr, name: str, rule: str, outcome: Outcome, value: pl.Expr | None = None,
        proposal: str = "",
    ) -> None:  # fmt: skip
        """Note a finding about rows that are still carried; quarantined and excluded rows stop being so."""
        frame = self.records[record]
        value = pl.lit(None, pl.String) if value is None else value.cast(pl.String)
        holds = when.fill_null(False) & (pl.col(PLACE) == "carried")
        marks = frame.select_seq(holds).to_series()
        if not marks.any():  # most rules find nothing in most batches
            return
        noted = frame.lazy().filter(marks).select(
            "table", ROW, pl.lit(name).alias("field"), pl.lit("").alias("heading"), pl.lit(rule).alias("rule"),
            pl.lit(outcome).alias("outcome"), value.alias("value"), pl.lit(proposal).alias("proposal"),
        ).collect()  # fmt: skip
        self.findings.append(noted.cast(NOTED))  # type: ignore[arg-type]
        if outcome in {"quarantined", "excluded"}:
            self.place(record, holds, outcome, rule)

    def place(self, record: str, when: pl.Expr, place: str, reason: str) -> None:
        holds = when.fill_null(False) & (pl.col(PLACE) == "carried")
        self.records[record] = self.records[record].with_columns(
            pl.when(holds).then(pl.lit(reason)).otherwise(REASON).alias(REASON),
            pl.when(holds).then(pl.lit(place)).otherwise(PLACE).alias(PLACE),
        )

    def change(self, record: str, when: pl.Expr, name: str, rule: str, before: pl.Expr, after: pl.Expr) -> None:
        frame = self.records[record]
        marks = frame.select_seq(when.fill_null(False) & (pl.col(PLACE) == "carried")).to_series()
        if not marks.any():
            return
        logged = frame.lazy().filter(marks).select(
            "table", ROW, pl.lit(name).alias("field"), pl.lit("").alias("heading"), pl.lit(rule).alias("rule"),
            before.cast(pl.String).alias("before"), after.cast(pl.String).alias("after"),
        ).collect()  # fmt: skip
        self.changes.append(logged.cast(CHANGED))  # type: ignore[arg-type]

    def date_text(self, column: str) -> pl.Expr:
        """A day as the target account writes it."""
        style = self.migration.options.date_format or self.target.date_formats[self.migration.region]
        return each_once(pl.col(column), lambda day: day.dt.strftime(style))


def ensure(frame: pl.DataFrame, names: Mapping[str, Any]) -> pl.DataFrame:
    """The frame with every named column there, empty where it was not."""
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in names.items() if name not in frame.columns]
    return frame.with_columns(missing)
