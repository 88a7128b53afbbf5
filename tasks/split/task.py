"""Read every file of the drop, tell each table, settle what can be settled, and cut the rows into parts."""

import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from caseferry.canonical import to_json
from caseferry.choices import Migration
from caseferry.errors import ExportRefused, NeedsAnswer, Question
from caseferry.manifest import MESSAGES, Finding, Intake, Kept, Split, Table, UnknownTable
from caseferry.mapping.headings import normal
from caseferry.mapping.profile import Profile, known_evidence, load_profile
from caseferry.reading.access import tables_of
from caseferry.reading.ends import ends_midway
from caseferry.reading.grid import Grid
from caseferry.reading.guard import together
from caseferry.reading.kinds import LISTS, Kind
from caseferry.reading.lists import Spooled, read_lists, read_messages, read_small
from caseferry.reading.memos import ENDINGS
from caseferry.services.scratch import Scratch
from caseferry.services.store import get_all, put_files
from tasks.journey import Ticket
from tasks.split.drift import layout_changed
from tasks.split.recognise import DEEPEST_HEADER, Fit, Unfit, find_table, words_of
from tasks.split.tables import Cut, Portion, make_table
from tasks.stage import Services, migration_of, read_model, run_of

_NOTES = {
    "hidden_rows": "hidden rows were read too",
    "hidden_sheet": "a hidden sheet was read too",
    "error_cells": "cells hold a spreadsheet error instead of a value",
    "broken_quoting": "a quotation mark opens a cell and is never closed",
    "repaired_bytes": "stray bytes of another encoding in a UTF-8 file, read as Windows-1252",
    "encoding_assumed": "the encoding was told by its letters, nothing in the file proves it",
    "field_too_long": "cells are longer than limits.field_bytes allows",
    "macros": "its macros were not carried",
    "external_links": "its links to other workbooks were not followed",
    "birthdays_without_year": "days of birth without a year are no dates: they are carried as text",
    "pictures_listed": "cards hold pictures, sounds or keys: they are listed by size and hash, and stay in the file",
    "journals_not_read": "journals of a calendar are not read; the file is kept",
    "zones_of_its_own": "events in a time zone the file defines itself: placed by its rules, in a zone with the same clock or in universal time",
    "zones_unknown": "events in a time zone nobody knows: they keep their clock and its name",
    "series_not_split": "events that change the rest of a series, in a way that can't be told for certain: both are carried as they stand",
    "todos_that_repeat": "to-dos that repeat: each is carried once, its rule stays in the archive",
    "due_in_universal_time": "to-dos are due at a moment in universal time: check the day, it may be another where the firm is",
    "replaced_characters": "characters were lost before the file reached us",
    "records_beyond_count": "the file holds more records than its header counts; all were read",
    "deleted_records": "records marked as deleted are not read",
    "binary_columns_not_read": "columns that hold pictures or objects: they are not read",
    "column_types_not_read": "columns of a kind the converter does not know: their cells are empty, or a number of its own",
    "days_not_told": "days before 1900 or after 9999, which the converter can't tell: they are not carried",
    "memos_not_read": "memo fields whose file did not come along, or that hold a picture or an object: they are not read",
    "memos_lost": "memo fields name a place their file does not have, or it ends in the middle of their text",
    "records_cut_off": "the file ends before the records its header promises",
}
_UNREAD = (Kind.DOCUMENT, Kind.JSON, Kind.DELIMITED)
_CERTAIN = (".csv", ".tsv", ".psv")
"""Names of files that hold a list also where it has one column."""
_DATA = (".json", ".jsonl", ".ndjson", ".xml", ".sql", ".sqlite", ".sqlite3", ".db", ".parquet", ".bak", ".mdf", ".pst", ".ost", ".gz", ".7z", ".rar", ".tar")
"""Endings of files that may hold lists, and that nobody here reads."""
Read = tuple[Kept, Spooled]
_LOOKED_AT = 5_000
"""Cells of a column that are looked at to tell whether it was renamed."""
AT_ONCE = 2
"""Files of one drop that are read side by side."""


