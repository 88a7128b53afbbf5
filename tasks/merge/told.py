"""What the manifest tells besides files and rows: the day of the balances, what is not taken, what the firm does itself."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from caseferry.choices import Migration
from caseferry.manifest import PORTAL_MESSAGES, Finding, Intake, Split
from tasks.merge.desk import Desk


def day_of_balances(split: Split, migration: Migration, intake: Intake) -> date:
    """The day the balances stand for: the reports' own, else the cut-off, else the day of receipt."""
    shown = [date.fromisoformat(t.as_at) for t in split.tables if t.as_at and t.record in {"receivable", "trust"}]
    if shown:
        return max(shown)
    cut_off = migration.cut_off
    if cut_off is not None:
        return cut_off.date() if isinstance(cut_off, datetime) else cut_off
    return intake.received_on


def note_day_of_balances(desk: Desk) -> None:
    days = {t.file: t.as_at for t in desk.split.tables if t.record in {"receivable", "trust", "time_entry"} and t.as_at}
    if len(set(days.values())) > 1:
        desk.notes.append(Finding(rule="reports_of_different_days", where=", ".join(sorted(days)), count=len(set(days.values()))))
    needs = [t for t in desk.split.tables if t.record in {"receivable", "trust"}]
    if needs and not any(t.as_at for t in needs):
        by = "cut-off" if desk.migration.cut_off else "day of receipt"
        desk.notes.append(Finding(rule="balance_day_assumed", where="balances", detail=f"no report prints its day; the {by} was taken"))


def exclusions_of(desk: Desk, not_taken: Mapping[str, tuple[int, Decimal | None]]) -> Iterator[dict[str, Any]]:
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


def todo_of(desk: Desk, exclusions: tuple[dict[str, Any], ...]) -> Iterator[str]:
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
