"""The checks. Each compares what went in with what came out, by counting again; a failed one stops the delivery."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from caseferry.canonical import sha256
from caseferry.errors import ExportRefused
from caseferry.manifest import Kept
from caseferry.mapping.headings import normal
from caseferry.mapping.target import Column, Target
from caseferry.reading.guard import ask
from caseferry.reading.kinds import Kind
from caseferry.reading.lists import read_lists
from caseferry.records import RECORDS, Type
from tasks.verify import recount
from tasks.verify.evidence import Evidence, Handed, counted_once, kind_of_file
from tasks.verify.tieout import Running, column_values, hours_line, money_lines, said_total

_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_FILES_OF = {
    "contact": ("contacts",), "matter": ("matters",), "related_contact": ("related_contacts",), "task": ("tasks",),
    "note": ("contact_notes", "matter_notes"), "calendar_event": ("calendar_events",), "email": ("emails",),
    "phone_log": ("phone_logs",), "time_entry": ("activities",), "receivable": ("balances_forward",),
    "trust": ("trust_balances",), "document": ("documents",),
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One thing that has to hold. `hard` ones stop the delivery; the others are differences to look at."""

    name: str
    title: str
    passed: bool
    detail: str = ""
    hard: bool = True
    differences: tuple[dict[str, Any], ...] = field(default=())


def run_checks(evidence: Evidence, target: Target) -> list[Check]:
    """All checks, in the order of the journey. One that can't even be carried out has failed."""
    checks: list[Check] = []
    for name, check in _CHECKS.items():
        try:
            found = check(evidence, target)
            checks += [found] if isinstance(found, Check) else list(found)
        except (ValueError, IndexError, ArithmeticError, pl.exceptions.PolarsError):
            checks.append(Check(name, f"The check of {name.replace('_', ' ')} could be carried out", False, "the files can't be read back"))
    return checks


def _lines(evidence: Evidence) -> Check:
    """Every row of every list was told apart: the lines add up to what the file holds."""
    wrong, counted, skipped = [], 0, 0
    kept = {file.name: file for file in evidence.intake.files if file.kind != "duplicate"}
    books = {table.file for table in evidence.split.tables if kept[table.file].kind != Kind.DELIMITED}
    with ThreadPoolExecutor(4) as pool:
        sheets = dict(zip(sorted(books), pool.map(lambda name: _sheet_heights(evidence, name), sorted(books)), strict=True))
    for table in evidence.split.tables:
        file = kept[table.file]
        open_quotes = any(f.rule == "broken_quoting" and f.where == table.file for f in evidence.split.findings)
        if open_quotes:
            found = None
        elif file.kind == Kind.DELIMITED:
            found = _count(evidence, file)
        else:
            found = sheets[file.name].get(table.sheet)
        if found is None:
            skipped += 1
            continue
        counted += found
        if found != sum(table.lines.values()):
            wrong.append({"table": table.id, "in_file": found, "accounted_for": sum(table.lines.values())})
    detail = f"{counted} lines in {len(evidence.split.tables)} lists"
    if skipped:
        detail += f"; {skipped} lists with open quotes could be counted in one way only"
    return Check("lines", "Every line of every list is data or named furniture", not wrong, detail, True, tuple(wrong))


def _count(evidence: Evidence, file: Kept) -> int | None:
    try:
        made: int | None = ask("tasks.verify.recount:count", evidence.store.get(file.key), file.name, evidence.limits).made
        return made
    except ExportRefused:
        return None


def _sheet_heights(evidence: Evidence, name: str) -> dict[str, int]:
    key = next(file.key for file in evidence.intake.files if file.name == name and file.kind != "duplicate")
    try:
        return {grid.sheet: grid.cells.height for grid in read_lists(evidence.store.get(key), True, name, evidence.limits)}
    except ExportRefused:
        return {}


def _row_rule(evidence: Evidence) -> Check:
    """Read = carried + merged + excluded + quarantined, for every type, and read is what the split found."""
    wrong = []
    split: dict[str, int] = {}
    for table in evidence.split.tables:
        split[table.record] = split.get(table.record, 0) + table.lines.get("data", 0)
    seen = evidence.places.group_by("record").agg(pl.len().alias("n"), pl.struct("table", "row").n_unique().alias("once"))
    rows = {record: (n, once) for record, n, once in seen.iter_rows()}
    for record, count in split.items():
        placed = evidence.merged.placed.get(record)
        n, once = rows.get(record, (0, 0))
        if count and (placed is None or not placed.closes or placed.read != count or n != count or once != count):
            wrong.append({"type": record, "in_lists": count, "placed": n})
    total = sum(split.values())
    return Check("rows", "Exported = carried + merged + not taken + quarantined", not wrong, f"{total} rows", True, tuple(wrong))


