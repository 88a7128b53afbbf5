"""The workbook for people: everything that waits, in the source's own columns, with room for the answer.

Every cell is a typed string or number, and nothing in it can run.
"""

from typing import Any

import polars as pl

from caseferry.manifest import Table
from caseferry.rules import plainly
from caseferry.workbooks import Workbook
from tasks.verify.proof import Proof

_WIDTH = 22
_FIX = "Your answer"


def report_xlsx(ledger: dict[str, Any], proof: Proof) -> bytes:
    pages = Workbook("Caseferry report", _WIDTH)
    pages.add("Summary", ("What", "Value"), _summary(ledger))
    pages.add("Types", ("Type", "Exported", "Carried", "Merged", "Not taken", "Waits", "Made from other rows"),
              [(t["title"], t["read"], t["carried"], t["merged"], t["excluded"], t["quarantined"], t["derived"]) for t in ledger["types"]])  # fmt: skip
    pages.add("Money", ("Type", "Currency", "Exported", "Waits", "Not taken", "Written", "Difference"),
              [(m["title"], m["currency"], m["exported"], m["quarantined"], m["not_taken"], m["written"], m["difference"]) for m in ledger["money"]])  # fmt: skip
    for table in proof.evidence.split.tables:
        _quarantine(pages, table, proof.waiting.of(table))
    pages.add("Findings", ("File", "Sheet", "Row", "Column", "What", "Outcome", "Value", "Proposal"), _findings(proof))
    pages.add("Changes", ("File", "Sheet", "Row", "Column", "Before", "After", "Rule"), _changes(proof))
    pages.add("Fallbacks", ("Name in old system", "Type", "Records", "What"),
              [(f["name"], f["record"], f["count"], plainly(f["rule"])) for f in ledger["fallbacks"]])  # fmt: skip
    pages.add("Not taken", ("Kind", "Rows", "Total", "Scope"), [(e["title"], e["rows"] or "none found", e["total"], e["scope"]) for e in ledger["exclusions"]])
    pages.add("After cut-off", ("Entered by", "File", "Sheet", "Row", "Moment"), _after_cut_off(proof))
    pages.add("Deadlines", ("Type", "What", "Matter", "In old system", "In file", "Zone", "Source", "Difference", "Explained by", "Checked"),
              [(d["type"], d["what"], d["matter"], d["old"], d["new"], d["zone"], d["source"], d["difference"], "", "") for d in proof.deadlines.found])  # fmt: skip
    pages.add("Bills to generate", ("Matter", "Amount"), [(b["matter"], b["amount"]) for b in ledger["to_bill"]])
    pages.add("Columns", ("File", "Sheet", "Heading", "Became", "Field"),
              [(t["file"], t["sheet"], c["heading"], c["use"], c["field"]) for t in ledger["columns"] for c in t["columns"]])  # fmt: skip
    pages.add("Quality", ("File", "Sheet", "Column", "Rows", "Empty", "Important", "Forms found", "More than one"), [
        (q["file"], q["sheet"], c["heading"], q["rows"], c["empty"], "yes" if c.get("important") else "", "\n".join(f"{form}: {count}" for form, count in c.get("formats", {}).items()), "yes" if c.get("mixed") else "")
        for q in ledger["quality"] for c in q["columns"]
    ])  # fmt: skip
    pages.add("Duplicates", ("File", "Sheet", "What they share", "Groups", "Rows"),
              [(q["file"], q["sheet"], one["keys"], one["groups"], one["rows"]) for q in ledger["quality"] for one in q["duplicates"]["by"]])  # fmt: skip
    pages.add("Sample", ("Type", "Source", "Row", "Why", "In old system", "In file", "Right?"),
              [(s["record"], s["source_file"], s["row"], s["why"], _pairs(s["source"]), _pairs(s["target"]), "") for s in proof.sample.found])  # fmt: skip
    pages.add("Value maps", ("Map", "Word", "Becomes", "Records", "In the map", _FIX),
              [(v["map"], v["word"], v["becomes"], v["count"], "yes" if v["mapped"] else "NO", "") for v in ledger["value_maps"]])  # fmt: skip
    inventory = ledger["inventory"]
    pages.add("Compliance", ("Type", "What", "Day", "Matter", "Repeats", "Source", "Signed by"),
              [(c["type"], c["what"], c["day"], c["matter"], c["repeats"], c["source"], "") for c in inventory["compliance"]["listed"]])  # fmt: skip
    pages.add("To make again", ("Kind", "What", "Detail", "Effort", "Done"), [
        *(("workflow", w["name"], w["what"], w["effort"], "") for w in inventory["workflows"]),
        *(("connection", c["system"], f"{c['file']} › {c['column']}", f"id kept as {c['kept_as']}", "") for c in inventory["connections"]),
        *(("templates", t["format"], f"{t['count']} files", "", "") for t in inventory["templates"]),
    ])  # fmt: skip
    pages.add("Kept reports", ("File", "Bytes", "SHA-256"), [(r["name"], r["size"], r["sha256"]) for r in inventory["reports"]])
    _targets(pages, ledger["targets"])
    pages.add("To do", ("What the firm must do",), [(t,) for t in ledger["todo"]])
    return pages.done()


