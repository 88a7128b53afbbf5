"""The part phase alone, by one process and by two: `python -m bench.parts FOLDER OUT`. Prints JSON: wall seconds of each.

Every process is as a warm worker is: everything is imported, it has transformed one part before the clock starts, and
Polars has one thread (`workers.app`).
"""

import json
import logging
import multiprocessing
import os
import shutil
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from tasks.journey import Ticket
    from tasks.stage import Services


@cache
def services(bucket: Path) -> "Services":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    from caseferry.services.folder import FolderStore
    from workers.commands.crossing import local_services

    return local_services(FolderStore(bucket))


def one(job: "tuple[Path, Ticket]") -> bool:
    from tasks.stage import perform

    return perform(services(job[0]), job[1])


def split_up(folder: Path, bucket: Path) -> "list[Ticket]":
    """Carry a run on until its parts lie ready."""
    from tasks.intake.arrive import arrive
    from tasks.journey import next_steps
    from tasks.stage import perform, present, run_of

    here = services(bucket)
    here.store.put("drops/bench/one/migration.json", (folder / "migration.json").read_bytes())
    here.store.put("drops/bench/one/export.zip", (folder / "export.zip").read_bytes())
    tickets = arrive(here, "drops/bench/one/export.zip")
    run = run_of(tickets[0])
    while tickets[0].step != "transform":
        assert perform(here, tickets[0])
        tickets = next_steps((run.firm, run.migration, run.run), present(here.store, run))
    sizes = {stat.key.rsplit("/", 1)[1].removesuffix(".zip"): stat.size for stat in here.store.listing(run.at("1-split", "parts") + "/")}
    return sorted(tickets, key=lambda ticket: -sizes[ticket.part])


def main(folder: Path, out: Path) -> dict[str, float]:
    seconds = {}
    os.environ["POLARS_MAX_THREADS"] = "1"  # of the processes to come
    tickets = split_up(folder, out / "bucket")
    for processes in (1, 2):
        warm, cold = out / f"warm-{processes}", out / f"cold-{processes}"
        for bucket in (warm, cold):
            shutil.copytree(out / "bucket", bucket)
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            assert all(pool.map(one, [(warm, ticket) for ticket in tickets[: 2 * processes]], chunksize=1))
            began = time.monotonic()
            assert all(pool.imap_unordered(one, [(cold, ticket) for ticket in tickets], chunksize=1))
            seconds[str(processes)] = time.monotonic() - began
        shutil.rmtree(cold)
        shutil.rmtree(warm)
    return seconds


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
