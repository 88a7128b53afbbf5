"""Read every file of the drop, tell each table, settle what can be settled, and cut the rows into parts."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from caseferry.abreast import abreast
from caseferry.canonical import to_json
from caseferry.choices import Migration
from caseferry.errors import ExportRefused, NeedsAnswer, Question
from caseferry.keys import Run
from caseferry.manifest import LAID_APART, Arrival, Finding, Intake, Split, UnknownTable
from caseferry.reading.kinds import Kind
from caseferry.reading.ranged import Ahead, Surprise
from caseferry.services.scratch import Scratch
from caseferry.services.store import put_files
from caseferry.tables import cells_of
from tasks.journey import APART, SAMPLES, Ticket
from tasks.once import read_model, write_once
from tasks.split.drift import layout_changed
from tasks.split.drop import AT_ONCE, Drop, read_drop
from tasks.split.portal import portal_folders, portal_lists, portal_unknown
from tasks.split.recognise import Fit, Unfit
from tasks.split.source import tell_source, variant_of
from tasks.split.tables import Cut, Portion, make_table
from tasks.split.told import file_findings, money_beside, table_findings
from tasks.stage import Services, migration_of, run_of

if TYPE_CHECKING:
    from config.settings import WorkSettings

_CERTAIN = (".csv", ".tsv", ".psv")
"""Names of files that hold a list also where it has one column."""
_LOOKED_AT = 5_000
"""Cells of a column that are looked at to tell whether it was renamed."""


_MANY = 6
"""Batches up to which one task lays them as fast as several, which have to be told of the first."""


def split(services: Services, ticket: Ticket) -> None:
    """Make `1-split/tables.json`, written last: parts, samples and quality report lie there before it does.

    Some rows of a list or two are in memory at a time; all else waits on disk until the questions are settled.

    Raises:
        NeedsAnswer: date columns that could be read in two ways; text that could be in two encodings.
        ExportRefused: no table of the source is in the drop.
    """
    store, run = services.store, run_of(ticket)
    migration = migration_of(store, run, services.seen)
    intake = read_model(store, run.at("0-original", "manifest.json"), Intake)
    with Scratch() as scratch, Ahead() as ahead:
        drop = read_drop(services, intake, migration, scratch, ahead)
        cut = partial(_cut, services, run, migration, intake, drop, scratch)
        try:
            result, made = cut()
        except Surprise:
            drop.settle()
            result, made = cut()
    if read_model(store, run.at("arrival.json"), Arrival).format >= LAID_APART and _has_many_batches(result, services.settings.work):
        store.put_once(run.home + APART, to_json({"parts": sum(len(table.parts) for table in result.tables)}))
    write_once(store, run.at("1-split", "quality.json"), to_json({"tables": _quality(made)}))
    write_once(store, run.home + SAMPLES, to_json({one.table.id: one.samples for one in made}))
    write_once(store, run.at("1-split", "tables.json"), to_json(result))


def _has_many_batches(result: Split, work: "WorkSettings") -> bool:
    """True if there are so many that they are laid by tasks of their own, where that is wanted."""
    rows, size = sum(sum(table.part_rows) for table in result.tables), sum(sum(table.part_bytes) for table in result.tables)
    return work.lay_window > 1 and max(rows / work.batch_rows, size / work.portion_bytes) > _MANY


def _cut(services: Services, run: Run, migration: Migration, intake: Intake, drop: Drop, scratch: Scratch) -> tuple[Split, list[Cut]]:
    """Put the parts into the bucket; say what they are, and what was found in them.

    Raises:
        Surprise: a list that is still being read is not what its first rows promised. Nothing was put anywhere then.
    """
    findings: list[Finding] = [*file_findings(intake)]
    lists = list(drop.lists(findings))
    profile, confidence, fits = tell_source(lists, migration)
    work = services.settings.work
    cut = partial(make_table, profile=profile, migration=migration, portion=Portion(work.part_rows, work.portion_bytes), scratch=scratch)
    known = [(kept, rows, fit) for (kept, rows), fit in zip(lists, fits, strict=True) if isinstance(fit, Fit)]
    numbered = list(enumerate(known, 1))
    made = abreast(lambda one: cut(one[0], one[1][0].name, *one[1][1:]), numbered, [rows.length for _, rows, _ in known], AT_ONCE)
    for (_, rows, _), one in zip(known, made, strict=True):
        findings += table_findings(one, rows.head)
        findings += filter(None, [layout_changed(one.table, profile, _first_cells(one))])
    findings += money_beside(made, profile)
    findings += portal_lists(made, profile)
    unknown = []
    for (kept, rows), fit in zip(lists, fits, strict=True):
        if not isinstance(fit, Unfit):
            continue
        if rows.height > 1 and (rows.head.width > 1 or kept.name.lower().endswith(_CERTAIN)):
            unknown.append(UnknownTable(file=kept.name, sheet=rows.head.sheet, rows=rows.height, columns=fit.columns, reason=fit.reason))
            findings += filter(None, [portal_unknown(kept.name, rows, profile)])
        else:  # a title page, a read-me, a heading without rows
            findings.append(Finding(rule="text_not_taken", where=" › ".join(filter(None, (kept.name, rows.head.sheet))), count=rows.height, outcome="excluded"))
    findings += portal_folders(intake, {*(one.table.file for one in made), *(one.file for one in unknown)}, profile)
    if not made:
        unread = next((f"; {one.where} can't be read: {one.detail}" for one in findings if one.rule == "unreadable_file"), "")
        raise ExportRefused("CF-104", intake.files[0].name, f"none of {len(lists)} lists has the headings of {profile.product}{unread}")
    questions: tuple[Question, ...] = tuple(question for one in made for question in one.questions)
    if questions:
        raise NeedsAnswer(questions)
    put_files(services.store, [(run.at("1-split", "parts", f"{name}.zip"), path) for one in made for name, path in zip(one.table.parts, one.parts, strict=True)])
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
    split = Split(
        source=profile.source, product=profile.product, version_guess=variant_of(tables, profile), confidence=confidence,
        tables=tables, unknown=tuple(unknown), missing=missing, findings=tuple(findings),
    )  # fmt: skip
    return split, made


def _first_cells(cut: Cut) -> Callable[[int], pl.Series] | None:
    """Asks for the first cells of a column of a list that was cut; nothing where it has no rows."""
    if not cut.parts:
        return None
    return lambda place: cells_of(cut.parts[0], [f"c{place}"]).head(_LOOKED_AT).to_series()


def _quality(made: list[Cut]) -> list[dict[str, Any]]:
    """A report per table; rows that name a matter nobody lists count as orphans."""
    numbers = [one.matters["k"] for one in made if one.table.record == "matter"]
    if numbers:
        known = pl.concat(numbers).implode()
        for one in made:
            if one.table.record not in {"matter", "contact"}:
                one.report["orphans"] = int(one.matters["n"].filter(~one.matters["k"].is_in(known)).sum())
    return [one.report for one in made]
