"""Bring the parts together, in one order whatever order they came in, a batch at a time; the manifest is written last."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from caseferry.canonical import to_json
from caseferry.choices import Migration
from caseferry.errors import NeedsAnswer
from caseferry.keys import Run
from caseferry.manifest import PORTAL_MESSAGES, Finding, Fit, Intake, Merged, Split
from caseferry.mapping.target import load_target
from caseferry.originals import ask_about
from caseferry.reading.grid import ROW
from caseferry.services.scratch import Scratch
from caseferry.services.store import Sending
from tasks.journey import Ticket
from tasks.merge import balances, papers
from tasks.merge.batches import Outcomes, in_batches
from tasks.merge.contacts import contact_lines, names_of, prepare_contacts
from tasks.merge.custom_fields import custom_fields
from tasks.merge.desk import Desk
from tasks.merge.documents import documents
from tasks.merge.files import HEADINGS, Files, Template, read_template
from tasks.merge.jobs import bring_together
from tasks.merge.laid import Laid, Pen
from tasks.merge.left_out import leave_out
from tasks.merge.matters import link_clients, matter_lines, matter_numbers, parties_of_matters, practice_areas, prepare_matters
from tasks.merge.moved import Keeping, earlier_runs, moved_by
from tasks.merge.scope import ask_scope, draw_scope
from tasks.merge.targets import load_plan
from tasks.merge.targets.field_map import FieldMap, ask_map, draw_map
from tasks.merge.targets.fitting import Fitting
from tasks.merge.targets.keys import SCATTERED, equals, told_again
from tasks.merge.targets.neutral import Links, links_of, neutral
from tasks.merge.users import ask_before
from tasks.merge.words import value_maps
from tasks.once import read_model, write_once
from tasks.stage import Services, migration_of, run_of


def merge(services: Services, ticket: Ticket) -> None:
    """Make `3-merge/manifest.json`.

    Everything grows on disk, a batch at a time. A file that no further batch has rows for goes into the bucket while the next
    ones are made; until the manifest lies beside them, none of them is handed over.

    Raises:
        NeedsAnswer: the scope or the field map needs a person; or matters or tasks need the primary subscriber, and none is
            named. No import file is written then.
    """
    store, run = services.store, run_of(ticket)
    split = read_model(store, run.at("1-split", "tables.json"), Split)
    intake = read_model(store, run.at("0-original", "manifest.json"), Intake)
    migration = migration_of(store, run)
    outcomes = Outcomes(store, run, split)
    first, *others = in_batches(split, services.settings.work.batch_rows, services.settings.work.portion_bytes)
    with ThreadPoolExecutor(1) as pool:  # what a person reads before is drawn while the first batch is read
        drawn = pool.submit(_draw, services, run, migration, split, intake)
        records, aside = outcomes.read(first)
        field_map = drawn.result()
    desk = Desk(
        migration=migration, profile=migration.profile_of(split.source), target=load_target(migration.base), split=split,
        intake=intake, records=records, as_at=_as_at(split, migration, intake), moved=moved_by(store, run.of, migration),
    )  # fmt: skip
    _as_at_findings(desk)
    desk.notes += earlier_runs(store, run, migration)
    if questions := (*ask_map(field_map, migration, split), *ask_scope(migration)):
        raise NeedsAnswer(questions)
    with Scratch() as scratch, Sending(store) as sending:
        fittings = [Fitting(migration.target_of(name), migration, field_map.version, scratch, desk.trust_stays, split.portal) for name in migration.mapped]
        laid = Laid(Files(desk, _templates(services, desk), scratch), scratch, sending, lambda name: run.at("3-merge", name), fittings)
        known, plan = _put_together(desk, outcomes, scratch)
        links = links_of(desk, equals(outcomes, SCATTERED, scratch)) if fittings else None
        keeping = Keeping(desk.moved, scratch)
        with Pen(laid) as pen:
            _lay(pen, keeping, first, desk, aside, links, outcomes.records_of(others))
            areas, words = practice_areas(desk), value_maps(desk)
            pen.wait()
            records.clear()  # what the others need of it is known; a firm's contacts are not held while its time goes by
            for held in (desk.files, desk.findings, desk.changes):
                held.clear()
            for number, (records, aside) in enumerate(outcomes.ahead(others)):
                other = replace(desk, records=records, files={}, findings=[], changes=[], twice=known.twice, occurrences=None)
                _hang(other, known)
                _lay(pen, keeping, others[number], other, aside, links, outcomes.records_of(others[number + 1 :]))
        files = laid.files.written()
        if migration.options.keeps_what_moves:
            sending.send(run.of.moved(run.run), keeping.done())
        fits = tuple(_fitted(services, run, fitting, migration, plan, sending) for fitting in fittings)
    exclusions = tuple(_exclusions(desk, laid.not_taken))
    manifest = Merged(
        files=tuple(entry for entry, _ in files), batches=tuple(laid.batches), placed=laid.placed, derived=dict(sorted(desk.derived.items())),
        findings=tuple(desk.notes), todo=tuple(_todo(desk, exclusions)), custom_fields=plan, exclusions=exclusions,
        as_at=desk.as_at.isoformat(), practice_areas=areas, value_maps=words, fits=fits, map_version=field_map.version,
    )  # fmt: skip
    write_once(store, run.at("3-merge", "manifest.json"), to_json(manifest))


def _draw(services: Services, run: Run, migration: Migration, split: Split, intake: Intake) -> FieldMap:
    """Draw the scope and the field map."""
    draw_scope(services, run, migration, split, intake)
    return draw_map(services, run, migration, split)


def _lay(
    pen: Pen, keeping: Keeping, parts: tuple[str, ...], desk: Desk, aside: pl.DataFrame, links: Links | None, coming: Collection[str]
) -> None:  # fmt: skip
    """Write down one batch, without what an earlier run has moved; records to come are those of the batches behind it."""
    typed = neutral(desk, links) if links is not None else {}
    gone = leave_out(desk)
    if desk.migration.options.keeps_what_moves:
        keeping.see(desk.records, desk.files.get("contacts"))
    pen.lay(parts, desk, aside, typed, gone, coming)


def _fitted(services: Services, run: Run, fitting: Fitting, migration: Migration, plan: tuple[dict[str, str], ...], sending: Sending) -> Fit:
    """Put one mapped target's files into the bucket, and say what they are."""
    written = fitting.written()
    fit = fitting.fit(tuple(entry for entry, _ in written), plan)
    for entry, path in written:
        sending.send(run.at("3-merge", fit.target, "files", entry.name), path)
    for name, path in fitting.lineage:
        sending.send(run.at("3-merge", fit.target, "rows", name), path)
    services.store.put_once(run.at("3-merge", fit.target, load_plan.NAME), to_json(load_plan.load_plan(fit, migration.target_of(fit.target))))
    return fit


