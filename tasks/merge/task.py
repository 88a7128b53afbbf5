"""Bring the parts together, in one order whatever order they came in, a batch at a time; the manifest is written last.

Mostly one task does all of it. Of a run with many batches, where the workers for it are to be had, one links the first, which
all others hang on, tasks of their own lay those side by side, and the store puts the files together.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from caseferry.canonical import to_json
from caseferry.errors import NeedsAnswer
from caseferry.keys import Run
from caseferry.manifest import LAID_APART, Arrival, Finding, Fit, Intake, Laying, Linked, Merged, Split, Template
from caseferry.mapping.target import load_target
from caseferry.originals import ask_about
from caseferry.services.scratch import Scratch
from caseferry.services.store import Sending, get_all
from tasks.journey import BATCHES, STEPS, Ticket, batches_of, lays_of
from tasks.merge.batches import Outcomes, in_batches
from tasks.merge.desk import Desk
from tasks.merge.files import HEADINGS, Files, read_template
from tasks.merge.gather import gather
from tasks.merge.known import Known, hang, put_together
from tasks.merge.laid import Laid, Pen
from tasks.merge.left_out import leave_out
from tasks.merge.matters import practice_areas
from tasks.merge.moved import Keeping, earlier_runs, moved_by
from tasks.merge.scope import ask_scope, draw_scope
from tasks.merge.targets import load_plan
from tasks.merge.targets.field_map import FieldMap, ask_map, draw_map
from tasks.merge.targets.fitting import Fitting
from tasks.merge.targets.keys import SCATTERED, equals
from tasks.merge.targets.neutral import Links, links_of, neutral
from tasks.merge.told import day_of_balances, exclusions_of, note_day_of_balances, todo_of
from tasks.merge.words import value_maps
from tasks.once import read_json, read_model, write_once
from tasks.stage import Services, migration_of, run_of

_FIRST = "0001"
"""The part of whoever lays the first batch."""


def link(services: Services, ticket: Ticket) -> None:
    """Make `3-merge/linked.json`: the first batch is laid, and what the others hang on lies beside it. Where mapped targets or a
    later run want to see all batches in a row, it says no more than that.

    Raises:
        NeedsAnswer: as `merge`.
    """
    work = _Work(services, run_of(ticket))
    store, run = work.store, work.run
    if work.migration.mapped or work.migration.options.keeps_what_moves:
        write_once(store, work.at("linked.json"), to_json(Linked(is_apart=False)))
        return
    first, *others = work.batches(in_batches(work.split, services.settings.work.batch_rows, services.settings.work.portion_bytes))
    desk, aside, field_map = work.begun(first)
    with Scratch() as scratch, Sending(store) as sending:
        templates = _templates(services, desk)
        laid = Laid(Files(desk, templates, scratch, are_headed=False), scratch, sending, work.at, below=f"laid/{_FIRST}")
        known, plan = put_together(desk, work.outcomes, scratch)
        with Pen(laid) as pen:
            _lay(pen, None, first, desk, aside, None, ())
            known.put(store, run)
            linked = _linked(desk, templates, plan, field_map)
        linked = linked.model_copy(update={"is_apart": True, "laying": laid.told(desk)})
    store.put_once(run.home + f"{BATCHES}{1 + len(others):04d}", b"")
    write_once(store, work.at("linked.json"), to_json(linked))


def lay(services: Services, ticket: Ticket) -> None:
    """Make `3-merge/laid/<part>.json`: some batches behind the first, and stretches of import files beside it."""
    work = _Work(services, run_of(ticket))
    linked = read_model(work.store, work.at("linked.json"), Linked)
    number, last = batches_of(ticket.part)
    batches = work.batches()[number - 1 : last]
    desk = work.desk({})
    with Scratch() as scratch, Sending(work.store) as sending:
        files = Files(desk, {template.file: template for template in linked.templates}, scratch, are_headed=False)
        laid = Laid(files, scratch, sending, work.at, below=f"laid/{ticket.part}", first=number)
        with Pen(laid) as pen:
            _lay_others(pen, None, batches, desk, Known.of(work.store, work.run), None, work.outcomes)
        told = laid.told(desk)
    write_once(work.store, work.run.home + STEPS["lay"].makes.format(part=ticket.part), to_json(told))


def merge(services: Services, ticket: Ticket) -> None:
    """Make `3-merge/manifest.json`.

    Everything grows on disk, a batch at a time. A file that no further batch has rows for goes into the bucket while the next
    ones are made; until the manifest lies beside them, none of them is handed over. What others have laid is put together.

    Raises:
        NeedsAnswer: the scope or the field map needs a person; or matters or tasks need the primary subscriber, and none is
            named. No import file is written then.
    """
    work = _Work(services, run_of(ticket))
    store, run, migration = work.store, work.run, work.migration
    linked = read_model(store, work.at("linked.json"), Linked) if store.stat(work.at("linked.json")) else None
    if linked is not None and linked.is_apart:
        _write(work, linked, _gathered(work, linked))
        return
    first, *others = in_batches(work.split, services.settings.work.batch_rows, services.settings.work.portion_bytes)
    desk, aside, field_map = work.begun(first)
    with Scratch() as scratch, Sending(store) as sending:
        fittings = [Fitting(migration.target_of(name), migration, field_map.version, scratch, desk.trust_stays, work.split.portal) for name in migration.mapped]
        templates = _templates(services, desk)
        laid = Laid(Files(desk, templates, scratch, are_numbered=work.is_of_before), scratch, sending, work.at, fittings)
        known, plan = put_together(desk, work.outcomes, scratch)
        links = links_of(desk, equals(work.outcomes, SCATTERED, scratch)) if fittings else None
        keeping = Keeping(desk.moved, scratch) if migration.options.keeps_what_moves else None
        with Pen(laid) as pen:
            _lay(pen, keeping, first, desk, aside, links, work.outcomes.records_of(others))
            linked = _linked(desk, templates, plan, field_map)
            pen.wait()
            for held in (desk.records, desk.files, desk.findings, desk.changes):
                held.clear()  # what the others need of it is known; a firm's contacts are not held while its time goes by
            _lay_others(pen, keeping, others, desk, known, links, work.outcomes)
        laying = laid.told(desk)
        if keeping:
            sending.send(run.of.moved(run.run), keeping.done())
        fits = tuple(_fitted(work, fitting, plan, sending) for fitting in fittings)
    _write(work, linked, laying, fits)


class _Work:
    """One run's merge: what it is told, and what it asks before it begins."""

    def __init__(self, services: Services, run: Run) -> None:
        self._services, self.store, self.run = services, services.store, run
        self.split = read_model(self.store, run.at("1-split", "tables.json"), Split)
        self.intake = read_model(self.store, run.at("0-original", "manifest.json"), Intake)
        self.migration = migration_of(self.store, run, services.seen)
        self.outcomes = Outcomes(self.store, run, self.split)
        self.is_of_before = read_model(self.store, run.at("arrival.json"), Arrival).format < LAID_APART
        """An older worker began it, and may go on with it."""

    def at(self, name: str) -> str:
        """The key of a name below the merge."""
        return self.run.at("3-merge", name)

    def batches(self, mine: Sequence[tuple[str, ...]] = ()) -> list[tuple[str, ...]]:
        """All of them, as whoever was the first to link has them: others may be told to make them of another size.

        Args:
            mine: as I would have them, if I am the first.
        """
        if mine:
            self.store.put_once(self.at("batches.json"), to_json({"batches": mine}))
        found = read_json(self.store, self.at("batches.json"))["batches"]
        assert isinstance(found, list)
        return [tuple(parts) for parts in found]

    def desk(self, records: dict[str, pl.DataFrame]) -> Desk:
        migration = self.migration
        return Desk(
            migration=migration, profile=migration.profile_of(self.split.source), target=load_target(migration.base), split=self.split,
            intake=self.intake, records=records, as_at=day_of_balances(self.split, migration, self.intake),
        )  # fmt: skip

    def begun(self, first: tuple[str, ...]) -> tuple[Desk, pl.DataFrame, FieldMap]:
        """The first batch, rows of it that were put aside, and the field map, once nobody has a question.

        Raises:
            NeedsAnswer: somebody has.
        """
        with ThreadPoolExecutor(1) as pool:  # what a person reads before is drawn while the first batch is read
            drawn = pool.submit(self._draw)
            records, aside = self.outcomes.read(first)
            field_map = drawn.result()
        desk = replace(self.desk(records), moved=moved_by(self.store, self.run.of, self.migration))
        note_day_of_balances(desk)
        desk.notes += earlier_runs(self.store, self.run, self.migration)
        if questions := (*ask_map(field_map, self.migration, self.split), *ask_scope(self.migration)):
            raise NeedsAnswer(questions)
        return desk, aside, field_map

    def _draw(self) -> FieldMap:
        """Draw the scope and the field map."""
        draw_scope(self._services, self.run, self.migration, self.split, self.intake)
        return draw_map(self._services, self.run, self.migration, self.split)


