"""Bring the parts together in one order whatever order they came in, then write; the manifest is written last."""

import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import polars as pl

from caseferry.canonical import to_json
from caseferry.manifest import Finding, Intake, Merged, Migration, Placed, Split
from caseferry.mapping.profile import load_profile
from caseferry.mapping.target import load_target
from caseferry.reading.grid import ROW
from caseferry.services.store import get_all, put_all
from tasks.journey import Ticket
from tasks.merge import balances, papers
from tasks.merge.contacts import contact_lines, names_of, prepare_contacts
from tasks.merge.custom_fields import custom_fields
from tasks.merge.desk import CHANGED, NOTED, Desk
from tasks.merge.documents import documents
from tasks.merge.files import Template, read_template, write_files
from tasks.merge.matters import link_clients, matter_lines, matter_numbers, parties_of_matters, prepare_matters
from tasks.stage import Services, migration_of, read_model, run_of
from tasks.transform.sheet import PLACE, REASON

_NEUTRAL = {"matter_users", "contact_details"}


def merge(services: Services, ticket: Ticket) -> None:
    """Make `3-merge/manifest.json`.

    Raises:
        NeedsAnswer: matters or tasks need the primary subscriber, and none is named. Nothing is written then.
    """
    store, run = services.store, run_of(ticket)
    split = read_model(store, run.at("1-split", "tables.json"), Split)
    intake = read_model(store, run.at("0-original", "manifest.json"), Intake)
    migration = migration_of(store, run)
    desk = Desk(
        migration=migration, profile=load_profile(split.source), target=load_target(migration.target), split=split,
        intake=intake, records=_records(services, ticket, split), as_at=_as_at(split, migration, intake),
    )  # fmt: skip
    _as_at_findings(desk)
    plan = _put_together(desk)
    templates = _templates(services, desk)
    written = write_files(desk, templates)
    put_all(store, [(run.at("3-merge", "files", one.entry.name), one.data) for one in written])
    _keep(services, ticket, "findings", pl.concat([pl.DataFrame(schema=NOTED), *(f.select(list(NOTED)) for f in desk.findings)]))
    _keep(services, ticket, "changes", pl.concat([pl.DataFrame(schema=CHANGED), *desk.changes]))
    places = _places(desk)
    _keep(services, ticket, "places", places)
    empty = pl.DataFrame(schema={"file": pl.String, "line": pl.UInt32, "table": pl.String, ROW: pl.UInt32})
    _keep(services, ticket, "lineage", pl.concat([empty, *(one.lineage for one in written)]))
    exclusions = tuple(_exclusions(desk, places))
    manifest = Merged(
        files=tuple(one.entry for one in written), placed=_placed(places), derived=dict(sorted(desk.derived.items())),
        findings=tuple(desk.notes), todo=tuple(_todo(desk, exclusions)), custom_fields=plan, exclusions=exclusions,
        as_at=desk.as_at.isoformat(),
    )  # fmt: skip
    store.put_once(run.at("3-merge", "manifest.json"), to_json(manifest))


def _put_together(desk: Desk) -> tuple[dict[str, str], ...]:
    prepare_contacts(desk)
    if desk.has("matter"):
        prepare_matters(desk)
    numbers = matter_numbers(desk)
    names = names_of(desk)
    made = []
    parties = pl.DataFrame(schema={"table": pl.String, ROW: pl.UInt32, "matter": pl.String})
    if desk.has("matter"):
        made.append(link_clients(desk, names))
        parties, more = parties_of_matters(desk, names)
        made.append(more)
    contact_lines(desk, _distinct(made))
    if desk.has("matter"):
        matter_lines(desk)
    papers.link_matters(desk, numbers)
    papers.relations(desk, names, parties)
    papers.notes(desk, names)
    papers.tasks(desk)
    papers.events(desk)
    papers.emails(desk)
    papers.calls(desk)
    balances.time_entries(desk)
    balances.receivables(desk)
    balances.trust(desk, names)
    documents(desk, numbers)
    return custom_fields(desk)


def _distinct(made: list[pl.DataFrame]) -> pl.DataFrame:
    parts = ["first_name", "last_name", "company"]
    schema = {part: pl.String for part in parts}
    every = pl.concat([pl.DataFrame(schema=schema), *(table.select(parts) for table in made)])
    return every.unique(maintain_order=True).sort(parts, nulls_last=True)


def _records(services: Services, ticket: Ticket, split: Split) -> dict[str, pl.DataFrame]:
    """The outcomes of all parts by record type, in the order of the tables."""
    frames: dict[str, list[pl.DataFrame]] = defaultdict(list)
    parts = [(table.record, part) for table in split.tables for part in table.parts]
    every = get_all(services.store, [run_of(ticket).at("2-transform", f"{part}.records.parquet") for _, part in parts])
    for (record, _), data in zip(parts, every, strict=True):
        frames[record].append(pl.read_parquet(data))
    return {record: pl.concat(some, how="diagonal_relaxed") for record, some in frames.items()}


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
        template = read_template(services.store.get(kept.key), kept.name, desk.target, services.settings.limits)
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


def _keep(services: Services, ticket: Ticket, name: str, frame: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    services.store.put_once(run_of(ticket).at("3-merge", f"{name}.parquet"), buffer.getvalue())


def _places(desk: Desk) -> pl.DataFrame:
    """Where each source row ended: `record`, `table`, `row`, `place`, `reason`."""
    frames = [
        frame.select(pl.lit(record).alias("record"), "table", pl.col(ROW).cast(pl.UInt32), PLACE, REASON)
        for record, frame in sorted(desk.records.items())
    ]
    return pl.concat(frames)


def _placed(places: pl.DataFrame) -> dict[str, Placed]:
    result: dict[str, dict[str, int]] = {}
    for record, place, count in places.group_by("record", PLACE, maintain_order=True).len().iter_rows():
        result.setdefault(record, {})[place] = count
    return {record: Placed(read=sum(counts.values()), **counts) for record, counts in result.items()}


def _exclusions(desk: Desk, places: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Every kind the target does not take: rows and total found in this export, or none."""
    excluded = [frame for record, frame in desk.records.items() if "amount" in frame.columns]
    amounts = pl.concat([f.select(REASON, pl.col("amount").cast(pl.Decimal(24, 4)), PLACE) for f in excluded]) if excluded else None
    for name, exclusion in desk.profile.exclusions.items():
        rows = places.filter(pl.col(REASON) == name)
        total = None
        if amounts is not None:
            total = amounts.filter((pl.col(REASON) == name) & (pl.col(PLACE) == "excluded"))["amount"].drop_nulls()
        shown = str(total.sum()) if total is not None and total.len() else ""
        if name == "documents" and desk.migration.options.documents:
            yield {"name": name, "title": exclusion.title, "requirement": exclusion.requirement, "rows": 0, "total": "", "scope": "agreed: carried as a manifest"}
            continue
        yield {
            "name": name, "title": exclusion.title, "requirement": exclusion.requirement, "rows": rows.height,
            "total": shown.rstrip("0").rstrip(".") if "." in shown else shown, "scope": "",
        }  # fmt: skip


def _todo(desk: Desk, exclusions: tuple[dict[str, Any], ...]) -> Iterator[str]:
    """What the firm must do itself, before and after the import."""
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
