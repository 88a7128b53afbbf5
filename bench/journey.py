"""The whole proven journey in one process, over a folder: `python -m bench.journey FOLDER OUT`. Prints JSON: CPU seconds
of each step, its readers' included.
"""

import json
import logging
import os
import resource
import sys
from pathlib import Path

import structlog


def spent() -> float:
    """CPU seconds of this process, of its children, and of theirs."""
    ticks = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(words[1]) == os.getpid():
                ticks += sum(int(word) for word in words[11:15])
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def main(folder: Path, out: Path) -> dict[str, object]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    from caseferry.services.folder import FolderStore
    from tasks.intake.arrive import arrive
    from tasks.journey import next_steps
    from tasks.stage import perform, present, run_of
    from workers.commands.crossing import local_services

    services = local_services(FolderStore(out))
    services.store.put("drops/bench/one/migration.json", (folder / "migration.json").read_bytes())
    services.store.put("drops/bench/one/export.zip", (folder / "export.zip").read_bytes())
    tickets = arrive(services, "drops/bench/one/export.zip")
    before = spent()
    run, steps = run_of(tickets[0]), {"start": round(before, 2)}
    while tickets:
        for ticket in tickets:
            assert perform(services, ticket), ticket.name
            now = spent()
            steps[ticket.step], before = round(steps.get(ticket.step, 0) + now - before, 2), now
        tickets = next_steps((run.firm, run.migration, run.run), present(services.store, run))
    ledger = json.loads(services.store.get(run.at("4-verify", "ledger.json")))
    wanted = json.loads((folder / "expected.json").read_text())
    work = next(line for line in ledger["types"] if line["record"] == "time_entry")
    assert all(work[place] == wanted[place] for place in ("carried", "excluded", "quarantined")), work
    written = next(line for line in ledger["money"] if line["type"] == "time_entry")["written"]
    assert written.replace(".", "") == str(wanted["cents"]), written
    return {"steps": steps, "rows": sum(line["read"] for line in ledger["types"]), "state": ledger["state"]}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
