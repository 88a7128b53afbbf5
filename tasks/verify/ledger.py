"""The ledger: where every row went, what was changed and found, and whether it all adds up. Facts only, no clock."""

import json
from typing import Any

from caseferry.records import DELIVERED, RECORDS
from tasks.verify.checks import Check
from tasks.verify.evidence import Evidence
from tasks.verify.fitted import target_ledger
from tasks.verify.proof import Proof

_TITLES = {record.name: record.title for record in RECORDS.values()} | {"document": "Documents"}


def make_ledger(proof: Proof, quality: dict[str, object]) -> dict[str, Any]:
    """Everything the reports say, as data. Equal runs give equal ledgers."""
    evidence, checks = proof.evidence, proof.checks
    ledger: dict[str, Any] = {
        "schema": 1,
        "source": {
            "system": evidence.split.source, "product": evidence.split.product, "version_guess": evidence.split.version_guess,
            "confidence": evidence.split.confidence, "missing": list(evidence.split.missing),
            "assumptions": list(evidence.migration.profile_of(evidence.split.source).assumptions),
        },
        "target": evidence.migration.target, "named": list(evidence.migration.targets), "is_package": evidence.migration.base not in evidence.migration.targets, "targets": [_target(one) for one in target_ledgers(proof)], "map_version": evidence.merged.map_version,
        "region": evidence.migration.region.value,
        "currency": evidence.migration.currency, "as_at": evidence.merged.as_at,
        "stages": ["field mapping", "format conversion", "accuracy verification"],
        "types": _types(evidence), "derived": evidence.merged.derived, "money": checks.money.found, "hours": checks.hours.found,
        "accuracy": checks.accuracy.found,
        "checks": [
            {"name": c.name, "title": c.title, "passed": c.passed, "hard": c.hard, "detail": c.detail, "differences": list(c.differences)}
            for c in checks.found
        ],
        "findings": proof.findings.grouped, "changes": proof.changes.grouped,
        "noted": [f.model_dump(mode="json") for f in (*evidence.split.findings, *evidence.merged.findings)],
        "unknown_tables": [u.model_dump(mode="json") for u in evidence.split.unknown],
        "exclusions": list(evidence.merged.exclusions), "fallbacks": proof.fallbacks.found, "columns": _columns(evidence),
        "custom_fields": list(evidence.merged.custom_fields), "practice_areas": list(evidence.merged.practice_areas), "value_maps": list(evidence.merged.value_maps), "volumes": _volumes(evidence), "to_bill": proof.bills.found,
        "files": [f.model_dump(mode="json") for f in evidence.merged.files], "todo": list(evidence.merged.todo),
        "documents": [{"name": k.name, "kind": k.kind, "size": k.size, "sha256": k.sha256} for k in evidence.intake.files],
        "quality": quality.get("tables", []), "deadlines": len(proof.deadlines.found), "deadlines_differ": proof.deadlines.differ,
        "inventory": proof.inventory.as_data(proof.compliance),
    }  # fmt: skip
    ledger["undecided"] = _undecided(evidence)
    ledger["state"] = _state(evidence, checks.found, ledger["targets"], proof.deadlines.differ, len(ledger["undecided"]))
    return ledger


def target_ledgers(proof: Proof) -> list[dict[str, Any]]:
    """The ledger of each mapped target."""
    field_map = _field_map(proof.evidence) if proof.fitted else {}
    return [
        target_ledger(one, checks, proof.evidence.migration.target_of(one.fit.target), field_map["counts"].get(one.fit.target, {}))
        for one, checks in zip(proof.fitted, proof.checks.found_of_targets, strict=True)
    ]


def _field_map(evidence: Evidence) -> Any:
    return json.loads(evidence.store.get(evidence.run.at("3-merge", "field-map.json")))


def _undecided(evidence: Evidence) -> list[dict[str, Any]]:
    """Columns that hold values and nobody has decided about; they stay in the archive meanwhile."""
    if evidence.migration.options.unknown_columns != "ask":
        return []
    return [
        {"file": one["file"], "sheet": one["sheet"], "column": one["column"], "filled": one["filled"]}
        for one in _field_map(evidence)["columns"] if one["target"] == evidence.migration.targets[0] and one["filled"] and not one["decided"]
    ]  # fmt: skip


def _target(ledger: dict[str, Any]) -> dict[str, Any]:
    """What the run's own ledger says of a target; the rest stands in the target's."""
    return {name: ledger[name] for name in ("target", "title", "state", "version", "records", "waiting", "left_out", "unmapped", "columns", "decisions", "limits", "custom_fields", "todo", "plan", "files")}


def _volumes(evidence: Evidence) -> list[dict[str, Any]]:
    """What the firm said it has, beside what the export holds."""
    said = evidence.migration.questionnaire
    rows = {name: placed.read for name, placed in evidence.merged.placed.items()}
    return [
        {"record": name, "title": _TITLES.get(name, name), "said": said.volumes.get(name), "found": rows.get(name, 0), "wanted": name in said.wanted or not said.wanted}
        for name in DELIVERED if name in said.volumes or name in said.wanted
    ]  # fmt: skip


def _state(evidence: Evidence, checks: list[Check], targets: list[dict[str, Any]], deadlines: int, undecided: int) -> str:
    """How the run ended, from nothing but what was counted."""
    if any(c.hard and not c.passed for c in checks):
        return "failed"
    waiting = sum(placed.quarantined for placed in evidence.merged.placed.values())
    unread = any(f.rule in {"unreadable_file", "data_not_read", "expected_list_missing", "broken_quoting", "ends_midway", "money_not_carried"} for f in evidence.split.findings)
    soft = any(not c.passed for c in checks)
    beside = any(one["state"] != "completed" for one in targets)
    return "completed_with_differences" if waiting or unread or soft or evidence.split.unknown or beside or deadlines or undecided else "completed"


def _types(evidence: Evidence) -> list[dict[str, Any]]:
    names = [*DELIVERED, *(r for r in evidence.merged.placed if r not in DELIVERED)]
    return [
        {"record": name, "title": _TITLES.get(name, name), **evidence.merged.placed[name].model_dump(), "derived": evidence.merged.derived.get(name, 0)}
        for name in names if name in evidence.merged.placed
    ]  # fmt: skip


def _columns(evidence: Evidence) -> list[dict[str, Any]]:
    """Every source column and what became of it; the sum of the kinds is the number of columns."""
    result = []
    for table in evidence.split.tables:
        uses: dict[str, int] = {}
        for column in table.columns:
            uses[column.use] = uses.get(column.use, 0) + 1
        result.append({
            "table": table.id, "file": table.file, "sheet": table.sheet, "kind": table.kind, "confidence": table.confidence,
            "total": len(table.columns), "uses": dict(sorted(uses.items())), "lines": table.lines,
            "columns": [c.model_dump(mode="json") for c in table.columns], "date_orders": table.date_orders,
        })  # fmt: skip
    return result