def _lay_others(
    pen: Pen, keeping: Keeping | None, batches: Sequence[tuple[str, ...]], desk: Desk, known: Known, links: Links | None, outcomes: Outcomes
) -> None:  # fmt: skip
    """Write down batches that hang on the first."""
    for number, (records, aside) in enumerate(outcomes.ahead(batches)):
        other = replace(desk, records=records, files={}, findings=[], changes=[], twice=known.twice, occurrences=None)
        hang(other, known)
        _lay(pen, keeping, batches[number], other, aside, links, outcomes.records_of(batches[number + 1 :]))


def _lay(
    pen: Pen, keeping: Keeping | None, parts: tuple[str, ...], desk: Desk, aside: pl.DataFrame, links: Links | None, coming: Collection[str]
) -> None:  # fmt: skip
    """Write down one batch, without what an earlier run has moved; records to come are those of the batches behind it."""
    typed = neutral(desk, links) if links is not None else {}
    gone = leave_out(desk)
    if keeping:
        keeping.see(desk.records, desk.files.get("contacts"))
    pen.lay(parts, desk, aside, typed, gone, coming)


def _linked(desk: Desk, templates: dict[str, Template], plan: tuple[dict[str, str], ...], field_map: FieldMap) -> Linked:
    """What the manifest says that is known with the first batch."""
    return Linked(
        is_apart=False, templates=tuple(templates.values()), custom_fields=plan, practice_areas=practice_areas(desk), value_maps=value_maps(desk),
        map_version=field_map.version,
    )  # fmt: skip


