"""Measure ours, the floor and the peers side by side; write bench/results/ and docs/performance.md.

    python -m bench [--size large] [--peers large] [--rounds 3] [--no-stack]

Each figure is a whole process: its CPU seconds, its wall, its largest memory. Rounds go through all of them in turn and
ratios are taken within a round, because the machine drifts. Everything lies in memory (/dev/shm) where there is one.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.measure import ROOT, fresh, largest_below, measured
from bench.page import LOGGED, PAGE, PEERS, render

RESULTS = ROOT / "bench" / "results"
SLOW = {"pydantic_rows", "petl_tables", "plain_csv", "dlt_pages", "singer_pipe"}
"""Measured once: what they are off by is more than what the machine drifts."""
SIZES = ("small", "middle", "large")
VERSIONS = ("polars", "duckdb", "pandas", "petl", "dlt", "singer-sdk", "pydantic", "pyarrow", "isal")
_SMALL, _WHOLE = 20, 3
"""Small firms that come while a large one is on its way; large ones that come alone."""


def journeys(folder: Path, scratch: Path, rounds: int) -> list[dict[str, Any]]:
    """The whole journey and the whole floor, in turn."""
    found = []
    for _ in range(rounds):
        out = fresh(scratch)
        floor = measured("bench.floor", "whole", folder, out)
        ours = measured("bench.journey", folder, fresh(scratch) / "bucket")
        ours["cpu"] = sum(ours["said"]["steps"].values())  # with that of its readers, who are not waited for
        found.append({"floor": floor, "ours": ours})
    return found


def work(folder: Path, scratch: Path, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """The transform of time entries alone, by each; what each counted must be what the generator knows."""
    wanted = json.loads((folder / "expected.json").read_text())
    found: dict[str, list[dict[str, Any]]] = {}
    for number in range(rounds):
        for name in ("time", "duckdb", "copy"):
            found.setdefault(f"floor: {name}", []).append(measured("bench.floor", name, folder, fresh(scratch)))
        for name in ("caseferry_parts", *PEERS):
            if number and name in SLOW:
                continue
            one = measured(f"bench.peers.{name}", folder / "lists", fresh(scratch))
            assert one["said"] == wanted, (name, one["said"], wanted)
            found.setdefault(name, []).append(one)
        for name in LOGGED:
            if not number or name not in SLOW:
                found.setdefault(f"{name} log", []).append(measured(f"bench.peers.{name}", folder / "lists", fresh(scratch), "log"))
    return found


def on_a_stack(large: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds from upload to verified on a warm stack of two processes: the sample firm alone, the large one, and the
    sample firm again and again while the large one is on its way; and the MB of the largest process there ever was.
    """
    from tests.conftest import SAMPLE
    from tests.journey.stack import Up, up

    def send(running: Up, where: str, folder: Path, name: str) -> float:
        running.upload(where, {"migration.json": (folder / "migration.json").read_bytes()})
        began = time.monotonic()
        running.upload(where, {"export.zip": (folder / name).read_bytes()})
        return began

    def took(running: Up, where: str, folder: Path, name: str) -> float:
        began = send(running, where, folder, name)
        running.wait_for(where, "4-verify/ledger.json", 900)
        return time.monotonic() - began

    with tempfile.TemporaryDirectory() as state, up(Path(state) / "state") as running:
        took(running, "warm/one", SAMPLE, "LEAP-export.zip")
        alone = [took(running, f"alone{n}/one", SAMPLE, "LEAP-export.zip") for n in range(rounds)]
        whole = [took(running, f"whole{n}/one", large, "export.zip") for n in range(_WHOLE)]
        beside: list[float] = []
        number = 0
        while len(beside) < _SMALL and number < 3:  # a firm that is through before all have come makes way for another
            number += 1
            send(running, f"large{number}/one", large, "export.zip")
            running.wait_for(f"large{number}/one", "0-original/manifest.json", 300)
            while len(beside) < _SMALL and not any(key.endswith("4-verify/ledger.json") for key in running.keys(f"large{number}/one")):
                beside.append(took(running, f"beside{len(beside)}/one", SAMPLE, "LEAP-export.zip"))
            running.wait_for(f"large{number}/one", "4-verify/ledger.json", 900)
        largest = largest_below(running.process.pid)
    return {"sample": alone, "large": whole, "beside": beside, "largest": [largest], "longest": [len(whole) + number]}


def help_seconds(rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "workers.commands", "--help"], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        times.append(time.monotonic() - began)
    return statistics.median(times)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--size", choices=SIZES, default="large")
    words.add_argument("--peers", choices=SIZES, default="large")
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--no-stack", action="store_true")
    given = words.parse_args()
    memory = Path("/dev/shm")  # noqa: S108  a folder of ours is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="caseferry-bench-") as folder:
        home, scratch = Path(folder), Path(folder) / "scratch"
        for size in {"small", given.size, given.peers}:
            measured("bench.export", home / size, size)
        results: dict[str, Any] = {
            "day": datetime.datetime.now(datetime.UTC).date().isoformat(), "size": given.size, "peers": given.peers, "rounds": given.rounds,
            "machine": f"{os.cpu_count()} shared cores, {platform.machine()}, Python {platform.python_version()}",
            "versions": {name: importlib.metadata.version(name) for name in VERSIONS},
            "journey": journeys(home / given.size, scratch, given.rounds), "small": journeys(home / "small", scratch, 1)[0]["ours"],
            "apart": measured("bench.journey", home / given.size, fresh(scratch) / "bucket", "apart")["said"],
            "parts": [measured("bench.parts", home / given.size, fresh(scratch))["said"] for _ in range(given.rounds)], "time entries": work(home / given.peers, scratch, given.rounds),
            "fields": measured("bench.fields")["said"], "help": help_seconds(given.rounds),
        }  # fmt: skip
        if not given.no_stack:
            results["stack"] = on_a_stack(home / given.size, 5)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{given.size}.json").write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(render(results))
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
