"""The check of the originals: every file is counted once more as it came, and its lists must account for each of its lines."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from caseferry.errors import ExportRefused
from caseferry.manifest import MESSAGES, Kept
from caseferry.originals import Work, ask_about, ask_of
from caseferry.reading.guard import SMALL, together
from caseferry.reading.kinds import Kind
from tasks.verify.checks import Check
from tasks.verify.evidence import Batch, Originals
from tasks.verify.seen import Seen

_COUNTED = {Kind.DELIMITED: "count", Kind.MAILBOX: "count_letters", Kind.DBASE: "count_records", Kind.CALENDAR: "count_calendar"}
"""What counts the rows of files of other kinds."""
_BEGUN = {Kind.CARDS: "VCARD"}
"""What begins a row in files that are no tables."""


Counted = dict[str, int | None]
"""Rows by sheet; None where they can be counted in two ways."""
_AT_ONCE = 2
_CLOSELY = 64 << 20
"""Bytes up to which a list is counted cell by cell, where that is called for: a cell takes it a microsecond."""


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

    def __init__(self, originals: Originals) -> None:
        self._originals = originals
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._rows = dict[str, _Share]()
        self._counted = dict[str, Counted]()
        """What another one counted."""

    def begin(self) -> None:
        """Count the files as they came, which are all it looks at, while the others look at the batches. Those that another
        one has counted are not counted once more.
        """
        unclear = {finding.where for finding in self._originals.split.findings if finding.rule == "broken_quoting"}
        files = {table.file for table in self._originals.split.tables} - unclear
        counted = [file for file in self._originals.intake.files if file.name in files - self._counted.keys() and file.kind != "duplicate"]
        for some in together(counted, [file.size for file in counted], _AT_ONCE):
            found = self._pool.submit(self._count if some[0].size > SMALL else self._count_together, some)
            self._rows |= {file.name: _Share(found, place) for place, file in enumerate(some)}
        if MESSAGES in files - self._counted.keys():
            gone = {finding.where for finding in self._originals.split.findings if finding.rule == "unreadable_file"}
            letters = sum(1 for file in self._originals.intake.files if file.kind == Kind.MAIL and file.name not in gone)
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
        for table in self._originals.split.tables:
            found = every.get(table.file, {}).get(table.sheet)
            if found is None:
                skipped += 1
                continue
            accounted = sum(table.lines.values())
            if found != accounted and self._counted_closely(table.file) == accounted:
                found = accounted
            counted += found
            if found != accounted:
                wrong.append({"table": table.id, "in_file": found, "accounted_for": accounted})
        detail = f"{counted} lines in {len(self._originals.split.tables)} lists"
        if skipped:
            detail += f"; {skipped} lists (with open quotes, or out of a converter) could be counted in one way only"
        yield Check("lines", "Every line of every list is data or named furniture", not wrong, detail, True, tuple(wrong))

    def _counted_closely(self, name: str) -> int | None:
        """Rows of a list in which quotation marks may stand for inches: counted cell by cell, where its marks alone tell another
        number than the lists account for.
        """
        file = next((file for file in self._originals.intake.files if file.name == name and file.kind == Kind.DELIMITED), None)
        if file is None or file.size > _CLOSELY:
            return None
        try:
            return _by_sheet(ask_of(self._originals.store, file, ("tasks.verify.recount:count_closely", {}), self._originals.limits, flows=False).made)[""]
        except ExportRefused:
            return None

    def _count(self, files: list[Kept]) -> list[Counted]:
        """Rows by sheet of a long file, as far as they can be counted."""
        (file,) = files
        try:
            flows = file.kind in _COUNTED or file.kind in _BEGUN
            return [_by_sheet(ask_of(self._originals.store, file, _work(file), self._originals.limits, flows=flows).made)]
        except ExportRefused:
            return [{}]

    def _count_together(self, files: list[Kept]) -> list[Counted]:
        """The same of several small files, by one reader."""
        answers = ask_about(self._originals.store, files, [_work(file) for file in files], self._originals.limits)
        return [{} if isinstance(one, ExportRefused) else _by_sheet(one.made) for one in answers]


def _work(file: Kept) -> Work:
    """What counts the rows of a file, and the words it takes."""
    if file.kind in _BEGUN:
        return "tasks.verify.recount:count_begun", {"word": _BEGUN[Kind(file.kind)]}
    if file.kind in _COUNTED:
        return f"tasks.verify.recount:{_COUNTED[Kind(file.kind)]}", {}
    return "tasks.verify.sheets:count", {"file": file.name}


def _by_sheet(made: Any) -> Counted:
    return made if isinstance(made, dict) else {"": made}
