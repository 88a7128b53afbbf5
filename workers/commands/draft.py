"""`map`: what an export that no profile explains may be, as a profile to edit."""

import tempfile
from pathlib import Path
from typing import Any

from workers.commands.crossing import Stop, lay_drop, local_services, valid
from workers.commands.show import give, message, say

WELL = 0.6
"""The share of a list's columns from which on a profile explains it."""
_ANSWER = 'put {"options": {"encoding": {"FILE": "cp850"}}} with the right names into migration.json beside the export, or give it with --migration'


def draft_profile(export: Path, choices: dict[str, Any], out: Path, every: bool, as_json: bool) -> int:
    """Write a draft for the lists no profile explains; say what the others are. Nothing of a cell is shown or written."""
    say(f"Caseferry · {export.resolve().name} · read only")
    out = _free(out)
    valid(choices)
    from caseferry.choices import Migration
    from caseferry.errors import NeedsAnswer
    from caseferry.manifest import Finding, Intake
    from caseferry.profiling.draft import as_yaml
    from caseferry.profiling.listed import linked, look_at
    from caseferry.profiling.proposal import propose
    from caseferry.services.folder import FolderStore
    from caseferry.services.scratch import Scratch
    from tasks.intake.arrive import arrive
    from tasks.once import read_model
    from tasks.split.drop import read_drop
    from tasks.split.recognise import Fit
    from tasks.split.source import tell_source
    from tasks.split.told import file_findings
    from tasks.stage import perform, run_of

    with tempfile.TemporaryDirectory(prefix="caseferry-map-") as folder, Scratch() as scratch:
        services = local_services(FolderStore(Path(folder)))
        tickets = arrive(services, lay_drop(services.store, export, {}, None))
        if not tickets or not perform(services, tickets[0]):
            raise Stop(1, message("CF-128", export.name))
        intake = read_model(services.store, run_of(tickets[0]).at("0-original", "manifest.json"), Intake)
        findings: list[Finding] = [*file_findings(intake)]
        migration = Migration.model_validate(choices)
        try:
            lists = list(read_drop(services, intake, migration, scratch).lists(findings))
        except NeedsAnswer as ask:
            raise Stop(1, "\n".join(message(q.code, q.where, q.detail, do=_ANSWER) for q in ask.questions)) from None
        if not lists:
            raise Stop(1, message("CF-128", export.name, "it holds no list"))
        profile, _, fits = tell_source(lists, migration)
        seen = [look_at(kept.name, rows) for (kept, rows) in lists]
        shown = linked([one for one in seen if one is not None])
        at = iter(shown)
        looked = [next(at) if one is not None else None for one in seen]
        told: list[dict[str, Any]] = []
        proposed = iter(propose(shown))
        said = [next(proposed) if one is not None else None for one in looked]
        drafted, proposals = _drafted(profile, fits, said, every), []
        for (kept, rows), fit, proposal, goes in zip(lists, fits, said, drafted, strict=True):
            where = kept.name + (f" › {rows.head.sheet}" if rows.head.sheet else "")
            if not goes and isinstance(fit, Fit):
                told.append({"list": where, "rows": rows.height, "is": fit.kind, "by": profile.product, "confidence": fit.confidence})
            elif proposal is None:
                told.append({"list": where, "rows": rows.height, "is": "", "by": "no row of it reads as a header", "confidence": 0.0})
            else:
                proposals.append(proposal)
                points = [str(link) for link in proposal.listed.points]
                told.append({"list": where, "rows": rows.height, "is": proposal.kind, "by": "proposed" if proposal.kind else proposal.why, "confidence": proposal.confidence, "points": points})
    if proposals:
        out.write_text(as_yaml(out.stem, export.resolve().stem, proposals))
    if as_json:
        give({"lists": told, "unread": [finding.model_dump() for finding in findings], "draft": str(out) if proposals else ""})
    else:
        _show(told, findings, out if proposals else None)
    return 0


def _drafted(profile: Any, fits: list[Any], said: list[Any], every: bool) -> list[bool]:
    """Which lists go into the draft: those the profile does not explain; and where there are such, those of which it knows less
    than we make of them, unless it is a profile that knew the export by its own words.
    """
    from caseferry.mapping.profile import known_evidence
    from tasks.split.recognise import Fit

    by_own_words = known_evidence().get(profile.source) is not None
    known = [isinstance(fit, Fit) and fit.confidence >= WELL for fit in fits]
    goes = [every or not is_known or (not by_own_words and one is not None and one.is_strange) for is_known, one in zip(known, said, strict=True)]
    if not any(goes) or by_own_words:
        return goes

    def is_more(fit: Fit, one: Any) -> bool:
        table = profile.tables[fit.kind]
        mapped = sum(1 for use in fit.uses if use and ":" not in use)
        return one is not None and one.kind == (table.exclusion or table.record) and sum(1 for use in one.uses if use.field) > mapped

    return [one or is_more(fit, proposal) for one, fit, proposal in zip(goes, fits, said, strict=True)]


def _free(out: Path) -> Path:
    """Where the draft goes. One that lies there may have been edited, and is never written over.

    Raises:
        Stop: something lies there, or its folder does not.
    """
    out = out / "draft.yaml" if out.is_dir() else out
    if not out.parent.is_dir():
        raise Stop(2, message("CF-101", str(out.parent), "the draft's folder"))
    if out.exists():
        raise Stop(2, message("CF-150", str(out)))
    return out


def _show(told: list[dict[str, Any]], findings: list[Any], out: Path | None) -> None:
    from caseferry.rules import plainly

    for one in told:
        print(f"  {one['list']:<36} {one['rows']:>9,} lines  {one['is'] or 'unknown':<16} {one['confidence']:.2f}  {one['by']}")
        for point in one.get("points", ()):
            print(f"      {point}")
    for finding in findings:
        print(f"  {finding.where:<36} {plainly(finding.rule)} {finding.detail}".rstrip())
    if out:
        print(f"\n  {out} holds a draft. Edit it, then: caseferry check EXPORT --source {out}")
    else:
        rest = [one for one in told if not one["is"]]
        print(f"\n  {len(rest)} lists have no header to go by: give them one, or leave them." if rest else "\n  Every list is known: no draft is needed.")
