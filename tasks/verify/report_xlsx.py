"""The workbook for people: everything that waits, in the source's own columns, with room for the answer.

Every cell is a typed string or number. Nothing in it can run: the writer's own defaults would make formulas of text
that begins with `=` and links of addresses.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import xlsxwriter

from caseferry.manifest import Table
from caseferry.rules import plainly
from tasks.verify.evidence import Evidence

_ROWS = 1_000_000
EACH = 2_000
"""Rows of one rule that a person is shown; past that the workbook says how many more there are, and where."""
_FIX = "Your answer"
REWRITTEN = ("date_read", "amount_read", "hours_read", "units_read", "minutes_read", "time_read", "group_header", "fill_down", "task_status")
"""Rules that write a value in another form. Their every use is in changes.csv."""


def report_xlsx(ledger: dict[str, Any], sample: list[dict[str, Any]], due: list[dict[str, str]], evidence: Evidence) -> bytes:
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": "Caseferry report", "created": datetime(2000, 1, 1)})  # equal runs, equal bytes
        pages = _Pages(book)
        pages.add("Summary", ("What", "Value"), _summary(ledger))
        pages.add("Types", ("Type", "Exported", "Carried", "Merged", "Not taken", "Waits", "Made from other rows"),
                  [(t["title"], t["read"], t["carried"], t["merged"], t["excluded"], t["quarantined"], t["derived"]) for t in ledger["types"]])  # fmt: skip
        pages.add("Money", ("Type", "Currency", "Exported", "Waits", "Not taken", "Written", "Difference"),
                  [(m["title"], m["currency"], m["exported"], m["quarantined"], m["not_taken"], m["written"], m["difference"]) for m in ledger["money"]])  # fmt: skip
        for table in evidence.split.tables:
            _quarantine(pages, table, evidence)
        pages.add("Findings", ("File", "Sheet", "Row", "Column", "What", "Outcome", "Value", "Proposal"), _findings(evidence))
        pages.add("Changes", ("File", "Sheet", "Row", "Column", "Before", "After", "Rule"), _changes(evidence))
        pages.add("Fallbacks", ("Name in old system", "Type", "Records", "What"),
                  [(f["name"], f["record"], f["count"], plainly(f["rule"])) for f in ledger["fallbacks"]])  # fmt: skip
        pages.add("Not taken", ("Kind", "Rows", "Total", "Scope"), [(e["title"], e["rows"] or "none found", e["total"], e["scope"]) for e in ledger["exclusions"]])
        pages.add("After cut-off", ("Entered by", "File", "Sheet", "Row", "Moment"), _after_cut_off(evidence))
        pages.add("Deadlines", ("Type", "What", "Matter", "In old system", "In file", "Zone", "Source", "Checked"),
                  [(d["type"], d["what"], d["matter"], d["old"], d["new"], d["zone"], d["source"], "") for d in due])  # fmt: skip
        pages.add("Bills to generate", ("Matter", "Amount"), [(b["matter"], b["amount"]) for b in ledger["to_bill"]])
        pages.add("Columns", ("File", "Sheet", "Heading", "Became", "Field"),
                  [(t["file"], t["sheet"], c["heading"], c["use"], c["field"]) for t in ledger["columns"] for c in t["columns"]])  # fmt: skip
        pages.add("Sample", ("Type", "Source", "Row", "Why", "In old system", "In file", "Right?"),
                  [(s["record"], s["source_file"], s["row"], s["why"], _pairs(s["source"]), _pairs(s["target"]), "") for s in sample])  # fmt: skip
        pages.add("To do", ("What the firm must do",), [(t,) for t in ledger["todo"]])
    return buffer.getvalue()


class _Pages:
    """Sheets of typed strings with a bold first row."""

    def __init__(self, book: Any) -> None:
        self._book, self._names = book, set[str]()
        self._bold = book.add_format({"bold": True})
        self._wrap = book.add_format({"text_wrap": True, "valign": "top"})

    def add(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        clean = "".join(char for char in name if char not in "[]:*?/\\'")[:28]
        while clean.casefold() in self._names:
            clean = clean[:26] + str(len(self._names))
        self._names.add(clean.casefold())
        sheet = self._book.add_worksheet(clean)
        for place, heading in enumerate(header):
            sheet.write_string(0, place, heading, self._bold)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(0, len(header) - 1), 22, self._wrap)
        for number, row in enumerate(rows, 1):
            if number > _ROWS:
                sheet.write_string(number, 0, "More rows follow; they are in the ledger's own files.")
                break
            for place, value in enumerate(row):
                if isinstance(value, int) and not isinstance(value, bool):
                    sheet.write_number(number, place, value)
                elif value not in (None, ""):
                    sheet.write_string(number, place, str(value)[:32_767])


def _summary(ledger: dict[str, Any]) -> list[tuple[str, Any]]:
    read = sum(t["read"] for t in ledger["types"])
    return [
        ("State", ledger["state"].replace("_", " ")), ("Source", ledger["source"]["product"]), ("Target", ledger["target"]),
        ("Rows exported", read), ("Rows carried", sum(t["carried"] for t in ledger["types"])),
        ("Rows that wait for you", sum(t["quarantined"] for t in ledger["types"])),
        ("Balances as at", ledger["as_at"]), ("Client records compared", ledger["accuracy"]["percent"] + " %"),
        *((c["title"], ("yes" if c["passed"] else "NO") + (f": {c['detail']}" if c["detail"] else "")) for c in ledger["checks"]),
    ]  # fmt: skip


def _quarantine(pages: _Pages, table: Table, evidence: Evidence) -> None:
    """One sheet for each list with rows that wait: its own columns, the reason, and an empty column for the fix."""
    waiting = evidence.places.filter((pl.col("table") == table.id) & (pl.col("place") == "quarantined")).select("row", "reason")
    if waiting.is_empty():
        return
    raw = evidence.raw(table).join(waiting, on="row").sort("row")
    header = ("Row", *(c.heading or f"column {c.place + 1}" for c in table.columns), "Reason", _FIX)
    rows = [(r["row"], *(r[f"c{c.place}"] for c in table.columns), plainly(r["reason"]), "") for r in raw.iter_rows(named=True)]
    pages.add(f"Waits {table.id[:4]} {table.kind}", header, rows)


def _where(evidence: Evidence) -> dict[str, tuple[str, str]]:
    return {t.id: (t.file, t.sheet) for t in evidence.split.tables} | {"documents": ("documents", "")}


def _findings(evidence: Evidence) -> list[tuple[Any, ...]]:
    where = _where(evidence)
    heading = {(t.id, c.field): c.heading for t in evidence.split.tables for c in t.columns}
    shown, more = _first_of_each(evidence.findings)
    rows: list[tuple[Any, ...]] = [
        (*where.get(f["table"], ("", "")), f["row"], f["heading"] or heading.get((f["table"], f["field"]), f["field"]),
         plainly(f["rule"]), f["outcome"], f["value"], f["proposal"])
        for f in shown.iter_rows(named=True)
    ]  # fmt: skip
    return rows + [("", "", "", "", f"{plainly(rule)}: {count:,} more rows are in findings.csv", "", "", "") for rule, count in more]


def _changes(evidence: Evidence) -> list[tuple[Any, ...]]:
    """Changes that are more than another way to write the same value; the whole log is changes.csv."""
    where = _where(evidence)
    shown, more = _first_of_each(evidence.changes.filter(~pl.col("rule").is_in(REWRITTEN)))
    rows: list[tuple[Any, ...]] = [
        (*where.get(c["table"], ("", "")), c["row"], c["heading"] or c["field"], c["before"], c["after"], plainly(c["rule"]))
        for c in shown.iter_rows(named=True)
    ]
    return rows + [("", "", "", "", "", "", f"{plainly(rule)}: {count:,} more rows are in changes.csv") for rule, count in more]


def _first_of_each(notes: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, int]]]:
    """The first notes of each rule, in the order they stand, and how many more there are of which."""
    counts = notes["rule"].value_counts().filter(pl.col("count") > EACH).sort("rule")
    many = counts["rule"]
    if many.is_empty():
        return notes, []
    kept = pl.when(pl.col("rule").is_in(many.implode())).then(pl.int_range(pl.len()).over("rule")).otherwise(0)
    return notes.filter(kept < EACH), [(rule, count - EACH) for rule, count in counts.iter_rows()]


def _after_cut_off(evidence: Evidence) -> list[tuple[Any, ...]]:
    """Rows somebody entered too late, by who entered them."""
    late = evidence.findings.filter(pl.col("rule") == "after_cut_off")
    where, rows = _where(evidence), []
    tables = {t.id: t for t in evidence.split.tables}
    for (table_id,), group in late.group_by("table", maintain_order=True):
        table = tables[str(table_id)]
        place = next((c.place for c in table.columns if c.field in {"modified_by", "staff", "author", "assignee", "owner", "responsible", "user"}), None)
        raw = evidence.raw(table).join(group.select("row", "value"), on="row")
        for r in raw.iter_rows(named=True):
            rows.append(((r[f"c{place}"] or "") if place is not None else "", *where[str(table_id)], r["row"], r["value"]))
    return sorted(rows, key=lambda row: (str(row[0]), str(row[1]), int(row[3])))


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return "\n".join(f"{heading}: {value}" for heading, value in pairs)