def _files(evidence: Evidence) -> Iterator[Check]:
    """The files hold as many rows as were carried, and are the files the manifest names."""
    wrong = []
    for record, names in _FILES_OF.items():
        placed = evidence.merged.placed.get(record)
        expected = (placed.carried if placed else 0) + evidence.merged.derived.get(record, 0)
        found = sum(handed.lines.height for name in names for handed in evidence.handed(name))
        if record == "document" and not evidence.migration.options.documents:
            expected = 0
        if found != expected:
            wrong.append({"type": record, "carried": expected, "in_files": found})
    yield Check("written", "Every carried row is in a file handed over", not wrong, "", True, tuple(wrong))
    changed = [{"file": e.name} for e in evidence.merged.files
               if sha256(evidence.files[e.name].data) != e.sha256 or evidence.files[e.name].lines.height != e.rows]  # fmt: skip
    yield Check("hashes", "The files are the ones the manifest names", not changed, f"{len(evidence.merged.files)} files", True, tuple(changed))


def _schema(evidence: Evidence, target: Target) -> Check:
    """Each import file follows the target: header to the letter, required cells, closed lists, dates, plain numbers."""
    wrong: list[dict[str, Any]] = []
    style = evidence.migration.options.date_format or target.date_formats[evidence.migration.region]
    for entry in evidence.merged.files:
        handed, spec = evidence.files[entry.name], target.files[kind_of_file(entry.name)]
        if tuple(handed.header) != entry.header:
            wrong.append({"file": entry.name, "problem": "header"})
        if entry.is_import and spec.known and not any(t.kind for t in evidence.intake.templates) and tuple(handed.header) != tuple(spec.columns):
            wrong.append({"file": entry.name, "problem": "header is not the template's"})
        if not handed.even or handed.lines.select(pl.all_horizontal(pl.all() == "").any()).item():
            wrong.append({"file": entry.name, "problem": "a row is blank or of another width"})
        aliases = spec.aliases()
        for place, heading in enumerate(handed.header):
            column = spec.every().get(aliases.get(normal(heading), ""))
            if column is not None:
                wrong += _column(entry.name, heading, column, handed.lines[str(place)], style)
        for group in spec.one_of:
            there = [handed.column(name) == "" for name in group if name in handed.header]
            lost = int(pl.DataFrame([empty.alias(str(n)) for n, empty in enumerate(there)]).select(pl.all_horizontal(pl.all())).to_series().sum()) if there else 0
            if lost:
                wrong.append({"file": entry.name, "problem": f"none of {', '.join(group)}", "rows": lost})
    imports = sum(1 for entry in evidence.merged.files if entry.is_import)
    detail = f"{imports} import files; {len(evidence.merged.files) - imports} others follow our own neutral layout"
    return Check("schema", "Each file follows its template", not wrong, detail, True, tuple(wrong))


def _column(file: str, heading: str, column: Column, cells: pl.Series, style: str) -> Iterator[dict[str, Any]]:
    distinct = cells.unique().to_list() if column.values or column.type in {"decimal", "date"} else []
    empty = int((cells == "").sum())
    if column.required and empty:
        yield {"file": file, "problem": f"{heading} is empty", "rows": empty}
    distinct = [cell for cell in distinct if cell]
    if column.values and set(distinct) - set(column.values):
        yield {"file": file, "problem": f"{heading} is not in its closed list"}
    if column.type == "decimal" and any(not _PLAIN.fullmatch(cell) for cell in distinct):
        yield {"file": file, "problem": f"{heading} is not a plain number"}
    if column.type == "date" and any(not _is_date(cell, style) for cell in distinct):
        yield {"file": file, "problem": f"{heading} is not a date of the account's form"}


def _is_date(text: str, style: str) -> bool:
    try:
        return datetime.strptime(text, style).year >= 1000
    except ValueError:
        return False


