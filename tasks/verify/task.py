"""Count again, judge, and write the proof: the ledger is written last, and from it the reports for people."""

from caseferry.canonical import to_json
from caseferry.manifest import Intake, Merged, Split
from caseferry.services.scratch import Scratch
from caseferry.services.store import Sending
from tasks.journey import Ticket
from tasks.stage import Services, migration_of, read_json, read_model, run_of
from tasks.verify.evidence import Evidence
from tasks.verify.ledger import make_ledger, target_ledgers
from tasks.verify.proof import Proof
from tasks.verify.report_html import report_html
from tasks.verify.report_xlsx import report_xlsx


def verify(services: Services, ticket: Ticket) -> None:
    """Make `4-verify/ledger.json`, with `report.html`, `report.xlsx`, `changes.csv.gz`, `findings.csv.gz` and `sample.json` beside it."""
    store, run = services.store, run_of(ticket)
    evidence = Evidence(
        store, run, migration_of(store, run),
        read_model(store, run.at("0-original", "manifest.json"), Intake),
        read_model(store, run.at("1-split", "tables.json"), Split),
        read_model(store, run.at("3-merge", "manifest.json"), Merged),
        services.settings.limits,
    )  # fmt: skip
    with Scratch() as scratch, Sending(store) as sending:  # the logs are large, and go while the reports are made
        proof = Proof(evidence, scratch)
        proof.see(evidence.batches())
        ledger = make_ledger(proof, read_json(store, run.at("1-split", "quality.json")))
        for log in (proof.changes, proof.findings):
            sending.send(run.at("4-verify", f"{log.kind}.csv.gz"), log.log)
        store.put_once(run.at("4-verify", "sample.json"), to_json(proof.sample.found))
        store.put_once(run.at("4-verify", "report.html"), report_html(ledger, proof).encode())
        store.put_once(run.at("4-verify", "report.xlsx"), report_xlsx(ledger, proof))
        for one in target_ledgers(proof):
            store.put_once(run.at("4-verify", "targets", f"{one['target']}.json"), to_json(one))
    store.put_once(run.at("4-verify", "ledger.json"), to_json(ledger))
