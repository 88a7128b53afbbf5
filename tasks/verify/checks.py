"""The checks. Each compares what went in with what came out, by counting again; a failed one stops the delivery.

A check is shown one batch after the other, and says at the end what it saw: none holds a whole firm.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import polars as pl

from caseferry.canonical import apart
from caseferry.errors import ExportRefused
from caseferry.manifest import MESSAGES, Kept
from caseferry.originals import ask_about, save
from caseferry.reading.guard import SMALL, ask, together
from caseferry.reading.kinds import Kind
from caseferry.services.scratch import Scratch
from tasks.verify.evidence import Batch, Evidence, Handed
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
_COUNTED = {Kind.DELIMITED: "count", Kind.MAILBOX: "count_letters", Kind.DBASE: "count_records", Kind.CALENDAR: "count_calendar"}
"""What counts the rows of files of other kinds."""
_BEGUN = {Kind.CARDS: "VCARD"}
"""What begins a row in files that are no tables."""


Counted = dict[str, int | None]
"""Rows by sheet; None where they can be counted in two ways."""
_AT_ONCE = 2


@dataclass(frozen=True)
class _Share:
    """What is known of one file, of those that are counted together."""

    all: "Future[list[Counted]]"
    place: int

    @property
    def rows(self) -> Counted:
        return self.all.result()[self.place]


class Lines:
    """Every row of every list was told apart: the lines add up to what the file holds."""

    name = "lines"

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._rows = dict[str, _Share]()
        self._counted = dict[str, Counted]()
        """What another one counted."""

    def begin(self) -> None:
        """Count the files as they came, which are all it looks at, while the others look at the batches."""
        unclear = {finding.where for finding in self._evidence.split.findings if finding.rule == "broken_quoting"}
        files = {table.file for table in self._evidence.split.tables} - unclear
        counted = [file for file in self._evidence.intake.files if file.name in files and file.kind != "duplicate"]
        for some in together(counted, [file.size for file in counted], _AT_ONCE):
            found = self._pool.submit(self._count if some[0].size > SMALL else self._count_together, some)
            self._rows |= {file.name: _Share(found, place) for place, file in enumerate(some)}
        if MESSAGES in files:
            gone = {finding.where for finding in self._evidence.split.findings if finding.rule == "unreadable_file"}
            letters = sum(1 for file in self._evidence.intake.files if file.kind == Kind.MAIL and file.name not in gone)
            self._rows[MESSAGES] = _Share(self._pool.submit(lambda: [{"": letters + 1}]), 0)  # a header, and a row for each
        self._pool.shutdown(wait=False)

    def see(self, batch: Batch) -> None:
        """Nothing of a batch is its business."""

    def seen(self) -> Seen:
        return Seen(self._every())

    def add(self, seen: Seen) -> None:
        self._counted |= seen.facts

    def _every(self) -> dict[str, Counted]:
        return self._counted | {file: share.rows for file, share in self._rows.items()}

    def say(self) -> Iterator[Check]:
        wrong, counted, skipped = [], 0, 0
        every = self._every()
        for table in self._evidence.split.tables:
            found = every.get(table.file, {}).get(table.sheet)
            if found is None:
                skipped += 1
                continue
            counted += found
            if found != sum(table.lines.values()):
                wrong.append({"table": table.id, "in_file": found, "accounted_for": sum(table.lines.values())})
        detail = f"{counted} lines in {len(self._evidence.split.tables)} lists"
        if skipped:
            detail += f"; {skipped} lists (with open quotes, or out of a converter) could be counted in one way only"
        yield Check("lines", "Every line of every list is data or named furniture", not wrong, detail, True, tuple(wrong))

    def _count(self, files: list[Kept]) -> list[Counted]:
        """Rows by sheet of a long file, as far as they can be counted."""
        with Scratch() as scratch:
            path = scratch.file()
            work, words = _work(files[0])
            try:
                save(self._evidence.store, files[0], path, self._evidence.limits)
                return [_by_sheet(ask(work, path, files[0].name, self._evidence.limits, **words).made)]
            except ExportRefused:
                return [{}]

    def _count_together(self, files: list[Kept]) -> list[Counted]:
        """The same of several small files, by one reader."""
        answers = ask_about(self._evidence.store, files, [_work(file) for file in files], self._evidence.limits)
        return [{} if isinstance(one, ExportRefused) else _by_sheet(one.made) for one in answers]


def _work(file: Kept) -> tuple[str, dict[str, Any]]:
    """What counts the rows of a file, and the words it takes."""
    if file.kind in _BEGUN:
        return "tasks.verify.recount:count_begun", {"word": _BEGUN[Kind(file.kind)]}
    if file.kind in _COUNTED:
        return f"tasks.verify.recount:{_COUNTED[Kind(file.kind)]}", {}
    return "tasks.verify.sheets:count", {"file": file.name}


def _by_sheet(made: Any) -> Counted:
    return made if isinstance(made, dict) else {"": made}


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
        for (record, table), rows in batch.places.partition_by("record", "table", as_dict=True).items():
            numbers = rows["row"]
            self._follow(str(record), str(table), _Span(numbers.len(), numbers.n_unique(), int(numbers.min() or 0), int(numbers.max() or 0)))  # type: ignore[arg-type]

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


_CLIENT = ("client_first_name", "client_last_name", "client_company_name")
_OF_MATTERS = (("activities", "matter"), ("balances_forward", "matter"), ("trust_balances", "matter"), ("matter_notes", "matter"),
               ("related_contacts", "matter"), ("tasks", "matter"), ("calendar_events", "matter"), ("matter_users", "matter"))  # fmt: skip
_OF_USERS = (("activities", "activity_user"), ("matter_users", "responsible_attorney"), ("matters", "responsible_attorney"),
             ("tasks", "assignee"), ("calendar_events", "calendar"))  # fmt: skip


class References:
    """Every client, matter and user that a file names is there for the import to find."""

    name = "references"

    def __init__(self, evidence: Evidence) -> None:
        self._contacts, self._numbers = _keys(3), _keys(1)
        self._active = [user.name for user in evidence.migration.users if user.licence == "active"]
        self._asked: dict[tuple[str, str], list[pl.DataFrame]] = {}
        """What was not found so far, by file and problem: distinct names as `k0`, …, and `n` lines that name each."""
        self._users = Counter[str]()

    def see(self, batch: Batch) -> None:
        for piece in (*batch.files("contacts"), *batch.files("contacts_there")):
            self._contacts = pl.concat([self._contacts, _columns(piece, "first_name", "last_name", "company")]).unique()
        for piece in batch.files("matters_there"):
            self._numbers = pl.concat([self._numbers, _columns(piece, "custom_number")]).unique()
        for piece in batch.files("matters"):
            self._numbers = pl.concat([self._numbers, _columns(piece, "custom_number")]).unique()
            self._ask(piece, "clients without a contact", self._without_contact(_columns(piece, *_CLIENT)))
        for name, heading in _OF_MATTERS:
            for piece in batch.files(name):
                named = _columns(piece, heading).filter(pl.col("k0") != "")
                self._ask(piece, "matters that are not in the matters file", self._not_there(named))
        for name, heading in _OF_USERS:
            for piece in batch.files(name):
                self._users[piece.name] += _columns(piece, heading).filter(~pl.col("k0").is_in(self._active)).height

    def _ask(self, piece: Handed, problem: str, lost: pl.DataFrame) -> None:
        """Not found so far; what comes later may still settle it."""
        if lost.height:
            self._asked.setdefault((piece.name, problem), []).append(apart(lost.group_by(pl.all()).len("n")))

    def seen(self) -> Seen:
        asked = {key: _added(some) for key, some in self._asked.items()}
        tables = {"contacts": self._contacts, "numbers": self._numbers} | {f"asked{number}": names for number, names in enumerate(asked.values())}
        return Seen([self._users, list(asked)], tables)

    def add(self, seen: Seen) -> None:
        users, asked = seen.facts
        self._users.update(users)
        self._contacts = pl.concat([self._contacts, seen.tables["contacts"]]).unique()
        self._numbers = pl.concat([self._numbers, seen.tables["numbers"]]).unique()
        for number, which in enumerate(asked):
            lost = self._not_there(seen.tables[f"asked{number}"])
            if lost.height:
                self._asked.setdefault((which[0], which[1]), []).append(lost)

    def _not_there(self, names: pl.DataFrame) -> pl.DataFrame:
        """Those of some clients, or matters, that are not among all that is known so far."""
        return self._without_contact(names) if "k2" in names.columns else names.join(self._numbers, on="k0", how="anti")

    def _without_contact(self, clients: pl.DataFrame) -> pl.DataFrame:
        people = self._contacts.filter((pl.col("k0") != "") | (pl.col("k1") != ""))
        return clients.join(self._contacts, on=["k0", "k1", "k2"], how="anti").join(people, on=["k0", "k1"], how="anti")

    def say(self) -> Iterator[Check]:
        wrong: list[dict[str, Any]] = []
        for (file, problem), some in sorted(self._asked.items(), key=lambda one: one[0]):
            lost = self._not_there(pl.concat(some))
            wrong += [{"file": file, "problem": problem, "rows": int(lost["n"].sum())}] if lost.height else []
        wrong += [{"file": file, "problem": "users without an active licence", "rows": rows} for file, rows in self._users.items() if rows]
        yield Check("references", "Every client, matter and user named is there", not wrong, f"{self._numbers.height} matters", True, tuple(wrong))


def _added(some: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(some).group_by(pl.exclude("n")).agg(pl.col("n").sum())


def _keys(count: int) -> pl.DataFrame:
    return pl.DataFrame(schema={f"k{n}": pl.String for n in range(count)})


def _columns(piece: Handed, *names: str) -> pl.DataFrame:
    """Some columns as `k0`, `k1`, …; nothing where the file lacks one."""
    if not all(name in piece.header for name in names):
        return _keys(len(names))
    return pl.DataFrame({f"k{n}": piece.column(name) for n, name in enumerate(names)})