def _references(evidence: Evidence) -> Check:
    """Every client, matter and user that a file names is there for the import to find."""
    wrong: list[dict[str, Any]] = []

    def columns(handed: Handed, *names: str) -> pl.DataFrame:
        there = all(name in handed.header for name in names)
        return pl.DataFrame({f"k{n}": handed.column(name) if there else [] for n, name in enumerate(names)}, schema={f"k{n}": pl.String for n in range(len(names))})

    def named(kind: str, *names: str) -> pl.DataFrame:
        schema = {f"k{n}": pl.String for n in range(len(names))}
        return pl.concat([pl.DataFrame(schema=schema), *(columns(handed, *names) for handed in evidence.handed(kind))]).unique()

    contacts = named("contacts", "first_name", "last_name", "company")
    people = contacts.filter((pl.col("k0") != "") | (pl.col("k1") != ""))
    numbers = named("matters", "custom_number")
    active = [user.name for user in evidence.migration.users if user.licence == "active"]
    for handed in evidence.handed("matters"):
        clients = columns(handed, "client_first_name", "client_last_name", "client_company_name")
        lost = clients.join(contacts, on=["k0", "k1", "k2"], how="anti").join(people, on=["k0", "k1"], how="anti").height
        wrong += [{"file": handed.name, "problem": "clients without a contact", "rows": lost}] if lost else []
    for name, heading in (("activities", "matter"), ("balances_forward", "matter"), ("trust_balances", "matter"), ("matter_notes", "matter"),
                          ("related_contacts", "matter"), ("tasks", "matter"), ("calendar_events", "matter"), ("matter_users", "matter")):  # fmt: skip
        for handed in evidence.handed(name):
            lost = columns(handed, heading).filter(pl.col("k0") != "").join(numbers, on="k0", how="anti").height
            wrong += [{"file": handed.name, "problem": "matters that are not in the matters file", "rows": lost}] if lost else []
    for name, heading in (("activities", "activity_user"), ("matter_users", "responsible_attorney"), ("matters", "responsible_attorney"),
                          ("tasks", "assignee"), ("calendar_events", "calendar")):  # fmt: skip
        for handed in evidence.handed(name):
            lost = columns(handed, heading).filter(~pl.col("k0").is_in(active)).height
            wrong += [{"file": handed.name, "problem": "users without an active licence", "rows": lost}] if lost else []
    return Check("references", "Every client, matter and user named is there", not wrong, f"{numbers.height} matters", True, tuple(wrong))


def _money(evidence: Evidence) -> Iterator[Check]:
    for line in money_lines(evidence):
        bad = [d for d in line["differences"] if not d["explained"]]
        passed = not bad and not (line["unread"] and line["type"] != "time_entry")
        told = "" if line["difference"] == "0.00" else ", every one explained" if not bad else ", not explained"
        detail = f"{line['exported']} exported − {line['not_taken']} not taken − {line['quarantined']} waiting = {line['carried']}; "
        detail += f"{line['written']} written, difference {line['difference']} {line['currency']}{told}"
        yield Check(f"money_{line['type']}", f"{line['title']}: every cent accounted for", passed, detail, True, tuple(bad[:50]))


def _all_hours(evidence: Evidence) -> Check:
    found = hours_line(evidence)
    detail = f"{found['exported']} exported, {found['written']} written, difference {found['difference']}"
    return Check("hours", "Unbilled time: every hour", Decimal(found["difference"]) == 0, detail)


def _reached(evidence: Evidence) -> Check:
    """Every distinct e-mail and telephone number of the cards is in the files, or on a card that waits."""
    emails, phones = [pl.Series([], dtype=pl.String)], [pl.Series([], dtype=pl.String)]
    for table in (t for t in evidence.split.tables if t.record == "contact"):
        raw = evidence.raw(table)
        place = evidence.places.filter((pl.col("table") == table.id) & (pl.col("place") == "carried")).select("row")
        kept = raw.join(place, on="row", how="semi")
        mapped = [c for c in table.columns if c.use == "mapped"]
        emails.append(recount.emails_in(recount.cells_of(kept, [f"c{c.place}" for c in mapped])))
        phones.append(recount.digits_in(recount.cells_of(kept, [f"c{c.place}" for c in mapped if RECORDS["contact"][c.field].type is Type.PHONE])))
    files = [handed.cells for name in ("contacts", "contact_details", "contact_custom_fields") for handed in evidence.handed(name)]
    out = pl.concat([pl.Series("cell", [], dtype=pl.String), *files])
    had, numbers = pl.concat(emails).unique(), pl.concat(phones).unique()
    lost = had.len() - int(had.is_in(recount.emails_in(out).implode()).sum()) + numbers.len() - int(numbers.is_in(recount.digits_in(out).implode()).sum())
    detail = f"{had.len()} e-mail addresses and {numbers.len()} telephone numbers, {lost} not found"
    return Check("contact_points", "All e-mail addresses and telephone numbers arrived", not lost, detail)