@dataclass(frozen=True)
class Known:
    """What everything else hangs on: the names of the contacts, the numbers of the matters; and work that is told twice."""

    names: pl.DataFrame
    numbers: pl.DataFrame
    twice: pl.DataFrame
    again: pl.DataFrame
    """Messages that stand in the export more than once, as `told_again` says."""


def _put_together(desk: Desk, outcomes: Outcomes, scratch: Scratch) -> tuple[Known, tuple[dict[str, str], ...]]:
    """The first batch: contacts and matters, and whatever of the others is in it; the plan of custom fields."""
    prepare_contacts(desk)
    if desk.has("matter"):
        prepare_matters(desk)
    ask_before(desk, outcomes)
    numbers = matter_numbers(desk)
    known = Known(names_of(desk), numbers, balances.work_told_twice(desk, outcomes, numbers, scratch), told_again(outcomes, "email", scratch))
    desk.twice = known.twice
    made = []
    parties = pl.DataFrame(schema={"table": pl.String, ROW: pl.UInt32, "matter": pl.String})
    if desk.has("matter"):
        made.append(link_clients(desk, known.names))
    bring_together(desk, known.names)
    if desk.has("matter"):
        parties, more = parties_of_matters(desk, known.names)
        made.append(more)
    contact_lines(desk, _distinct(made))
    if desk.has("matter"):
        matter_lines(desk)
    _hang(desk, known)
    papers.relations(desk, known.names, parties)
    balances.receivables(desk, known.names)
    balances.ask_mid_month(desk)
    balances.trust(desk, known.names)
    documents(desk, numbers)
    return known, custom_fields(desk)


def _hang(desk: Desk, known: Known) -> None:
    """What hangs on matters and contacts, and on nothing else."""
    papers.link_matters(desk, known.numbers)
    papers.notes(desk, known.names)
    papers.tasks(desk)
    papers.events(desk)
    papers.emails(desk, known.again)
    papers.calls(desk)
    balances.time_entries(desk)


def _distinct(made: list[pl.DataFrame]) -> pl.DataFrame:
    parts = ["first_name", "last_name", "company"]
    schema = {part: pl.String for part in parts}
    every = pl.concat([pl.DataFrame(schema=schema), *(table.select(parts) for table in made)])
    return every.unique(maintain_order=True).sort(parts, nulls_last=True)


