"""The scope of a migration before it is done: what will move, what will not, what is odd, what needs a person."""

import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import Any

from caseferry.choices import Migration
from caseferry.noted import Noted
from caseferry.rules import plainly
from tasks.journey import parts_of
from tasks.once import read_json
from tasks.stage import Services, present


@dataclass(frozen=True)
class Scope:
    data: dict[str, Any]
    lines: list[str]


def scope_of(services: Services, run: Any, asked: list[dict[str, str]]) -> Scope:
    """The scope-and-limitations report, as data and as lines for a terminal."""
    store, seen = services.store, present(services.store, run)
    data: dict[str, Any] = {"questions": asked, "tables": [], "unknown": [], "findings": [], "types": {}, "quality": [], "exclusions": [], "unread": 0}
    if "1-split/tables.json" in seen:
        _of_split(services, run, data)
    for part in parts_of(seen):
        if f"2-transform/{part}.json" in seen:
            outcome: Any = read_json(store, run.at("2-transform", f"{part}.json"))
            counts = data["types"].setdefault(outcome["record"], {"rows": 0, "carried": 0, "excluded": 0, "quarantined": 0})
            counts["rows"] += outcome["rows"]
            for place, count in outcome["places"].items():
                counts[place] += count
    data["odd"] = _odd(services, run, seen)
    if "4-verify/ledger.json" in seen:
        ledger: Any = read_json(store, run.at("4-verify", "ledger.json"))
        data["types"] = {t["record"]: {"rows": t["read"], "carried": t["carried"] + t["merged"], "excluded": t["excluded"], "quarantined": t["quarantined"]} for t in ledger["types"]}
        data["fallbacks"] = len({f["name"] for f in ledger["fallbacks"]})
        data["findings"] = ledger["noted"]
        data["exclusions"] = [{name: e[name] for name in ("name", "title", "rows", "total", "scope")} for e in ledger["exclusions"]]
        data["in_account"] = in_account(ledger)
        migration = Migration.model_validate(read_json(store, run.at("0-original", "admission.json")))
        data["unread"] = int(migration.wants_acknowledgement and not migration.acknowledged_by)
        data["targets"] = [_target(t, migration) for t in ledger["targets"]]
        data["money"] = [{k: m[k] for k in ("type", "currency", "exported", "not_taken", "quarantined", "written", "difference")} for m in ledger["money"]]
    waits = sum(c["quarantined"] for c in data["types"].values())
    targets = data.get("targets", [])
    to_decide = sum(1 for target in targets for decision in target["decisions"] if _is_open(decision))
    bad = [f for f in data["findings"] if f["rule"] in {"unreadable_file", "data_not_read", "expected_list_missing", "broken_quoting", "ends_midway", "money_not_carried", "unknown_column", "list_is_too_short"}]
    why = [
        (len(asked), "questions to answer"), (waits, "rows that would wait"), (len(data["unknown"]), "lists we do not know"),
        (sum(1 for f in bad if f["rule"] in {"unreadable_file", "data_not_read"}), "files that can't be read"), (sum(1 for f in bad if f["rule"] not in {"unreadable_file", "data_not_read"}), "columns or lists to look at"),
        (int(any(not target["approved"] for target in targets)), "field map to approve"), (data["unread"], "scope to acknowledge"), (to_decide, "decisions about what a target has no place for"),
        (sum(1 for one in data.get("in_account", []) if one["clashes"]), "custom fields the account has with another type"),
    ]  # fmt: skip
    data["because"] = [f"{count:,} {what}" for count, what in why if count]
    data["needs_a_person"] = bool(data["because"])
    lines: list[str] = []
    if "product" in data:
        lines.append(f"  told       {data['product']} export, {data['confidence']:.0%} of the columns known; wording: {data['version_guess']}")
    for table in data["tables"]:
        name = table["file"] + (f" › {table['sheet']}" if table["sheet"] else "")
        will = "moves" if table["place"] == "carried" else "does not move"
        lines.append(f"    {table['kind']:<22}{table['rows']:>8,} rows  {will:<14} {name}")
    for table in data["unknown"]:
        lines.append(f"    {'unknown list':<22}{table['rows']:>8,} lines  stays in the archive  {table['file']}")
    if data["types"]:
        lines += ["", f"  {'will move':<18}{'rows':>9}{'carried':>9}{'not taken':>11}{'waits':>7}"]
        lines += [f"    {name.replace('_', ' '):<16}{c['rows']:>9,}{c['carried']:>9,}{c['excluded']:>11,}{c['quarantined']:>7,}" for name, c in data["types"].items()]
    if data["quality"]:
        lines += ["", "  quality, of 100", *(line for q in data["quality"] if q["record"] != "excluded" for line in quality_lines(q))]
    if data["exclusions"]:
        found = [f"    {e['rows']:>8,}  {e['title']}" + (f", {e['total']} in all" if e["total"] else "") for e in data["exclusions"] if e["rows"]]
        none = ", ".join(e["title"].lower() for e in data["exclusions"] if not e["rows"] and not e["scope"])
        is_counted = "4-verify/ledger.json" in seen  # before, single rows that are not taken are not told from others
        lines += ["", "  the target does not take", *found, *textwrap.wrap(f"and, {'none found' if is_counted else 'no such list'} here: {none}", 78, initial_indent="    ", subsequent_indent="    ")]
    if data.get("in_account"):
        lines += ["", "  already in the account", *(f"    {one['what']}: {one['treatment']}" for one in data["in_account"])]
    for target in targets:
        columns = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in target["columns"].items())
        lines += ["", f"  {target['title']}: field map {target['version']}{'' if target['approved'] else ', to be approved'}; columns: {columns}"]
        lines += [f"    {r['title']:<22}{r['in_files']:>9,} in files{r['waiting']:>9,} wait{r['not_held']:>9,} no place" for r in target["records"]]
        for decision in target["decisions"]:
            choice = f" Decide: {' / '.join(decision['choices'])}." if _is_open(decision) else ""
            lines += textwrap.wrap(f"{decision['title']}: {decision['says']}{choice}", 78, initial_indent="    ", subsequent_indent="      ")
    if data["odd"] or data["findings"]:
        lines += ["", "  odd:"]
        lines += [f"    {o['count']:>6,}  {o['record'].replace('_', ' ')}: {plainly(o['rule'])}" for o in data["odd"][:20]]
        lines += [f"            {plainly(f['rule'])} {f['where']}{told(f)}" for f in data["findings"][:30]]
    if data.get("missing"):
        lines += ["", *textwrap.wrap(f"missing: {', '.join(data['missing'])}. {data['export_steps']}", 78, initial_indent="  ", subsequent_indent="  ")]
    if data.get("fallbacks"):
        lines += ["", f"  {data['fallbacks']} people named in the export have no active user: add them with --user or in migration.json"]
    lines += ["", "  something needs a person: " + "; ".join(data["because"]) if data["needs_a_person"] else "  nothing needs a person"]
    return Scope(data, lines)


