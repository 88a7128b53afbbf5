"""The checks. Each compares what went in with what came out, by counting again; a failed one stops the delivery.

A check is shown one batch after the other, and says at the end what it saw: none holds a whole firm.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
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


class Judge(Protocol):
    """Looks at each batch in turn, then says what holds."""

    name: str

    def see(self, batch: Batch) -> None: ...

    def say(self) -> Iterable[Check]: ...


class Careful:
    """A judge whose check has failed if it can't even be carried out."""

    def __init__(self, judge: Judge) -> None:
        self._judge, self._broken = judge, False

    def see(self, batch: Batch) -> None:
        try:
            if not self._broken:
                self._judge.see(batch)
        except _ODD:
            self._broken = True

    def say(self) -> list[Check]:
        name = self._judge.name
        try:
            if not self._broken:
                return list(self._judge.say())
        except _ODD:
            pass
        return [Check(name, f"The check of {name.replace('_', ' ')} could be carried out", False, "the files can't be read back")]


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

    def say(self) -> Iterator[Check]:
        wrong, counted, skipped = [], 0, 0
        for table in self._evidence.split.tables:
            found = self._rows[table.file].rows.get(table.sheet) if table.file in self._rows else None
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


class Rows:
    """Read = carried + merged + excluded + quarantined, for every type, and read is what the split found, no row twice."""

    name = "rows"

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._rows, self._once = Counter[str](), Counter[str]()
        self._last: dict[str, int] = {}

    def see(self, batch: Batch) -> None:
        for (record, table), rows in batch.places.partition_by("record", "table", as_dict=True).items():
            self._rows[str(record)] += rows.height
            # A table's parts come in the order of their rows: one that begins before the last one's end repeats it.
            fresh = rows.filter(pl.col("row") > self._last.get(str(table), -1))["row"]
            self._once[str(record)] += fresh.n_unique()
            self._last[str(table)] = max(self._last.get(str(table), -1), int(rows["row"].max() or 0))  # type: ignore[arg-type]

    def say(self) -> Iterator[Check]:
        wrong = []
        split = Counter[str]()
        for table in self._evidence.split.tables:
            split[table.record] += table.lines.get("data", 0)
        for record, count in split.items():
            placed = self._evidence.merged.placed.get(record)
            n, once = self._rows[record], self._once[record]
            if count and (placed is None or not placed.closes or placed.read != count or n != count or once != count):
                wrong.append({"type": record, "in_lists": count, "placed": n})
        detail = f"{split.total()} rows"
        yield Check("rows", "Exported = carried + merged + not taken + quarantined", not wrong, detail, True, tuple(wrong))


class Files:
    """The files hold as many rows as were carried, and are the files the manifest names."""

    name = "files"

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._rows, self._kinds = Counter[str](), Counter[str]()
        self._digests = dict.fromkeys((entry.name for entry in evidence.merged.files), hashlib.sha256().hexdigest())

    def see(self, batch: Batch) -> None:
        for piece in batch.handed:
            self._rows[piece.name] += piece.lines.height
            self._kinds[piece.kind] += piece.lines.height
            self._digests[piece.name] = piece.sha256

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
                self._ask(piece, "matters that are not in the matters file", named.join(self._numbers, on="k0", how="anti"))
        for name, heading in _OF_USERS:
            for piece in batch.files(name):
                self._users[piece.name] += _columns(piece, heading).filter(~pl.col("k0").is_in(self._active)).height

    def _ask(self, piece: Handed, problem: str, lost: pl.DataFrame) -> None:
        """Not found so far; what comes later may still settle it."""
        if lost.height:
            self._asked.setdefault((piece.name, problem), []).append(apart(lost))

    def _without_contact(self, clients: pl.DataFrame) -> pl.DataFrame:
        people = self._contacts.filter((pl.col("k0") != "") | (pl.col("k1") != ""))
        return clients.join(self._contacts, on=["k0", "k1", "k2"], how="anti").join(people, on=["k0", "k1"], how="anti")

    def say(self) -> Iterator[Check]:
        wrong: list[dict[str, Any]] = []
        for (file, problem), some in self._asked.items():
            asked = pl.concat(some)
            lost = self._without_contact(asked) if asked.width == 3 else asked.join(self._numbers, on="k0", how="anti")
            wrong += [{"file": file, "problem": problem, "rows": lost.height}] if lost.height else []
        wrong += [{"file": file, "problem": "users without an active licence", "rows": rows} for file, rows in self._users.items() if rows]
        yield Check("references", "Every client, matter and user named is there", not wrong, f"{self._numbers.height} matters", True, tuple(wrong))


def _keys(count: int) -> pl.DataFrame:
    return pl.DataFrame(schema={f"k{n}": pl.String for n in range(count)})


def _columns(piece: Handed, *names: str) -> pl.DataFrame:
    """Some columns as `k0`, `k1`, …; nothing where the file lacks one."""
    if not all(name in piece.header for name in names):
        return _keys(len(names))
    return pl.DataFrame({f"k{n}": piece.column(name) for n, name in enumerate(names)})