def _targets(pages: Workbook, targets: list[dict[str, Any]]) -> None:
    """What became of the records in each mapped target, what it has no place for, and words nobody mapped."""
    if not targets:
        return
    pages.add("Targets", ("Target", "State", "Kind", "In files", "Wait", "No place"),
              [(t["title"], t["state"].replace("_", " "), r["title"], r["in_files"], r["waiting"], r["not_held"]) for t in targets for r in t["records"]])  # fmt: skip
    pages.add("Decisions", ("Target", "Kind", "Records", "Total", "Why", "Choices", "Decision", "File", _FIX),
              [(t["title"], d["title"], d["rows"], d["total"], d["says"], "\n".join(d["choices"]), d["choice"], d["file"], "") for t in targets for d in t["decisions"]])  # fmt: skip
    pages.add("Words to map", ("Target", "File", "Column", "Word", "Records", _FIX),
              [(t["title"], u["file"], u["column"], u["word"] or "(empty)", u["count"], "") for t in targets for u in t["unmapped"]])  # fmt: skip
    pages.add("Target files", ("Target", "File", "Lines", "Import", "How"),
              [(t["title"], f["name"], f["rows"], "yes" if f["is_import"] else "no", f["note"]) for t in targets for f in t["files"]])  # fmt: skip
    pages.add("Fields to make", ("Target", "File", "Heading", "Field", "Type"),
              [(t["title"], c["file"], c["heading"], c["field"], c["type"]) for t in targets for c in t["custom_fields"]])  # fmt: skip


def _summary(ledger: dict[str, Any]) -> list[tuple[str, Any]]:
    read = sum(t["read"] for t in ledger["types"])
    return [
        ("State", ledger["state"].replace("_", " ")), ("Source", ledger["source"]["product"]), ("Target", ", ".join(ledger["named"])),
        ("Rows exported", read), ("Rows carried", sum(t["carried"] for t in ledger["types"])),
        ("Rows that wait for you", sum(t["quarantined"] for t in ledger["types"])),
        ("Balances as at", ledger["as_at"]), ("Client records compared", ledger["accuracy"]["percent"] + " %"),
        *((c["title"], ("yes" if c["passed"] else "NO") + (f": {c['detail']}" if c["detail"] else "")) for c in ledger["checks"]),
    ]  # fmt: skip


def _quarantine(pages: Workbook, table: Table, waits: pl.DataFrame) -> None:
    """One sheet for each list with rows that wait: its own columns, the reason, and an empty column for the fix."""
    if waits.is_empty():
        return
    header = ("Row", *(c.heading or f"column {c.place + 1}" for c in table.columns), "Reason", _FIX)
    rows = [(r["row"], *(r[f"c{c.place}"] for c in table.columns), plainly(r["reason"]), "") for r in waits.iter_rows(named=True)]
    pages.add(f"Waits {table.id[:4]} {table.kind}", header, rows)


def _where(proof: Proof) -> dict[str, tuple[str, str]]:
    return {t.id: (t.file, t.sheet) for t in proof.evidence.split.tables} | {"documents": ("documents", "")}


def _findings(proof: Proof) -> list[tuple[Any, ...]]:
    where = _where(proof)
    heading = {(t.id, c.field): c.heading for t in proof.evidence.split.tables for c in t.columns}
    shown, more = proof.findings.first
    rows: list[tuple[Any, ...]] = [
        (*where.get(f["table"], ("", "")), f["row"], f["heading"] or heading.get((f["table"], f["field"]), f["field"]),
         plainly(f["rule"]), f["outcome"], f["value"], f["proposal"])
        for f in shown.iter_rows(named=True)
    ]  # fmt: skip
    return rows + [("", "", "", "", f"{plainly(rule)}: {count:,} more rows are in findings.csv", "", "", "") for rule, count in more]


def _changes(proof: Proof) -> list[tuple[Any, ...]]:
    """Changes that are more than another way to write the same value; the whole log is changes.csv."""
    where = _where(proof)
    shown, more = proof.changes.first
    rows: list[tuple[Any, ...]] = [
        (*where.get(c["table"], ("", "")), c["row"], c["heading"] or c["field"], c["before"], c["after"], plainly(c["rule"]))
        for c in shown.iter_rows(named=True)
    ]
    return rows + [("", "", "", "", "", "", f"{plainly(rule)}: {count:,} more rows are in changes.csv") for rule, count in more]


def _after_cut_off(proof: Proof) -> list[tuple[Any, ...]]:
    """Rows somebody entered too late, by who entered them."""
    where = _where(proof)
    rows = [(who, *where[table], row, moment) for who, table, row, moment in proof.late.found]
    return sorted(rows, key=lambda row: (str(row[0]), str(row[1]), int(row[3])))


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return "\n".join(f"{heading}: {value}" for heading, value in pairs)