_AS_IS = {
    "title": "title", "job_title": "job_title", "first_name": "first_name", "last_name": "last_name", "company": "company",
    "city": "business_city", "state": "business_state", "postal_code": "business_postal_code",
}  # fmt: skip


@counted_once
def accuracy(evidence: Evidence) -> dict[str, Any]:
    """Client records compared field by field, source beside file: the share that is equal or changed by a named rule."""
    compared = equal = by_rule = 0
    differences: list[dict[str, Any]] = []
    files = evidence.handed("contacts")
    changed = evidence.changes.select("table", "row", "field").with_columns(pl.col("field").str.split("#").list.first())
    for table in (t for t in evidence.split.tables if t.record == "contact"):
        raw = evidence.raw(table)
        places = {c.field: c.place for c in table.columns if c.use == "mapped"}
        for handed in files:
            lines = handed.lines.rename({str(n): f"h:{name}" for n, name in enumerate(handed.header)}, strict=False).with_row_index("line", offset=2)
            lined = evidence.lineage.filter((pl.col("file") == handed.name) & (pl.col("table") == table.id))
            both = raw.join(lined, on="row").join(lines, on="line")
            for field_name, heading in _AS_IS.items():
                if field_name not in places or f"h:{heading}" not in both.columns:
                    continue
                before = pl.col(f"c{places[field_name]}").fill_null("")
                if field_name == "first_name" and "middle_name" in places:
                    before = pl.concat_str([pl.col(f"c{places[n]}") for n in ("first_name", "middle_name")], separator=" ", ignore_nulls=True)
                odd = both.filter((before != pl.col(f"h:{heading}")) & (before != ""))
                compared += both.filter(before != "").height
                rule = odd.join(changed.filter(pl.col("field") == field_name), left_on=["table", "row"], right_on=["table", "row"], how="semi")
                by_rule += rule.height
                left = odd.join(rule.select("row"), on="row", how="anti")
                differences += [{"table": table.id, "row": row, "field": field_name} for row in left["row"].to_list()]
    equal = compared - by_rule - len(differences)
    share = "100" if not differences else f"{100 * (equal + by_rule) / max(1, compared):.4f}"
    return {"compared": compared, "equal": equal, "by_rule": by_rule, "percent": share, "differences": differences}


def _accuracy(evidence: Evidence) -> Check:
    found = accuracy(evidence)
    detail = f"{found['percent']} % of {found['compared']} cells: {found['equal']} equal, {found['by_rule']} changed by a named rule"
    return Check("accuracy", "Client records, field by field", not found["differences"], detail, True, tuple(found["differences"][:50]))


def _control_totals(evidence: Evidence) -> Check:
    """The sums the reports print themselves. A difference is the old system's own, and worth a question."""
    wrong, compared = [], 0
    for table in evidence.split.tables:
        if not table.control_totals:
            continue
        raw = evidence.raw(table)
        places = {c.field: c.place for c in table.columns if c.use == "mapped"}
        sums = {field: Running(raw["row"], column_values(table, raw, field, places)) for field in {t.field for t in table.control_totals}}
        for total in table.control_totals:
            said = said_total(table, total.field, total.value)
            if said is None:
                continue
            compared += 1
            near, every = sums[total.field].between(total.first_row, total.row), sums[total.field].between(0, total.row)
            if said not in {near, every}:
                wrong.append({"table": table.id, "row": total.row, "field": total.field, "scope": total.scope})
    detail = f"{compared} totals printed by the reports"
    return Check("control_totals", "The reports' own totals are the sums of their rows", not wrong, detail, False, tuple(wrong[:50]))


_CHECKS: dict[str, Callable[[Evidence, Target], Check | Iterator[Check]]] = {
    "lines": lambda evidence, _: _lines(evidence),
    "rows": lambda evidence, _: _row_rule(evidence),
    "files": lambda evidence, _: _files(evidence),
    "schema": _schema,
    "references": lambda evidence, _: _references(evidence),
    "money": lambda evidence, _: _money(evidence),
    "hours": lambda evidence, _: _all_hours(evidence),
    "contact_points": lambda evidence, _: _reached(evidence),
    "accuracy": lambda evidence, _: _accuracy(evidence),
    "control_totals": lambda evidence, _: _control_totals(evidence),
}
