"""The scope and its limits, before a file is written: what will be carried, what stays behind, and what a target can't hold."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from caseferry.choices import Migration
from caseferry.errors import Question
from caseferry.keys import Run
from caseferry.manifest import PORTAL, Intake, PartOutcome, Split
from caseferry.mapping.profile import Profile
from caseferry.mapping.target import load_target
from caseferry.records import RECORDS
from caseferry.rules import plainly
from tasks.once import read_once
from tasks.stage import Services

_HERE = Path(__file__).parent


def draw_scope(services: Services, run: Run, migration: Migration, split: Split, intake: Intake) -> None:
    """Make `3-merge/scope.html`, as the choices stand now."""
    profile = migration.profile_of(split.source)
    services.store.put(run.at("3-merge", "scope.html"), _template().render(**_said(services, run, migration, split, intake, profile)).encode())


def ask_scope(migration: Migration) -> Iterator[Question]:
    """What is asked where the scope has to be acknowledged, and nobody has."""
    if migration.wants_acknowledgement and not migration.acknowledged_by:
        yield Question("CF-127", "scope and limitations", "nobody has acknowledged them", "acknowledged_by")


def _said(services: Services, run: Run, migration: Migration, split: Split, intake: Intake, profile: Profile) -> dict[str, Any]:
    parts = [part for table in split.tables for part in table.parts]
    outcomes = [PartOutcome.model_validate_json(data) for data in read_once(services.store, [run.at("2-transform", f"{part}.json") for part in parts])]
    rows: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        if outcome.record != "excluded":
            rows.setdefault(outcome.record, Counter()).update(outcome.places)
    lists: Counter[str] = Counter()
    for table in split.tables:
        if table.record == "excluded":
            lists[profile.tables[table.kind].exclusion] += sum(table.part_rows)
    own = load_target(migration.base)
    names = [own.title] if migration.base in migration.targets else []
    return {
        "firm": migration.firm_name, "product": split.product, "targets": [*names, *(migration.target_of(name).title for name in migration.mapped)],
        "types": [{"title": RECORDS[record].title, "rows": sum(places.values()), "carried": places["carried"] + places["merged"], "excluded": places["excluded"], "quarantined": places["quarantined"]} for record, places in rows.items()],
        "exclusions": [{"title": one.title, "rows": lists[name], "scope": "agreed: carried as a manifest" if name == "documents" and migration.options.documents else ""} for name, one in profile.exclusions.items()],
        "stays": [told for told in (f"trust money stays in {migration.options.trust_stays}" if migration.options.trust_stays else "", f"open matters stay in {split.product} until they are closed" if migration.options.open_matters_stay else "") if told],
        "portal": [{"where": one.where, "rows": one.count, "scope": one.detail} for one in split.portal],
        "portal_ends": [own.client_portal.says] if split.portal and names else [],
        "limits": [(migration.target_of(name).title, one.says) for name in migration.mapped for one in migration.target_of(name).capabilities.values() if not one.can],
        "no_place": [(migration.target_of(name).title, one.says, ", ".join(one.choices)) for name in migration.mapped for one in migration.target_of(name).not_held.values()],
        "unknown": [{"file": one.file, "sheet": one.sheet, "rows": one.rows} for one in split.unknown], "refused": [one.name for one in intake.refused],
        "missing": [finding.detail or finding.where for finding in split.findings if finding.rule in {"expected_list_missing", "list_not_sent"}],
        "noted": [(plainly(finding.rule), finding.where, finding.detail) for finding in split.findings if finding.rule not in {"expected_list_missing", "list_not_sent", PORTAL}],
        "assumptions": profile.assumptions, "wanted": [RECORDS[name].title for name in migration.questionnaire.wanted if name in RECORDS and name not in rows],
    }  # fmt: skip


@cache
def _template() -> Template:
    made = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("scope.html.j2")