def quality_lines(report: dict[str, Any]) -> list[str]:
    """A list's score; what lowers it: important columns with empty cells, mixed forms, rows that share what should be their own."""
    empty = [f"{c['heading']} {c['empty']:,}" for c in report["columns"] if c.get("important") and c["empty"]]
    mixed = [c["heading"] for c in report["columns"] if c.get("mixed")]
    twice = [f"{one['groups']:,} groups of {one['rows']:,} rows by {one['keys']}" for one in report["duplicates"]["by"]]
    lacks = [field.replace("_", " ") for field in report["missing"]]
    parts = [("no such column", lacks), (f"empty, of {report['rows']:,}", empty), ("in several forms", mixed), ("duplicates", twice), ("name no matter of the export", [f"{report['orphans']:,} rows"] if report["orphans"] else [])]
    lines = [f"    {report['score']:>3}  {report['file']}" + (f" › {report['sheet']}" if report["sheet"] else "")]
    for what, some in parts:
        if some:
            lines += textwrap.wrap(f"{what}: {', '.join(some)}", 78, initial_indent="         ", subsequent_indent="           ")
    return lines


def told(finding: dict[str, Any]) -> str:
    """What is behind a finding, where its rule alone says too little to act on."""
    return f": {finding['detail']}" if finding["rule"] in _IN_FULL and finding["detail"] else ""


