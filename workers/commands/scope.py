"""The scope of a migration before it is done: what will move, what will not, what is odd, what needs a person."""

import textwrap
from dataclasses import dataclass
from typing import Any

from caseferry.noted import Noted
from caseferry.rules import plainly
from tasks.journey import parts_of
from tasks.stage import Services, present, read_json


@dataclass(frozen=True)
class Scope:
    data: dict[str, Any]
    lines: list[str]


def scope_of(services: Services, run: Any, asked: list[dict[str, str]]) -> Scope:
    """The scope-and-limitations report, as data and as lines for a terminal."""
    store, seen = services.store, present(services.store, run)
    data: dict[str, Any] = {"questions": asked, "tables": [], "unknown": [], "findings": [], "types": {}, "quality": [], "exclusions": []}
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
        data["targets"] = [
            {"target": t["target"], "title": t["title"], "version": t["version"], "columns": t["columns"], "records": t["records"], "decisions": t["decisions"], "limits": t["limits"]}
            for t in ledger["targets"]
        ]  # fmt: skip
        data["money"] = [{k: m[k] for k in ("type", "currency", "exported", "not_taken", "quarantined", "written", "difference")} for m in ledger["money"]]
    waits = sum(c["quarantined"] for c in data["types"].values())
    bad = [f for f in data["findings"] if f["rule"] in {"unreadable_file", "data_not_read", "expected_list_missing", "broken_quoting", "unknown_column", "list_is_too_short"}]
    why = [
        (len(asked), "questions to answer"), (waits, "rows that would wait"), (len(data["unknown"]), "lists we do not know"),
        (sum(1 for f in bad if f["rule"] in {"unreadable_file", "data_not_read"}), "files that can't be read"), (sum(1 for f in bad if f["rule"] not in {"unreadable_file", "data_not_read"}), "columns or lists to look at"),
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
        lines += ["", "  quality, of 100"] + [f"    {q['score']:>3}  {q['file']}" for q in data["quality"] if q["record"] != "excluded"]
    if data["exclusions"]:
        found = [f"    {e['rows']:>8,}  {e['title']}" for e in data["exclusions"] if e["rows"]]
        none = ", ".join(e["title"].lower() for e in data["exclusions"] if not e["rows"])
        lines += ["", "  the target does not take", *found, *textwrap.wrap(f"and, none found here: {none}", 78, initial_indent="    ", subsequent_indent="    ")]
    for target in data.get("targets", []):
        columns = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in target["columns"].items())
        lines += ["", f"  {target['title']}: field map {target['version']}, to be approved; columns: {columns}"]
        lines += [f"    {r['title']:<22}{r['in_files']:>9,} in files{r['waiting']:>9,} wait{r['not_held']:>9,} no place" for r in target["records"]]
        for decision in target["decisions"]:
            choice = f" Decide: {' / '.join(decision['choices'])}." if decision["choices"] and not decision["choice"] else ""
            lines += textwrap.wrap(f"{decision['title']}: {decision['says']}{choice}", 78, initial_indent="    ", subsequent_indent="      ")
    if data["odd"] or data["findings"]:
        lines += ["", "  odd:"]
        lines += [f"    {o['count']:>6,}  {o['record'].replace('_', ' ')}: {plainly(o['rule'])}" for o in data["odd"][:20]]
        lines += [f"            {plainly(f['rule'])} {f['where']}" for f in data["findings"][:30]]
    if data.get("missing"):
        lines += ["", *textwrap.wrap(f"missing: {', '.join(data['missing'])}. {data['export_steps']}", 78, initial_indent="  ", subsequent_indent="  ")]
    if data.get("fallbacks"):
        lines += ["", f"  {data['fallbacks']} people named in the export have no active user: add them with --user or in migration.json"]
    lines += ["", "  something needs a person: " + "; ".join(data["because"]) if data["needs_a_person"] else "  nothing needs a person"]
    return Scope(data, lines)


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
    rows = {profile.tables[t["kind"]].exclusion: t["lines"].get("data", 0) for t in split["tables"] if profile.tables[t["kind"]].exclusion}
    data["exclusions"] = [{"name": name, "title": e.title, "rows": rows.get(name, 0)} for name, e in profile.exclusions.items()]


def _odd(services: Services, run: Any, seen: Any) -> list[dict[str, Any]]:
    """Findings of single rows, counted by rule."""
    from caseferry.canonical import read_tables

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
