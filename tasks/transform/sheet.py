"""A part on its way from cells to records, with the notes that are taken on the way.

Rules look at whole columns. Each says what it changed (before, after, rule) and what it found; nothing is dropped:
a row ends `carried`, `excluded` or `quarantined`, with the reason of the first rule that moved it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import polars as pl

from caseferry.choices import Migration
from caseferry.manifest import Table
from caseferry.mapping.profile import Profile, TableProfile
from caseferry.reading.grid import ROW
from caseferry.records import RECORDS, Record

PLACE, REASON = "place", "reason"
FINDINGS = {
    "row": pl.UInt32, "field": pl.String, "heading": pl.String, "rule": pl.String, "outcome": pl.String,
    "value": pl.String, "proposal": pl.String,
}  # fmt: skip
CHANGES = {
    "row": pl.UInt32, "field": pl.String, "heading": pl.String, "rule": pl.String, "before": pl.String,
    "after": pl.String,
}  # fmt: skip
Outcome = Literal["carried", "emptied", "quarantined", "excluded", "merged"]


@dataclass(frozen=True)
class Job:
    """What a part is transformed with. Equal jobs give equal bytes."""

    table: Table
    profile: Profile
    migration: Migration
    received_on: date

    @property
    def spec(self) -> TableProfile:
        return self.profile.tables[self.table.kind]

    @property
    def record(self) -> Record:
        return RECORDS[self.spec.record]


@dataclass
class Sheet:
    """The part, growing its records' columns."""

    job: Job
    raw: pl.DataFrame
    frame: pl.DataFrame = field(init=False)
    findings: list["Notes"] = field(default_factory=list)
    changes: list["Notes"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.frame = self.raw.select(ROW).with_columns(
            pl.lit("carried").alias(PLACE), pl.lit(None, pl.String).alias(REASON)
        )

    def heading(self, name: str) -> str:
        """The source's own words for a field."""
        plain = name.removeprefix("x:").rsplit("#", 1)
        uses = [c.heading for c in self.job.table.columns if c.field in {plain[0], name} and c.use != "archive_only"]
        if not uses:
            return ""
        return uses[int(plain[1]) - 1] if len(plain) == 2 and int(plain[1]) <= len(uses) else uses[0]

    def has(self, name: str) -> bool:
        return name in self.frame.columns

    def find(
        self, when: pl.Expr, name: str, rule: str, outcome: Outcome, value: pl.Expr | None = None,
        proposal: pl.Expr | str = "",
    ) -> None:  # fmt: skip
        """Note a finding for every row where `when` holds; quarantined and excluded rows move there too."""
        value = pl.lit(None, pl.String) if value is None else value.cast(pl.String)
        hint = pl.lit(proposal, pl.String) if isinstance(proposal, str) else proposal.cast(pl.String)
        noted = self.frame.lazy().filter(when.fill_null(False)).select(
            ROW, pl.lit(name).alias("field"), pl.lit(self.heading(name)).alias("heading"), pl.lit(rule).alias("rule"),
            pl.lit(outcome).alias("outcome"), value.alias("value"), hint.alias("proposal"),
        ).collect()  # fmt: skip
        if noted.is_empty():
            return
        self.findings.append((name, rule, noted.cast(FINDINGS)))  # type: ignore[arg-type]
        if outcome in {"quarantined", "excluded"}:
            moves = when.fill_null(False) & (pl.col(PLACE) == "carried")
            self.frame = self.frame.with_columns(
                pl.when(moves).then(pl.lit(outcome)).otherwise(PLACE).alias(PLACE),
                pl.when(moves).then(pl.lit(rule)).otherwise(REASON).alias(REASON),
            )

    def change(self, when: pl.Expr, name: str, rule: pl.Expr | str, before: pl.Expr, after: pl.Expr) -> None:
        """Log a changed value for every row where `when` holds."""
        by = pl.lit(rule) if isinstance(rule, str) else rule
        logged = self.frame.lazy().filter(when.fill_null(False)).select(
            ROW, pl.lit(name).alias("field"), pl.lit(self.heading(name)).alias("heading"), by.alias("rule"),
            before.cast(pl.String).alias("before"), after.cast(pl.String).alias("after"),
        ).collect()  # fmt: skip
        if not logged.is_empty():
            self.changes.append((name, rule if isinstance(rule, str) else "", logged.cast(CHANGES)))  # type: ignore[arg-type]

    def fixed(self, rule: str) -> bool:
        """True if the firm approved this rule's proposal."""
        return rule in self.job.migration.options.fixes

    def all_findings(self) -> pl.DataFrame:
        return _in_order(self.findings, FINDINGS)

    def all_changes(self) -> pl.DataFrame:
        return _in_order(self.changes, CHANGES)


Notes = tuple[str, str, pl.DataFrame]
"""Notes about one field, each frame in the order of the rows; the rule, where it is the same for all of them."""


def _in_order(notes: list[Notes], schema: Mapping[str, Any]) -> pl.DataFrame:
    """By row, field and rule. The frames are put in order first, so that only numbers are left to be sorted."""
    every = pl.concat([pl.DataFrame(schema=schema), *(frame for *_, frame in sorted(notes, key=lambda one: one[:2]))])
    fields = [name for name, _, _ in notes]
    plain = all(rule or fields.count(name) == 1 for name, rule, _ in notes)
    return every.sort(*((ROW,) if plain else (ROW, "field", "rule")), maintain_order=True)
