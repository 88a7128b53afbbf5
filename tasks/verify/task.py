"""Count again, judge, and write the proof: the ledger is written last, and from it the reports for people.

Where there is more than one batch, what is to be seen of them is counted by tasks of their own, side by side, and only added
up in the end; the lines of a long list are counted while the merge is still at work. A run of one batch, and one with mapped
targets, is counted by whoever writes the proof.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from caseferry.canonical import to_json
from caseferry.manifest import Intake, Merged, Split
from caseferry.services.scratch import Scratch
from caseferry.services.store import Sending
from tasks.journey import LINES, STEPS, Ticket, batches_of, counted_apart
from tasks.once import read_kept, read_model, write_once
from tasks.stage import Services, migration_of, run_of
from tasks.verify import seen
from tasks.verify.evidence import Evidence, Originals
from tasks.verify.ledger import make_ledger, target_ledgers
from tasks.verify.log import Log
from tasks.verify.proof import Proof, lines_of
from tasks.verify.report_html import report_html
from tasks.verify.report_xlsx import report_xlsx

_AHEAD = 4
"""What others counted that is fetched at a time."""


def count(services: Services, ticket: Ticket) -> None:
    """Make `4-verify/counted/<part>.zip`: what is to be seen of some batches, of the originals' lines, or of the files from end
    to end. Of the logs, which lie beside the ledger then, there is nothing more to say."""
    found = lines_of(_originals(services, ticket)) if ticket.part == LINES else _seen(services, ticket)
    services.store.put_once(run_of(ticket).home + STEPS["count"].makes.format(part=ticket.part), seen.written(found))


def _seen(services: Services, ticket: Ticket) -> dict[str, seen.Seen]:
    with Scratch() as scratch:
        proof = Proof(_evidence(services, ticket), scratch)
        if ticket.part == "files":
            return proof.files()
        if ticket.part == "logs":
            proof.log()
            with Sending(services.store) as sending:
                for log in proof.logs:
                    key = _log_key(ticket, log)
                    sending.send(key, log.packed(partial(sending.grow, key)))
            return {}
        return proof.seen(*batches_of(ticket.part))


def verify(services: Services, ticket: Ticket) -> None:
    """Make `4-verify/ledger.json`, with `report.html`, `report.xlsx`, `changes.csv.gz`, `findings.csv.gz` and `sample.json` beside it."""
    store, run = services.store, run_of(ticket)
    evidence = _evidence(services, ticket)
    apart = _counted(services, ticket, evidence)
    with Scratch() as scratch, Sending(store) as sending:  # what is made goes while the next is
        proof = Proof(evidence, scratch)
        _add_up(services, ticket, proof, apart)
        if set(apart) <= {LINES}:
            proof.see()
            _send_logs(proof, services, ticket, sending)
        ledger = make_ledger(proof, read_kept(store, run.at("1-split", "quality.json")))
        sending.put(run.at("4-verify", "sample.json"), to_json(proof.sample.found))
        sending.put(run.at("4-verify", "report.html"), report_html(ledger, proof).encode())
        for one in target_ledgers(proof):
            sending.put(run.at("4-verify", "targets", f"{one['target']}.json"), to_json(one))
        sending.put(run.at("4-verify", "report.xlsx"), report_xlsx(ledger, proof))
    write_once(store, run.at("4-verify", "ledger.json"), to_json(ledger))


def _originals(services: Services, ticket: Ticket) -> Originals:
    store, run = services.store, run_of(ticket)
    intake, split = read_model(store, run.at("0-original", "manifest.json"), Intake), read_model(store, run.at("1-split", "tables.json"), Split)
    return Originals(store, intake, split, services.settings.limits)


def _evidence(services: Services, ticket: Ticket) -> Evidence:
    store, run = services.store, run_of(ticket)
    return Evidence(
        store, run, migration_of(store, run, services.seen),
        read_model(store, run.at("0-original", "manifest.json"), Intake),
        read_model(store, run.at("1-split", "tables.json"), Split),
        read_model(store, run.at("3-merge", "manifest.json"), Merged),
        services.settings.limits,
    )  # fmt: skip


def _counted(services: Services, ticket: Ticket, evidence: Evidence) -> list[str]:
    """What others have counted, if it is all there is to count by itself; else no more than the lines."""
    parts = [part for table in evidence.split.tables for part in table.parts]
    apart, home = counted_apart(parts, len(evidence.merged.batches), bool(evidence.merged.fits)), run_of(ticket).home
    makes = STEPS["count"].makes
    there = {stat.key for stat in services.store.listing(home + makes.split("{part}", 1)[0])} if apart else set[str]()
    done = [part for part in apart if home + makes.format(part=part) in there]
    return done if done == apart else [part for part in done if part == LINES]


def _add_up(services: Services, ticket: Ticket, proof: Proof, apart: list[str]) -> None:
    """Add up what was counted, in the order of the batches."""
    home = run_of(ticket).home
    with ThreadPoolExecutor(_AHEAD) as pool:
        for start in range(0, len(apart), _AHEAD):
            keys = [home + STEPS["count"].makes.format(part=part) for part in apart[start : start + _AHEAD]]
            for data in pool.map(services.store.get, keys):
                proof.add(seen.read(data))


def _send_logs(proof: Proof, services: Services, ticket: Ticket, sending: Sending) -> None:
    for log in proof.logs:
        sending.send(_log_key(ticket, log), log.packed)


def _log_key(ticket: Ticket, log: Log) -> str:
    return run_of(ticket).at("4-verify", f"{log.kind}.csv.gz")
