"""A part on its way from cells to records, with the notes that are taken on the way.

Rules look at whole columns. Each says what it changed (before, after, rule) and what it found; nothing is dropped:
a row ends `carried`, `excluded` or `quarantined`, with the reason of the first rule that moved it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal

import polars as pl

from caseferry.choices import Migration
from caseferry.coded import Coded, coded
from caseferry.manifest import Table
from caseferry.mapping.profile import Profile, TableProfile
from caseferry.noted import SAID, Noted, in_order
from caseferry.reading.grid import ROW
from caseferry.records import RECORDS, Record
from caseferry.tables import Texts, with_texts

PLACE, REASON = "place", "reason"
JOB, JOB_OF = "job", "job_of"
"""Of a row among the clients that is a matter of one: what names the matter, and whose it is."""
_CARRIED = 0
"""The number of the place that every row has until a rule moves it."""
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
    """The part, growing its records' columns. What is known by number is laid out in full only where somebody looks at it.

    Args:
        given: the part, with numbers in the place of the columns that `cells` knows.
    """

    job: Job
    given: pl.DataFrame
    cells: Texts = field(default_factory=dict)
    laid: pl.DataFrame = field(init=False)
    """Columns in full."""
    texts: dict[str, Coded] = field(default_factory=dict)
    """Columns by number. One that is in neither of the two is none of the sheet's."""
    findings: list["Notes"] = field(default_factory=list)
    changes: list["Notes"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.laid = self.given[ROW].to_frame()
        self._names = dict.fromkeys(self.laid.columns)
        carried, nothing = (pl.repeat(number, self.height, dtype=pl.UInt32, eager=True) for number in (_CARRIED, None))
        self.put_by_number({PLACE: Coded(carried, pl.Series(["carried"])), REASON: Coded(nothing, pl.Series(dtype=pl.String))})

    @property
    def height(self) -> int:
        return self.given.height

    @property
    def columns(self) -> list[str]:
        """In the order in which they came."""
        return list(self._names)

    @cached_property
    def raw(self) -> pl.DataFrame:
        """The part as it was cut, in full."""
        return with_texts(self.given, self.cells)

    def cell(self, name: str) -> pl.Series:
        """A column of it."""
        return self.cells[name].full(name) if name in self.cells else self.given[name]

    def heading(self, name: str) -> str:
        """The source's own words for a field."""
        plain = name.removeprefix("x:").rsplit("#", 1)
        uses = [c.heading for c in self.job.table.columns if c.field in {plain[0], name} and c.use != "archive_only"]
        if not uses:
            return ""
        return uses[int(plain[1]) - 1] if len(plain) == 2 and int(plain[1]) <= len(uses) else uses[0]

    def put(self, *columns: pl.Expr | pl.Series) -> None:
        """Lay columns beside those that are there, or in their place."""
        self._lay(columns)
        self.laid = self.laid.with_columns(*columns)
        for column in columns:
            name = column.name if isinstance(column, pl.Series) else column.meta.output_name()
            self.texts.pop(name, None)
            self._names[name] = None

    def put_by_number(self, texts: Texts) -> None:
        """The same of columns that are known by number."""
        if there := [name for name in texts if name in self.laid.columns]:
            self.laid = self.laid.drop(there)
        self.texts.update(texts)
        self._names.update(dict.fromkeys(texts))

    def put_as(self, name: str, other: str) -> None:
        """The same as another column."""
        if other in self.texts:
            self.put_by_number({name: self.texts[other]})
        else:
            self.put(pl.col(other).alias(name))

    def drop(self, *names: str) -> None:
        """Columns that nobody asks for again, as far as they are there."""
        self.laid = self.laid.drop(names, strict=False)
        for name in names:
            self._names.pop(name, None)
            self.texts.pop(name, None)

    def rename(self, name: str, to: str) -> None:
        self.laid = self.laid.rename({name: to}, strict=False)
        if name in self.texts:
            self.texts[to] = self.texts.pop(name)
        self._names = {to if one == name else one: None for one in self._names}

    def column(self, name: str) -> pl.Series:
        """A column in full."""
        self._lay([pl.col(name)])
        return self.laid[name]

    def by_number(self, name: str) -> Coded:
        """A column of text."""
        if name not in self.texts:
            self.texts[name] = coded(self.laid[name])
        return self.texts[name]

    def ask(self, *columns: pl.Expr) -> pl.DataFrame:
        """What is made of columns."""
        self._lay(columns)
        return self.laid.select(*columns)

    def made_of(self, name: str, make: Callable[[pl.Series], pl.Series]) -> pl.Series:
        """What is made of each cell of a column, of equal ones once where it is known by number."""
        text = self.texts.get(name)
        return text.each(make(text.words)) if text else make(self.laid[name])

    def nothing(self, name: str) -> pl.Expr:
        """True where a column holds nothing."""
        text = self.texts.get(name)
        if text is None:
            return pl.col(name).is_null()
        return pl.lit(text.each(text.words.is_null()).fill_null(True) if text.words.null_count() else text.numbers.is_null())

    def empty(self, name: str) -> int:
        """How many cells of a column hold nothing."""
        text = self.texts.get(name)
        return text.numbers.null_count() if text and not text.words.null_count() else self.column(name).null_count()

    def has(self, name: str) -> bool:
        return name in self._names

    def _lay(self, asked: Iterable[pl.Expr | pl.Series]) -> None:
        """Lay out in full what these look at."""
        wanted = {name for one in asked if isinstance(one, pl.Expr) for name in one.meta.root_names()}
        missing = [self.texts[name].full(name) for name in wanted.intersection(self.texts).difference(self.laid.columns)]
        if missing:
            self.laid = self.laid.with_columns(missing)

    def find(
        self, when: pl.Expr, name: str, rule: str, outcome: Outcome, value: pl.Expr | None = None,
        proposal: pl.Expr | str = "",
    ) -> None:  # fmt: skip
        """Note a finding for every row where `when` holds; quarantined and excluded rows move there too."""
        holds = self._holds(when)
        if not holds.any():
            return
        told = pl.lit(None, pl.String) if value is None else value.cast(pl.String)
        hint = pl.lit(proposal, pl.String) if isinstance(proposal, str) else proposal.cast(pl.String)
        words = {"rule": pl.lit(rule), "outcome": pl.lit(outcome), "value": told, "proposal": hint}
        if value is None and isinstance(proposal, str):  # the same of every row
            noted = Noted.alike(self.laid[ROW].filter(holds), pl.select(self._told(name, words)))
        else:
            noted = self._noted(holds, name, words)
        self.findings.append((name, rule, noted))
        if outcome in {"quarantined", "excluded"}:
            moves = holds & (self.texts[PLACE].numbers == _CARRIED)
            self.put_by_number({PLACE: self.texts[PLACE].with_word(moves, outcome), REASON: self.texts[REASON].with_word(moves, rule)})

    def change(self, when: pl.Expr, name: str, rule: pl.Expr | str, before: pl.Expr, after: pl.Expr) -> None:
        """Log a changed value for every row where `when` holds."""
        holds = self._holds(when)
        if holds.any():
            by = pl.lit(rule) if isinstance(rule, str) else rule
            noted = self._noted(holds, name, {"rule": by, "before": before.cast(pl.String), "after": after.cast(pl.String)})
            self.changes.append((name, rule if isinstance(rule, str) else "", noted))

    def change_as(self, said: pl.Series, name: str, words: pl.DataFrame) -> None:
        """Log a changed value for every row that has a number here: that of its `rule`, `before`, `after`."""
        rows = pl.DataFrame([self.laid[ROW], said.alias(SAID)])
        rows = rows.drop_nulls() if said.null_count() else rows
        if rows.height:
            self.changes.append((name, "", Noted(rows, words.select(self._told(name, {word: pl.col(word) for word in words.columns})))))

    def _holds(self, when: pl.Expr) -> pl.Series:
        """Where it does; the same of every row may be said once."""
        holds = self.ask(when.fill_null(False).alias("w")).to_series()
        return holds if holds.len() == self.height else holds.new_from_index(0, self.height)

    def _noted(self, holds: pl.Series, name: str, words: Mapping[str, pl.Expr]) -> Noted:
        """What is said of every row that is meant, one wording for each."""
        needed = {ROW, *(one for text in words.values() for one in text.meta.root_names())}
        there = [one for one in self.laid.columns if one in needed]  # an element of a list has a root without a name
        meant = self.laid.select(there).filter(holds)
        meant = meant.with_columns(self.texts[one].of(holds).full(one) for one in needed.intersection(self.texts).difference(there))
        return Noted.each(meant.select(ROW, *self._told(name, words)))

    def _told(self, name: str, words: Mapping[str, pl.Expr]) -> list[pl.Expr]:
        return [pl.lit(name).alias("field"), pl.lit(self.heading(name)).alias("heading"), *(text.alias(word) for word, text in words.items())]

    def fixed(self, rule: str) -> bool:
        """True if the firm approved this rule's proposal."""
        return rule in self.job.migration.options.fixes

    def all_findings(self) -> Noted:
        return _in_order(self.findings, FINDINGS)

    def all_changes(self) -> Noted:
        return _in_order(self.changes, CHANGES)


Notes = tuple[str, str, Noted]
"""Notes about one field, in the order of the rows; the rule, where it is the same for all of them."""


def _in_order(notes: list[Notes], schema: Mapping[str, Any]) -> Noted:
    """By row, field and rule."""
    fields = [name for name, _, _ in notes]
    plain = all(rule or fields.count(name) == 1 for name, rule, _ in notes)
    return in_order([Noted.none(schema), *(noted for *_, noted in sorted(notes, key=lambda one: one[:2]))], is_settled=plain)
