"""Every list of a drop, whatever its files are: read side by side, each behind the guard."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from caseferry import originals
from caseferry.abreast import abreast
from caseferry.choices import Migration
from caseferry.errors import ExportRefused, NeedsAnswer, Question
from caseferry.manifest import MESSAGES, Finding, Intake, Kept
from caseferry.originals import fetch, save
from caseferry.reading.access import tables_of
from caseferry.reading.guard import SMALL, Unpacks, together
from caseferry.reading.kinds import LISTS, Kind
from caseferry.reading.lists import lists_in, read_lists, read_messages, unpacks_itself, wanted
from caseferry.reading.memos import ENDINGS
from caseferry.reading.ranged import Ahead
from caseferry.reading.spooled import Spooled
from caseferry.services.scratch import Scratch
from tasks.split.recognise import DEEPEST_HEADER
from tasks.split.told import NOTES, unreadable
from tasks.stage import Services

Read = tuple[Kept, Spooled]
AT_ONCE = 2
"""Files of one drop that are read side by side."""


@dataclass
class Drop:
    """What was read of a drop.

    Args:
        files: those that may hold lists, in order; `read` has the lists of each, or why there are none.
        told: what there is to say of the parts of a file, by its name: files are read side by side, and told of in their order.
        mail: the messages that lie in files of their own, as one list.
        unread: of those the ones that can't be read.
    """

    files: list[Kept]
    read: list[list[Spooled] | Finding]
    told: dict[str, list[Finding]]
    mail: Spooled | None
    unread: list[Finding]

    def lists(self, findings: list[Finding]) -> Iterator[Read]:
        """Every list. A file that can't be read is a finding.

        Raises:
            NeedsAnswer: text whose encoding neither its bytes nor its letters tell.
        """
        questions = []
        for kept, lists in zip(self.files, self.read, strict=True):
            findings += self.told.get(kept.name, [])
            if isinstance(lists, Finding):
                findings.append(lists)
                continue
            if kept.kind == Kind.DELIMITED and any(one.ends_midway for one in lists):
                findings.append(Finding(rule="ends_midway", where=kept.name, detail="its last line has no end, and fewer cells than those above or half a letter"))
            for one in lists:
                if one.head.undecided:
                    found = f"its letters fit {' and '.join(one.head.undecided)} alike"
                    questions.append(Question("CF-146", kept.name, found, "options.encoding"))
                if one.length:
                    yield kept, one
        findings += self.unread
        if self.mail is not None:
            yield Kept(name=MESSAGES, key="", size=0, sha256="", kind=Kind.MAIL), self.mail
        if questions:
            raise NeedsAnswer(tuple(questions))

    def settle(self) -> None:
        """Wait for all that is still being read."""
        for place, (kept, lists) in enumerate(zip(self.files, self.read, strict=True)):
            if not isinstance(lists, Finding):
                try:
                    self.read[place] = [one for some in lists for one in some.settled()]
                except ExportRefused as refusal:
                    self.read[place] = unreadable(kept, refusal)


def read_drop(services: Services, intake: Intake, migration: Migration, scratch: Scratch, ahead: Ahead | None = None) -> Drop:
    """Every list of the drop; a file that can't be read costs no other.

    Args:
        ahead: reads on while the first rows of long lists are looked at.
    """
    limits = services.settings.limits
    told: dict[str, list[Finding]] = {}
    lost: list[Finding] = []

    def read(kept: Kept) -> list[Spooled] | Finding:
        """The lists of one file, or why there are none. Each is read in a process of its own, some side by side."""
        path = scratch.file()
        encoding = migration.options.encoding_of(kept.name)
        try:
            if kept.packed is not None and ahead is not None and unpacks_itself(Kind(kept.kind), kept.size, encoding):
                packed = scratch.file()
                fetch(services.store, kept.key, kept.packed, packed)
                how = packed, Unpacks(kept.packed.method, kept.size, kept.sha256)
                return read_lists(path, Kind.DELIMITED, kept.name, limits, DEEPEST_HEADER + 2, ahead=ahead, packed=how)
            save(services.store, kept, path, limits)
            if kept.kind == Kind.ACCESS:
                return database(kept, path)
            beside = -1
            if kept.name in memos:
                beside = behind(path, memos[kept.name])
            return read_lists(path, Kind(kept.kind), kept.name, limits, DEEPEST_HEADER + 2, encoding, beside, ahead=ahead)
        except ExportRefused as refusal:
            return unreadable(kept, refusal)

    def database(kept: Kept, path: Path) -> list[Spooled]:
        """Every table of a database; one that can't be read costs no other."""
        own = told.setdefault(kept.name, [])

        def unread(where: str, why: str) -> None:
            own.append(Finding(rule="unreadable_file", where=where, detail=why))

        def noted(rule: str, where: str, count: int) -> None:
            own.append(Finding(rule=rule, where=where, count=count, detail=NOTES[rule]))

        lists: list[Spooled] = []
        for made in tables_of(path, kept.name, limits, scratch, unread, noted):
            try:
                read = read_lists(made.path, Kind.DELIMITED, kept.name, limits, DEEPEST_HEADER + 2, "utf-8", kinds=made.kinds)
                lists += [one.on_sheet(made.table) for one in read]
            except ExportRefused as refusal:
                unread(f"{kept.name} › {made.table}", f"{refusal.code} {refusal.detail}".strip())
        return lists

    def behind(path: Path, memo: Kept) -> int:
        """Put a table's memo file behind it; where it begins."""
        begin, second = path.stat().st_size, scratch.file()
        save(services.store, memo, second, limits)
        with path.open("ab") as table, second.open("rb") as some:
            shutil.copyfileobj(some, table)
        return begin

    def letters() -> Iterator[tuple[str, bytes]]:
        mails = [kept for kept in intake.files if kept.kind == Kind.MAIL]
        for some in together(mails, [kept.size for kept in mails], 1):
            for kept, data in zip(some, originals.read_all(services.store, some, limits), strict=True):
                if isinstance(data, bytes):
                    yield kept.name, data
                else:
                    unread(kept.name, f"{data.code} {data.detail}".strip())

    def unread(name: str, why: str) -> None:
        lost.append(Finding(rule="unreadable_file", where=name, detail=why))

    def read_together(some: list[Kept]) -> Iterator[list[Spooled] | Finding]:
        """The same of several small files, by one reader."""
        asked = [wanted(Kind(kept.kind), kept.name, migration.options.encoding_of(kept.name)) for kept in some]
        for kept, answer in zip(some, originals.ask_about(services.store, some, asked, limits), strict=True):
            yield unreadable(kept, answer) if isinstance(answer, ExportRefused) else lists_in(answer, DEEPEST_HEADER + 2)

    def read_some(some: list[Kept]) -> list[list[Spooled] | Finding]:
        is_long = len(some) == 1 and (some[0].size > SMALL or some[0].name in alone)
        return [read(some[0])] if is_long else list(read_together(some))

    files = [kept for kept in intake.files if kept.kind in LISTS or kept.kind == Kind.ACCESS]
    memos = _memos_of(files, intake)
    alone = {kept.name for kept in files if kept.kind == Kind.ACCESS} | set(memos)  # a converter reads those, or they lie in two files
    sizes = [sys.maxsize if kept.name in alone else kept.size for kept in files]
    groups = together(files, sizes, AT_ONCE)
    results = [one for some in abreast(read_some, groups, [sum(kept.size for kept in some) for some in groups], AT_ONCE) for one in some]
    mail = read_messages(letters(), limits, DEEPEST_HEADER + 2, unread) if any(kept.kind == Kind.MAIL for kept in intake.files) else None
    return Drop(files, results, told, mail, lost)


def _memos_of(files: list[Kept], intake: Intake) -> dict[str, Kept]:
    """The memo file of each dBase table that has one: the file beside it of the same name."""
    there = {kept.name.casefold(): kept for kept in intake.files if kept.name.casefold().endswith(ENDINGS)}
    stems = {kept.name: kept.name.casefold().rpartition(".")[0] for kept in files if kept.kind == Kind.DBASE}
    return {name: there[stem + ending] for name, stem in stems.items() for ending in ENDINGS if stem + ending in there}
