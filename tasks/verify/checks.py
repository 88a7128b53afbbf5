"""The checks. Each compares what went in with what came out, by counting again; a failed one stops the delivery.

A check is shown one batch after the other, and says at the end what it saw: none holds a whole firm.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import polars as pl

from tasks.verify.evidence import Batch, Evidence
from tasks.verify.seen import Onlooker, Seen, Watcher

_FILES_OF = {
    "contact": ("contacts",), "matter": ("matters",), "related_contact": ("related_contacts",), "task": ("tasks",),
    "note": ("contact_notes", "matter_notes"), "calendar_event": ("calendar_events",), "email": ("emails",),
    "phone_log": ("phone_logs",), "time_entry": ("activities",), "receivable": ("balances_forward",),
    "trust": ("trust_balances",), "document": ("documents",),
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One thing that has to hold. `hard` ones stop the delivery; the others are differences to look at."""

    name: str
    title: str
    passed: bool
    detail: str = ""
    hard: bool = True
    differences: tuple[dict[str, Any], ...] = field(default=())


class Judge(Onlooker, Protocol):
    """Looks at each batch in turn, then says what holds."""

    name: str

    def say(self) -> Iterable[Check]: ...


class JudgeOfAll(Judge, Watcher, Protocol):
    """One who may judge by what others have seen."""


class Careful:
    """A judge whose check has failed if it can't even be carried out."""

    def __init__(self, judge: Judge) -> None:
        self.name, self._judge, self.is_broken = judge.name, judge, False

    def see(self, batch: Batch) -> None:
        try:
            if not self.is_broken:
                self._judge.see(batch)
        except _ODD:
            self.is_broken = True

    def say(self) -> list[Check]:
        name = self._judge.name
        try:
            if not self.is_broken:
                return list(self._judge.say())
        except _ODD:
            pass
        return [Check(name, f"The check of {name.replace('_', ' ')} could be carried out", False, "the files can't be read back")]


class CarefulOfAll(Careful):
    """The same of one who may judge by what others have seen."""

    def __init__(self, judge: JudgeOfAll) -> None:
        super().__init__(judge)
        self._watcher = judge

    def seen(self) -> Seen:
        try:
            own = Seen() if self.is_broken else self._watcher.seen()
        except _ODD:
            self.is_broken, own = True, Seen()
        return Seen([self.is_broken, own.facts], own.tables)

    def add(self, seen: Seen) -> None:
        is_broken, facts = seen.facts
        self.is_broken = self.is_broken or is_broken
        try:
            if not self.is_broken:
                self._watcher.add(Seen(facts, seen.tables))
        except _ODD:
            self.is_broken = True


_ODD = (ValueError, IndexError, ArithmeticError, pl.exceptions.PolarsError)


@dataclass(frozen=True)
class _Span:
    """Rows of a table that were placed."""

    rows: int
    different: int
    first: int
    last: int

    def then(self, other: "_Span") -> "_Span":
        """With those that follow. A table's parts come in the order of their rows: what begins before the end of those
        before repeats some, and none of it counts as another row."""
        fresh = other.different if other.first > self.last else 0
        return _Span(self.rows + other.rows, self.different + fresh, min(self.first, other.first), max(self.last, other.last))


class Rows:
    """Read = carried + merged + excluded + quarantined, for every type, and read is what the split found, no row twice."""

    name = "rows"

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._spans = dict[tuple[str, str], _Span]()

    def see(self, batch: Batch) -> None:
        for (record, table), rows in batch.placed_of.items():
            numbers = rows["row"]
            self._follow(record, table, _Span(numbers.len(), numbers.n_unique(), int(numbers.min() or 0), int(numbers.max() or 0)))  # type: ignore[arg-type]

    def seen(self) -> Seen:
        return Seen([[record, table, asdict(span)] for (record, table), span in self._spans.items()])

    def add(self, seen: Seen) -> None:
        for record, table, span in seen.facts:
            self._follow(record, table, _Span(**span))

    def _follow(self, record: str, table: str, span: "_Span") -> None:
        before = self._spans.get((record, table))
        self._spans[record, table] = before.then(span) if before else span

    def say(self) -> Iterator[Check]:
        wrong = []
        split, rows, different = Counter[str](), Counter[str](), Counter[str]()
        for table in self._evidence.split.tables:
            split[table.record] += table.lines.get("data", 0)
        for (record, _), span in self._spans.items():
            rows[record] += span.rows
            different[record] += span.different
        for record, count in split.items():
            placed = self._evidence.merged.placed.get(record)
            n, once = rows[record], different[record]
            if count and (placed is None or not placed.closes or placed.read != count or n != count or once != count):
                wrong.append({"type": record, "in_lists": count, "placed": n})
        detail = f"{split.total()} rows"
        yield Check("rows", "Exported = carried + merged + not taken + quarantined", not wrong, detail, True, tuple(wrong))


_NOTHING = hashlib.sha256().hexdigest()


class Files:
    """The files hold as many rows as were carried, and are the files the manifest names."""

    name = "files"

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._rows, self._kinds = Counter[str](), Counter[str]()
        self._digests = dict.fromkeys((entry.name for entry in evidence.merged.files), _NOTHING)

    def see(self, batch: Batch) -> None:
        for piece in batch.handed:
            self._rows[piece.name] += piece.lines.height
            self._kinds[piece.kind] += piece.lines.height
            if piece.sha256:
                self._digests[piece.name] = piece.sha256

    def read_through(self) -> None:
        """Take the digest of each file as it lies there, from end to end: for one who sees some of its pieces only."""
        self._digests |= {entry.name: self._evidence.digest_of(entry.name) for entry in self._evidence.merged.files}

    def seen(self) -> Seen:
        return Seen([self._rows, self._kinds, {name: one for name, one in self._digests.items() if one != _NOTHING}])

    def add(self, seen: Seen) -> None:
        rows, kinds, digests = seen.facts
        self._rows.update(rows)
        self._kinds.update(kinds)
        self._digests |= digests

    def say(self) -> Iterator[Check]:
        merged, wrong = self._evidence.merged, []
        for record, names in _FILES_OF.items():
            placed = merged.placed.get(record)
            expected = (placed.carried if placed else 0) + merged.derived.get(record, 0)
            found = sum(self._kinds[name] for name in names)
            if record == "document" and not self._evidence.migration.options.documents:
                expected = 0
            if found != expected:
                wrong.append({"type": record, "carried": expected, "in_files": found})
        yield Check("written", "Every carried row is in a file handed over", not wrong, "", True, tuple(wrong))
        changed = [{"file": e.name} for e in merged.files if self._digests[e.name] != e.sha256 or self._rows[e.name] != e.rows]
        yield Check("hashes", "The files are the ones the manifest names", not changed, f"{len(merged.files)} files", True, tuple(changed))
