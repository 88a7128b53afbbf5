"""The whole proven journey in one process, over a folder: `python -m bench.journey FOLDER OUT [apart]`, with `apart` as for many
workers, who lay batches side by side. Prints JSON: CPU seconds
of each step, its readers' included, of them `entries` for the parts of time entries; what each step asked the store for, and
the bytes that it put and got.
"""

import json
import logging
import os
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

import workers  # noqa: F401  the first of ours, as in every process
from caseferry.services.s3join import COPY, laid_behind
from caseferry.services.store import length_of


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


WRITES = {"put", "put_once", "put_file", "swap", "listing", "delete", "join"}
"""What an object store counts, and charges, as a write."""
_READS = {"get", "get_tagged", "save", "get_range", "stat"}


def counted(store: Any, requests: Counter[tuple[str, str]], step: list[str]) -> Any:
    """The store, with each request of a step counted as a read or a write, and the bytes that went either way."""
    counting_at = threading.Lock()

    def counting(name: str) -> Callable[..., Any]:
        real, kind = getattr(store, name), "writes" if name in WRITES else "reads"

        def asked(*words: Any) -> Any:
            found = real(*words)
            with counting_at:  # several requests of a step are under way together
                requests[step[0], kind] += 2 + len(list(laid_behind(*words[1:], COPY))) if name == "join" else 1
                if name in WRITES - {"listing", "delete", "join"}:
                    requests[step[0], "bytes_put"] += length_of(words[1])
                elif name in {"get", "get_range", "save"}:
                    requests[step[0], "bytes_got"] += length_of(words[1] if name == "save" else found)
            return found

        return asked

    for name in (*WRITES, *_READS):
        setattr(store, name, counting(name))
    return store


def main(folder: Path, out: Path, is_apart: bool = False) -> dict[str, object]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    from caseferry.services.folder import FolderStore
    from tasks.intake.arrive import arrive
    from tasks.journey import next_steps
    from tasks.stage import perform, present, run_of
    from workers.commands.crossing import local_services

    requests, now_at = Counter[tuple[str, str]](), ["start"]
    services = local_services(counted(FolderStore(out), requests, now_at))
    if is_apart:
        work = services.settings.work.model_copy(update={"lay_window": 8})
        services = replace(services, settings=services.settings.model_copy(update={"work": work}))
    services.store.put("drops/bench/one/migration.json", (folder / "migration.json").read_bytes())
    services.store.put("drops/bench/one/export.zip", (folder / "export.zip").read_bytes())
    tickets = arrive(services, "drops/bench/one/export.zip")
    before = spent()
    run, steps, parts = run_of(tickets[0]), {"start": round(before, 2)}, Counter[str]()
    walls: dict[str, float] = {}
    entries = 0.0
    while tickets:
        for ticket in tickets:
            now_at[0] = ticket.step
            parts[ticket.step] += 1
            began = time.monotonic()
            assert perform(services, ticket), ticket.name
            walls[ticket.step] = round(walls.get(ticket.step, 0) + time.monotonic() - began, 2)
            now = spent()
            if "-time-" in ticket.part:
                entries += now - before
            steps[ticket.step], before = round(steps.get(ticket.step, 0) + now - before, 2), now
        tickets = next_steps((run.firm, run.migration, run.run), present(services.store, run))
    ledger = json.loads(services.store.get(run.at("4-verify", "ledger.json")))
    wanted = json.loads((folder / "expected.json").read_text())
    work = next(line for line in ledger["types"] if line["record"] == "time_entry")
    assert all(work[place] == wanted[place] for place in ("carried", "excluded", "quarantined")), work
    written = next(line for line in ledger["money"] if line["type"] == "time_entry")["written"]
    assert written.replace(".", "") == str(wanted["cents"]), written
    rows = sum(line["read"] for line in ledger["types"])
    assert rows == json.loads((folder / "rows.json").read_text()), rows
    asked = {name: {kind: requests[name, kind] for kind in ("reads", "writes", "bytes_put", "bytes_got")} for name in parts}
    return {"steps": steps, "entries": round(entries, 2), "walls": walls, "tasks": parts, "requests": asked, "rows": rows, "state": ledger["state"]}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), "apart" in sys.argv)))