def _as_at(split: Split, migration: Migration, intake: Intake) -> date:
    """The day the balances stand for: the reports' own, else the cut-off, else the day of receipt."""
    shown = [date.fromisoformat(t.as_at) for t in split.tables if t.as_at and t.record in {"receivable", "trust"}]
    if shown:
        return max(shown)
    cut_off = migration.cut_off
    if cut_off is not None:
        return cut_off.date() if isinstance(cut_off, datetime) else cut_off
    return intake.received_on


def _as_at_findings(desk: Desk) -> None:
    days = {t.file: t.as_at for t in desk.split.tables if t.record in {"receivable", "trust", "time_entry"} and t.as_at}
    if len(set(days.values())) > 1:
        desk.notes.append(Finding(rule="reports_of_different_days", where=", ".join(sorted(days)), count=len(set(days.values()))))
    needs = [t for t in desk.split.tables if t.record in {"receivable", "trust"}]
    if needs and not any(t.as_at for t in needs):
        by = "cut-off" if desk.migration.cut_off else "day of receipt"
        desk.notes.append(Finding(rule="balance_day_assumed", where="balances", detail=f"no report prints its day; the {by} was taken"))


def _templates(services: Services, desk: Desk) -> dict[str, Template]:
    found: dict[str, Template] = {}
    for kept in desk.intake.templates:
        (answer,) = ask_about(services.store, [kept], [HEADINGS], services.settings.limits)
        template = read_template(answer, kept.name, desk.target)
        if isinstance(template, Finding):
            desk.notes.append(template)
        elif template.file in found:
            desk.notes.append(Finding(rule="second_template", where=kept.name, detail=template.file))
        else:
            found[template.file] = template
            for heading, column in zip(template.header, template.columns, strict=True):
                if not column:
                    desk.notes.append(Finding(rule="template_column_left_empty", where=f"{kept.name}, {heading!r}"))
    return found


def _exclusions(desk: Desk, not_taken: dict[str, tuple[int, Decimal | None]]) -> Iterator[dict[str, Any]]:
    """Every kind the target does not take: rows and total found in this export, or none."""
    for name, exclusion in desk.profile.exclusions.items():
        rows, total = not_taken.get(name, (0, None))
        shown = "" if total is None else str(total)
        if name == "documents" and desk.migration.options.documents:
            yield {"name": name, "title": exclusion.title, "requirement": exclusion.requirement, "rows": 0, "total": "", "scope": "agreed: carried as a manifest"}
            continue
        yield {
            "name": name, "title": exclusion.title, "requirement": exclusion.requirement, "rows": rows,
            "total": shown.rstrip("0").rstrip(".") if "." in shown else shown, "scope": "",
        }  # fmt: skip


    stays = {"trust_stays": ("Trust balances", "E50", f"stays in {desk.trust_stays}"),
             "open_matter_stays": ("Open matters, and what hangs on them", "E98", f"stays in {desk.profile.product} until closed"),
             "document_template": ("Document templates", "E96", "made again in the target by hand"),
             "moved_before": ("Moved by an earlier run", "E98", "in the target already"),
             "changed_since_moved": ("Moved by an earlier run, and changed since", "E98", "in the target already, as it was: change it there")}  # fmt: skip
    if desk.split.portal:
        yield {
            "name": PORTAL_MESSAGES, "title": "Messages and shares of a client portal", "requirement": "E52", "rows": sum(one.count for one in desk.split.portal),
            "total": "", "scope": desk.target.client_portal.says,
        }  # fmt: skip
    for name, (title, requirement, scope) in stays.items():
        if name in not_taken:
            yield {"name": name, "title": title, "requirement": requirement, "rows": not_taken[name][0], "total": "", "scope": scope}


def _todo(desk: Desk, exclusions: tuple[dict[str, Any], ...]) -> Iterator[str]:
    """What the firm must do itself, before and after the import."""
    if not desk.is_handed:  # what the targets' own files ask for stands with each of them
        stays = (text for text in desk.todo if " stay " in text or " stays " in text)
        yield from stays
        return
    page = desk.target.uploads.get(desk.migration.region.value)
    if page:
        yield f"Upload each import file at {page}."
    for text in desk.target.todo:
        yield text.format(support=desk.target.support)
    found = {e["name"]: e["rows"] for e in exclusions}
    for name, exclusion in desk.profile.exclusions.items():
        if exclusion.todo and found.get(name):
            yield exclusion.todo
    yield from desk.todo