def split(services: Services, ticket: Ticket) -> None:
    """Make `1-split/tables.json`, written last: parts and quality report lie there before it does.

    Some rows of a list or two are in memory at a time; all else waits on disk until the questions are settled.

    Raises:
        NeedsAnswer: date columns that could be read in two ways; text that could be in two encodings.
        ExportRefused: no table of the source is in the drop.
    """
    store, run = services.store, run_of(ticket)
    migration = migration_of(store, run)
    intake = read_model(store, run.at("0-original", "manifest.json"), Intake)
    findings: list[Finding] = [*file_findings(intake)]
    with Scratch() as scratch:
        lists = list(read_all(services, intake, migration, findings, scratch))
        profile, confidence, fits = tell_source(lists, migration)
        work = services.settings.work
        cut = partial(make_table, profile=profile, migration=migration, portion=Portion(work.part_rows, work.portion_bytes), scratch=scratch)
        known = [(kept, rows, fit) for (kept, rows), fit in zip(lists, fits, strict=True) if isinstance(fit, Fit)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = list(pool.map(lambda one: cut(one[0], one[1][0].name, *one[1][1:]), enumerate(known, 1)))
        for (_, rows, _), one in zip(known, made, strict=True):
            findings += _table_findings(one, rows.head)
            findings += filter(None, [layout_changed(one.table, profile, _first_cells(one))])
        findings += money_beside(made, profile)
        unknown = []
        for (kept, rows), fit in zip(lists, fits, strict=True):
            if not isinstance(fit, Unfit):
                continue
            if rows.height > 1 and (rows.head.width > 1 or kept.name.lower().endswith(_CERTAIN)):
                unknown.append(UnknownTable(file=kept.name, sheet=rows.head.sheet, rows=rows.height, columns=fit.columns, reason=fit.reason))
            else:  # a title page, a read-me, a heading without rows
                findings.append(Finding(rule="text_not_taken", where=" › ".join(filter(None, (kept.name, rows.head.sheet))), count=rows.height, outcome="excluded"))
        if not made:
            unread = next((f"; {one.where} can't be read: {one.detail}" for one in findings if one.rule == "unreadable_file"), "")
            raise ExportRefused("CF-104", intake.files[0].name, f"none of {len(lists)} lists has the headings of {profile.product}{unread}")
        questions: tuple[Question, ...] = tuple(question for one in made for question in one.questions)
        if questions:
            raise NeedsAnswer(questions)
        put_files(store, [(run.at("1-split", "parts", f"{name}.parquet"), path) for one in made for name, path in zip(one.table.parts, one.parts, strict=True)])
    tables = tuple(one.table for one in made)
    found, records = {table.kind for table in tables}, {table.record for table in tables}
    missing = tuple(kind for kind in profile.expect if kind not in found and profile.tables[kind].record not in records)
    for kind in missing:
        findings.append(Finding(rule="expected_list_missing", where=kind, detail=profile.tables[kind].about))
    there = records | ({"document"} if any(kept.kind in {Kind.PDF, Kind.DOCUMENT} for kept in intake.files) else set())
    for kind in profile.hoped:
        record = profile.tables[kind].record if kind in profile.tables else kind
        if record not in there:
            findings.append(Finding(rule="list_not_sent", where=kind, detail=profile.tables[kind].about if kind in profile.tables else "documents with their folders"))
    for table in tables:
        height = table.lines.get("data", 0)
        if height < profile.expect.get(table.kind, 0):
            findings.append(Finding(rule="list_is_too_short", where=table.file, count=height))
    result = Split(
        source=profile.source, product=profile.product, version_guess=_variant(tables, profile), confidence=confidence,
        tables=tables, unknown=tuple(unknown), missing=missing, findings=tuple(findings),
    )  # fmt: skip
    store.put_once(run.at("1-split", "quality.json"), to_json({"tables": _quality(made)}))
    store.put_once(run.at("1-split", "tables.json"), to_json(result))


def file_findings(intake: Intake) -> Iterator[Finding]:
    """What is odd about whole files. Deep in folders lie documents, whatever their form."""
    for kept in intake.files:
        if kept.kind == Kind.EMPTY:
            yield Finding(rule="empty_file", where=kept.name)
        elif kept.kind == Kind.PROGRAM:
            yield Finding(rule="program", where=kept.name, detail="kept, never run, not carried", outcome="excluded")
        elif kept.kind == Kind.PDF and "/" not in kept.name.strip("/"):
            yield Finding(rule="pdf_report", where=kept.name, detail="kept, not read: export it again as CSV or Excel", outcome="excluded")
        elif kept.kind in _UNREAD and kept.name.lower().endswith(_DATA) and kept.name.count("/") < 2 and kept.name.rsplit("/", 1)[-1] != "migration.json":
            yield Finding(rule="data_not_read", where=kept.name, detail="kept, not read", outcome="excluded")
    for name, first in intake.duplicates:
        yield Finding(rule="duplicate_file", where=name, detail=f"the same bytes as {first}; read once", outcome="excluded")
    for refusal in intake.refused:
        yield Finding(rule="unreadable_file", where=refusal.name, detail=f"{refusal.code} {refusal.detail}".strip())


def read_all(services: Services, intake: Intake, migration: Migration, findings: list[Finding], scratch: Scratch) -> Iterator[Read]:
    """Every list of the drop. A file that can't be read is a finding; the others go on.

    Raises:
        NeedsAnswer: text whose encoding neither its bytes nor its letters tell.
    """
    limits = services.settings.limits
    broken_off: set[str] = set()
    told: dict[str, list[Finding]] = {}
    """What there is to say of the parts of a file, by its name: files are read side by side, and told of in their order."""

    def read(kept: Kept) -> list[Spooled] | Finding:
        """The lists of one file, or why there are none. Each is read in a process of its own, some side by side."""
        path = scratch.file()
        services.store.save(kept.key, path)
        if kept.kind == Kind.DELIMITED and ends_midway(path):
            broken_off.add(kept.name)
        try:
            if kept.kind == Kind.ACCESS:
                return database(kept, path)
            beside = -1
            if kept.name in memos:
                beside = behind(path, memos[kept.name])
            return read_lists(path, Kind(kept.kind), kept.name, limits, DEEPEST_HEADER + 2, migration.options.encoding_of(kept.name), beside)
        except ExportRefused as refusal:
            return _unreadable(kept, refusal)

    def database(kept: Kept, path: Path) -> list[Spooled]:
        """Every table of a database; one that can't be read costs no other."""
        own = told.setdefault(kept.name, [])

        def unread(where: str, why: str) -> None:
            own.append(Finding(rule="unreadable_file", where=where, detail=why))

        def noted(rule: str, where: str, count: int) -> None:
            own.append(Finding(rule=rule, where=where, count=count, detail=_NOTES[rule]))

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
        services.store.save(memo.key, second)
        with path.open("ab") as table, second.open("rb") as some:
            shutil.copyfileobj(some, table)
        return begin

    def letters() -> Iterator[tuple[str, bytes]]:
        for kept in intake.files:
            if kept.kind == Kind.MAIL:
                yield kept.name, services.store.get(kept.key)

    def unread(name: str, why: str) -> None:
        findings.append(Finding(rule="unreadable_file", where=name, detail=why))

    def read_together(some: list[Kept]) -> Iterator[list[Spooled] | Finding]:
        """The same of several small files, by one reader."""
        asked = [
            (data, Kind(kept.kind), kept.name, migration.options.encoding_of(kept.name))
            for kept, data in zip(some, get_all(services.store, (kept.key for kept in some)), strict=True)
        ]
        broken_off.update(name for data, kind, name, _ in asked if kind is Kind.DELIMITED and ends_midway(data))
        for kept, found in zip(some, read_small(asked, limits, DEEPEST_HEADER + 2), strict=True):
            yield found if isinstance(found, list) else _unreadable(kept, found)

    def read_some(some: list[Kept]) -> list[list[Spooled] | Finding]:
        return list(read_together(some)) if len(some) > 1 else [read(kept) for kept in some]

    files = [kept for kept in intake.files if kept.kind in LISTS or kept.kind == Kind.ACCESS]
    memos = _memos_of(files, intake)
    alone = {kept.name for kept in files if kept.kind == Kind.ACCESS} | set(memos)  # a converter reads those, or they lie in two files
    sizes = [sys.maxsize if kept.name in alone else kept.size for kept in files]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = [one for some in pool.map(read_some, together(files, sizes, AT_ONCE)) for one in some]
    questions = []
    for kept, lists in zip(files, results, strict=True):
        findings += told.get(kept.name, [])
        if isinstance(lists, Finding):
            findings.append(lists)
            continue
        if kept.name in broken_off:
            findings.append(Finding(rule="ends_midway", where=kept.name, detail="its last line has no end, and fewer cells than those above"))
        for one in lists:
            if one.head.undecided:
                found = f"its letters fit {' and '.join(one.head.undecided)} alike"
                questions.append(Question("CF-146", kept.name, found, "options.encoding"))
            if one.height:
                yield kept, one
    if any(kept.kind == Kind.MAIL for kept in intake.files):
        mail = read_messages(letters(), limits, DEEPEST_HEADER + 2, unread)
        if mail is not None:
            yield Kept(name=MESSAGES, key="", size=0, sha256="", kind=Kind.MAIL), mail
    if questions:
        raise NeedsAnswer(tuple(questions))


def _first_cells(cut: Cut) -> Callable[[int], pl.Series] | None:
    """Asks for the first cells of a column of a list that was cut; nothing where it has no rows."""
    if not cut.parts:
        return None
    return lambda place: pl.scan_parquet(cut.parts[0]).select(f"c{place}").head(_LOOKED_AT).collect().to_series()


def _memos_of(files: list[Kept], intake: Intake) -> dict[str, Kept]:
    """The memo file of each dBase table that has one: the file beside it of the same name."""
    there = {kept.name.casefold(): kept for kept in intake.files if kept.name.casefold().endswith(ENDINGS)}
    stems = {kept.name: kept.name.casefold().rpartition(".")[0] for kept in files if kept.kind == Kind.DBASE}
    return {name: there[stem + ending] for name, stem in stems.items() for ending in ENDINGS if stem + ending in there}


def _unreadable(kept: Kept, refusal: ExportRefused) -> Finding:
    return Finding(rule="unreadable_file", where=kept.name, detail=f"{refusal.code} {refusal.detail}".strip())


def tell_source(lists: list[Read], migration: Migration) -> tuple[Profile, float, list[Fit | Unfit]]:
    """The profile that explains the drop best, the share of its tables' columns that it knows, and how each list fits.

    A profile that is like another explains all that one does: it is taken only if headings are there that it alone knows.
    """
    evidence = known_evidence()
    known = frozenset[str]().union(*(load_profile(name).every_heading for name, told in evidence.items() if told is None))
    words = frozenset[str]().union(*(words_of(one.head, known) for _, one in lists))
    marks = {name: 0 if told is None else len(told & words) for name, told in evidence.items() if told is None or told & words}
    best: tuple[tuple[int, int], float, Profile, list[Fit | Unfit]] | None = None
    for name in [migration.source] if migration.source else marks:
        profile = migration.profile_of(name)
        every = [find_table(one.head, profile) for _, one in lists]
        fits = [fit for fit in every if isinstance(fit, Fit)]
        explained = sum(sum(1 for use in fit.uses if use) for fit in fits)
        share = explained / max(1, sum(fit.named for fit in fits))
        rank = (marks.get(name, 0), explained)
        if best is None or rank > best[0]:
            best = (rank, round(share, 3), profile, every)
    assert best is not None
    return best[2], best[1], best[3]


def _variant(tables: tuple[Table, ...], profile: Profile) -> str:
    """Which regional wording the headings speak, if any."""
    words = " ".join(c.heading.casefold() for table in tables for c in table.columns)
    counts = {name: sum(1 for clue in clues if clue in words) for name, clues in profile.variants.items()}
    best = max(counts, key=lambda name: counts[name], default="")
    return best if best and counts[best] else "unknown"


def _table_findings(cut: Cut, grid: Grid) -> Iterator[Finding]:
    table = cut.table
    where = " › ".join(filter(None, (table.file, table.sheet)))
    for note, count in sorted(grid.notes.items()):
        first = f"; the first in row {grid.places[note][0][0]}, column {grid.places[note][0][1]}" if grid.places.get(note) else ""
        told = f"; read as {grid.encoding}" if note == "encoding_assumed" else ""
        yield Finding(rule=note, where=where, count=count, detail=_NOTES[note] + told + first)
    for column in table.columns:
        place = f"{where} › column {column.place + 1}"
        filled = cut.filled.get(column.place, 0)  # a list without rows has counted nothing
        if column.use == "archive_only" and not column.decided and table.record != "excluded":
            yield Finding(rule="unknown_column", where=f"{place}, {column.heading!r}", count=filled, detail="kept in the archive only")
        elif column.use == "ignored" and column.field:
            yield Finding(rule="field_of_another_region", where=f"{place}, {column.heading!r}", count=filled, detail="ignored: this region's accounts do not have it", outcome="excluded")
    names = [c.heading for c in table.columns if c.heading]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield Finding(rule="duplicate_column", where=f"{where}, {name!r}", count=names.count(name))


def money_beside(made: list[Cut], profile: Profile) -> Iterator[Finding]:
    """Amounts in columns that are left behind, where no list of its own has them."""
    there = {cut.table.record for cut in made}
    sought = {normal(heading) for record, headings in profile.money_beside.items() if record not in there for heading in headings}
    for cut in made if sought else ():
        for column in cut.table.columns:
            if column.use not in {"ignored", "archive_only"} or normal(column.heading) not in sought or not cut.parts:
                continue
            cells = pl.scan_parquet(list(cut.parts)).select(pl.col(f"c{column.place}").str.contains("[1-9]").sum())
            count = int(cells.collect().item() or 0)
            if count:
                where = " › ".join(filter(None, (cut.table.file, cut.table.sheet)))
                yield Finding(rule="money_not_carried", where=f"{where} › column {column.place + 1}, {column.heading!r}", count=count, detail="amounts stand here, and no list of their own was sent")


def _quality(made: list[Cut]) -> list[dict[str, Any]]:
    """A report per table; rows that name a matter nobody lists count as orphans."""
    numbers = [one.matters["k"] for one in made if one.table.record == "matter"]
    if numbers:
        known = pl.concat(numbers).implode()
        for one in made:
            if one.table.record not in {"matter", "contact"}:
                one.report["orphans"] = int(one.matters.filter(~pl.col("k").is_in(known))["n"].sum())
    return [one.report for one in made]
