"""Count again, judge, and write the proof: the ledger is written last, and from it the reports for people."""

import io

import polars as pl

from caseferry.canonical import to_json
from caseferry.manifest import Intake, Merged, Split
from caseferry.mapping.target import load_target
from tasks.journey import Ticket
from tasks.stage import Services, migration_of, read_json, read_model, run_of
from tasks.verify.checks import run_checks
from tasks.verify.evidence import Evidence
from tasks.verify.ledger import deadlines, make_ledger
from tasks.verify.report_html import report_html
from tasks.verify.report_xlsx import report_xlsx
from tasks.verify.sample import draw_sample


def verify(services: Services, ticket: Ticket) -> None:
    """Make `4-verify/ledger.json`, with `report.html`, `report.xlsx`, `changes.csv`, `findings.csv` and `sample.json` beside it."""
    store, run = services.store, run_of(ticket)
    evidence = Evidence(
        store, run, migration_of(store, run),
        read_model(store, run.at("0-original", "manifest.json"), Intake),
        read_model(store, run.at("1-split", "tables.json"), Split),
        read_model(store, run.at("3-merge", "manifest.json"), Merged),
        services.settings.limits,
    )  # fmt: skip
    checks = run_checks(evidence, load_target(evidence.migration.target))
    ledger = make_ledger(evidence, checks, read_json(store, run.at("1-split", "quality.json")))
    sample = draw_sample(evidence, evidence.migration.options.sample_seed)
    due = deadlines(evidence)
    store.put_once(run.at("4-verify", "sample.json"), to_json(sample))
    store.put_once(run.at("4-verify", "report.html"), report_html(ledger, sample, due, evidence).encode())
    store.put_once(run.at("4-verify", "changes.csv"), _log(evidence, evidence.changes_of, "field", "heading", "before", "after", "rule"))
    store.put_once(run.at("4-verify", "findings.csv"), _log(evidence, evidence.findings_of, "field", "heading", "rule", "outcome", "value", "proposal"))
    store.put_once(run.at("4-verify", "report.xlsx"), report_xlsx(ledger, sample, due, evidence))
    store.put_once(run.at("4-verify", "ledger.json"), to_json(ledger))


def _log(evidence: Evidence, notes: dict[str, pl.DataFrame], *columns: str) -> bytes:
    """Every note: file, sheet, row, and what there is to say. A machine file: no byte of a value altered."""
    where = {table.id: (table.file, table.sheet) for table in evidence.split.tables}
    buffer = io.BytesIO()
    buffer.write(b"\xef\xbb\xbf")
    head = True
    for table, some in notes.items():
        file, sheet = where.get(table, ("", ""))
        log = some.select(pl.lit(file).alias("file"), pl.lit(sheet).alias("sheet"), "row", *columns)
        log.write_csv(buffer, include_header=head, quote_style="non_numeric", line_terminator="\r\n")
        head = False
    return buffer.getvalue()
