"""The ledger: where every row went, what was changed and found, and whether it all adds up. Facts only, no clock."""

from typing import Any

import polars as pl

from caseferry.mapping.target import load_target
from caseferry.records import DELIVERED, RECORDS
from tasks.verify.checks import Check, accuracy
from tasks.verify.evidence import Evidence, counted_once
from tasks.verify.tieout import hours_line, money_lines

_TITLES = {record.name: record.title for record in RECORDS.values()} | {"document": "Documents"}


def make_ledger(evidence: Evidence, checks: list[Check], quality: dict[str, object]) -> dict[str, Any]:
    """Everything the reports say, as data. Equal runs give equal ledgers."""
    money = money_lines(evidence)
    types = _types(evidence)
    ledger: dict[str, Any] = {
        "schema": 1,
        "source": {
            "system": evidence.split.source, "product": evidence.split.product, "version_guess": evidence.split.version_guess,
            "confidence": evidence.split.confidence, "missing": list(evidence.split.missing),
        },
        "target": evidence.migration.target, "region": evidence.migration.region.value,
        "currency": evidence.migration.currency, "as_at": evidence.merged.as_at,
        "stages": ["field mapping", "format conversion", "accuracy verification"],
        "types": types, "derived": evidence.merged.derived, "money": money, "hours": hours_line(evidence),
        "accuracy": {k: v for k, v in accuracy(evidence).items() if k != "differences"},
        "checks": [
            {"name": c.name, "title": c.title, "passed": c.passed, "hard": c.hard, "detail": c.detail, "differences": list(c.differences)}
            for c in checks
        ],
        "findings": _grouped(evidence, evidence.findings, ("rule", "outcome")),
        "changes": _grouped(evidence, evidence.changes, ("rule",)),
        "noted": [f.model_dump(mode="json") for f in (*evidence.split.findings, *evidence.merged.findings)],
        "unknown_tables": [u.model_dump(mode="json") for u in evidence.split.unknown],
        "exclusions": list(evidence.merged.exclusions), "fallbacks": _fallbacks(evidence), "columns": _columns(evidence),
        "custom_fields": list(evidence.merged.custom_fields), "to_bill": _to_bill(evidence),
        "files": [f.model_dump(mode="json") for f in evidence.merged.files], "todo": list(evidence.merged.todo),
        "documents": [{"name": k.name, "kind": k.kind, "size": k.size, "sha256": k.sha256} for k in evidence.intake.files],
        "quality": quality.get("tables", []), "deadlines": len(deadlines(evidence)),
    }  # fmt: skip
    ledger["state"] = _state(evidence, checks)
    return ledger


def _state(evidence: Evidence, checks: list[Check]) -> str:
    """How the run ended, from nothing but what was counted."""
    if any(c.hard and not c.passed for c in checks):
        return "failed"
    waiting = sum(placed.quarantined for placed in evidence.merged.placed.values())
    unread = any(f.rule in {"unreadable_file", "expected_list_missing", "broken_quoting"} for f in evidence.split.findings)
    soft = any(not c.passed for c in checks)
    return "completed_with_differences" if waiting or unread or soft or evidence.split.unknown else "completed"


def _types(evidence: Evidence) -> list[dict[str, Any]]:
    names = [*DELIVERED, *(r for r in evidence.merged.placed if r not in DELIVERED)]
    return [
        {"record": name, "title": _TITLES.get(name, name), **evidence.merged.placed[name].model_dump(), "derived": evidence.merged.derived.get(name, 0)}
        for name in names if name in evidence.merged.placed
    ]  # fmt: skip


def _grouped(evidence: Evidence, frame: pl.DataFrame, by: tuple[str, ...]) -> list[dict[str, Any]]:
    """Notes by rule: how many, in which lists, in which columns."""
    records = {table.id: table.record for table in evidence.split.tables}
    near = frame.group_by(*by, "table", maintain_order=True).agg(pl.len().alias("count"), pl.col("field").unique(), pl.col("row").first().alias("first_row"))
    near = near.with_columns(pl.col("table").replace_strict(records, default="document", return_dtype=pl.String).alias("record"))
    groups = near.group_by(*by, "record", maintain_order=True).agg(
        pl.col("count").sum(), pl.col("field").explode().str.split("#").list.first().unique().sort().alias("fields"), pl.col("first_row").first(), pl.col("table").first(),
    )  # fmt: skip
    return groups.sort("count", *by, "record", descending=[True, *(False for _ in by), False]).to_dicts()


def _fallbacks(evidence: Evidence) -> list[dict[str, Any]]:
    """Who has no active user, as the old system writes the name, and how many records went elsewhere."""
    told = evidence.findings.filter(pl.col("rule").is_in(["user_fallback", "user_not_found"]))
    records = {table.id: table.record for table in evidence.split.tables}
    told = told.with_columns(pl.col("table").replace_strict(records, default="", return_dtype=pl.String).alias("record"))
    return told.group_by("value", "record", "rule").len("count").sort("value", "record").rename({"value": "name"}).to_dicts()


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


def _to_bill(evidence: Evidence) -> list[dict[str, str]]:
    """Matters with an opening balance: after the review, each needs a bill."""
    lines = []
    for handed in evidence.handed("balances_forward"):
        lines += [{"matter": matter, "amount": price} for matter, price in zip(handed.column("matter"), handed.column("price"), strict=True)]
    return sorted(lines, key=lambda line: line["matter"])


@counted_once
def deadlines(evidence: Evidence) -> list[dict[str, str]]:
    """Every task and event that lies after the day of the export, old beside new, with its zone."""
    from datetime import date

    target = load_target(evidence.migration.target)
    style = evidence.migration.options.date_format or target.date_formats[evidence.migration.region]
    since = date.fromisoformat(evidence.merged.as_at)
    found: list[dict[str, str]] = []
    tables = {t.id: t for t in evidence.split.tables}
    for name, day, time in (("tasks", "due_date", ""), ("calendar_events", "start_date", "start_time")):
        field_name = {"tasks": "due_on", "calendar_events": "start_on"}[name]
        for handed in evidence.handed(name):
            if day not in handed.header:
                continue
            ahead = handed.lines.rename(dict(zip(handed.lines.columns, handed.header, strict=False))).with_row_index("line#", offset=2)
            ahead = ahead.filter(pl.col(day).str.to_date(style, strict=False) >= since)
            lineage = evidence.lineage.filter(pl.col("file") == handed.name).select("line", pl.col("table").alias("table#"), pl.col("row").alias("row#"))
            ahead = ahead.join(lineage, left_on="line#", right_on="line", how="left", maintain_order="left")
            told: list[tuple[int, dict[str, str]]] = []
            for (table,), lines in ahead.group_by("table#", maintain_order=True):
                place = next(c.place for c in tables[str(table)].columns if c.field == field_name)
                old = evidence.raw(tables[str(table)]).select(pl.col("row").alias("row#"), pl.col(f"c{place}").alias("old#"))
                for line in lines.join(old, on="row#", how="left", maintain_order="left").iter_rows(named=True):
                    told.append((line["line#"], {
                        "type": name, "what": line.get("name") or line.get("summary") or "", "matter": line.get("matter", ""),
                        "old": str(line["old#"]), "new": " ".join(filter(None, (line[day], line.get(time, "")))),
                        "zone": line.get("time_zone", "") or ("all day" if not time or line.get("all_day") else "unknown"),
                        "source": f"{tables[str(table)].file}, row {line['row#']}",
                    }))  # fmt: skip
            found += [one for _, one in sorted(told, key=lambda pair: pair[0])]
    return found