def _gathered(work: _Work, linked: Linked) -> Laying:
    """All that was laid, its files put together."""
    parts = lays_of([stat.key[len(work.run.home) :] for stat in work.store.listing(work.run.home + BATCHES)])
    keys = [work.run.home + STEPS["lay"].makes.format(part=part) for part in parts]
    laid = {_FIRST: linked.laying} | {part: Laying.model_validate_json(data) for part, data in zip(parts, get_all(work.store, keys), strict=True)}
    return gather(work.store, work.run, laid, load_target(work.migration.base))


def _fitted(work: _Work, fitting: Fitting, plan: tuple[dict[str, str], ...], sending: Sending) -> Fit:
    """Put one mapped target's files into the bucket, and say what they are."""
    written = fitting.written()
    fit = fitting.fit(tuple(entry for entry, _ in written), plan)
    for entry, path in written:
        sending.send(work.at(f"{fit.target}/files/{entry.name}"), path)
    for name, path in fitting.lineage:
        sending.send(work.at(f"{fit.target}/rows/{name}"), path)
    work.store.put_once(work.at(f"{fit.target}/{load_plan.NAME}"), to_json(load_plan.load_plan(fit, work.migration.target_of(fit.target))))
    return fit


def _write(work: _Work, linked: Linked, laying: Laying, fits: tuple[Fit, ...] = ()) -> None:
    desk = work.desk({})
    desk.todo += laying.todo
    exclusions = tuple(exclusions_of(desk, laying.not_taken))
    manifest = Merged(
        files=laying.files, batches=laying.batches, placed=laying.placed, derived=dict(sorted(laying.derived.items())),
        findings=laying.findings, todo=tuple(todo_of(desk, exclusions)), custom_fields=linked.custom_fields, exclusions=exclusions,
        as_at=desk.as_at.isoformat(), practice_areas=linked.practice_areas, value_maps=linked.value_maps, fits=fits, map_version=linked.map_version,
    )  # fmt: skip
    write_once(work.store, work.at("manifest.json"), to_json(manifest))


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