_IN_FULL = frozenset({"layout_changed", "custom_field_of_another_type", "open_invoices_mid_month", "reports_of_different_days"})
UNDECIDED = "(not decided)"
"""What a dry run writes where a real one waits for a person's choice."""


def _is_open(decision: dict[str, Any]) -> bool:
    return bool(decision["choices"]) and decision["choice"] in {"", UNDECIDED}


def _target(told: dict[str, Any], migration: Migration) -> dict[str, Any]:
    """What a mapped target takes and does not, and whether its map waits for a person."""
    approved = migration.approved_map is not None and migration.approved_map.version == told["version"]
    return {name: told[name] for name in ("target", "title", "version", "columns", "records", "decisions", "limits")} | {
        "approved": approved or not migration.target_of(told["target"]).approval
    }


def in_account(ledger: dict[str, Any]) -> list[dict[str, Any]]:
    """Custom fields and practice areas of the export whose name the account has already, and what becomes of each."""
    fields = [
        {"what": f"custom field {c['name']!r} of a {c['parent'].lower()}", "treatment": _TREATMENTS[c["action"]], "clashes": c["action"] == "conflict"}
        for c in ledger["custom_fields"] if c["action"] in _TREATMENTS
    ]  # fmt: skip
    areas = [
        {"what": f"practice area {a['name']!r}", "treatment": a["action"] + (f": {a['there']!r}" if a["there"] not in {"", a["name"]} else "") + ("; a matter template has this name, and may map data in its own way" if a["template"] else ""), "clashes": False}
        for a in ledger["practice_areas"] if a["there"] or a["template"]
    ]  # fmt: skip
    return fields + areas


_TREATMENTS = {"reuse": "reused", "conflict": "there with another type: rename the one in the account, or drop the column by a rule"}


def _of_split(services: Services, run: Any, data: dict[str, Any]) -> None:
    from caseferry.mapping.profile import load_profile

    split: Any = read_json(services.store, run.at("1-split", "tables.json"))
    data |= {k: split[k] for k in ("source", "product", "version_guess", "confidence", "missing", "unknown", "findings")}
    data["tables"] = [
        {"file": t["file"], "sheet": t["sheet"], "kind": t["kind"], "place": t["place"], "rows": t["lines"].get("data", 0), "confidence": t["confidence"]}
        for t in split["tables"]
    ]
    report: Any = read_json(services.store, run.at("1-split", "quality.json"))
    data["quality"] = report["tables"]
    profile = load_profile(split["source"])
    data["export_steps"] = profile.export_steps
    rows: Counter[str] = Counter()
    for table in split["tables"]:
        rows[profile.tables[table["kind"]].exclusion] += table["lines"].get("data", 0)
    data["exclusions"] = [{"name": name, "title": e.title, "rows": rows[name], "total": "", "scope": ""} for name, e in profile.exclusions.items()]


def _odd(services: Services, run: Any, seen: Any) -> list[dict[str, Any]]:
    """Findings of single rows, counted by rule."""
    from caseferry.tables import read_tables

    split: Any = read_json(services.store, run.at("1-split", "tables.json")) if "1-split/tables.json" in seen else {"tables": []}
    counts: dict[tuple[str, str], int] = {}
    for table in split["tables"]:
        for part in table["parts"]:
            key = f"2-transform/{part}.zip"
            if key in seen:
                for rule, count in Noted.of(read_tables(services.store.get(run.home + key)), "findings").frame["rule"].value_counts().iter_rows():
                    counts[(table["record"], rule)] = counts.get((table["record"], rule), 0) + count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"record": record, "rule": rule, "count": count} for (record, rule), count in ordered]
