"""Measure, and write bench/results.md. Usage: python -m bench [--clients 5000] [--rounds 3]

Floor: unzip the same export and parse and rewrite each of its lists, nothing else. Peer: the same pass row by row with
the standard library. Ours: the whole proven journey in one process. Then the stack: upload to verified, warm.
"""

import argparse
import csv
import io
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]


def cpu() -> float:
    mine, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + below.ru_utime + below.ru_stime


def polars_pass(data: bytes) -> None:
    """Every delimited list read and written by Polars, every workbook read by calamine."""
    import polars as pl
    from python_calamine import CalamineWorkbook

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            plain = archive.read(name)
            if name.endswith((".csv", ".txt")):
                text = plain.decode("utf-16") if plain[:2] == b"\xff\xfe" else plain.decode("cp1252", errors="replace")
                pl.read_csv(text.encode(), has_header=True, infer_schema=False, truncate_ragged_lines=True, quote_char=None).write_csv(io.BytesIO())
            elif name.endswith(".xlsx"):
                book = CalamineWorkbook.from_filelike(io.BytesIO(plain))
                for sheet in book.sheet_names:
                    book.get_sheet_by_name(sheet).to_python()


def row_pass(data: bytes) -> None:
    """The same, a row at a time, with the standard library and no workbooks."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            plain = archive.read(name)
            if name.endswith((".csv", ".txt")):
                text = plain.decode("utf-16") if plain[:2] == b"\xff\xfe" else plain.decode("cp1252", errors="replace")
                csv.writer(io.StringIO()).writerows(csv.reader(io.StringIO(text, newline="")))


def journey(data: bytes, choices: bytes) -> None:
    from caseferry.services.folder import FolderStore
    from tasks.intake.arrive import arrive
    from tasks.stage import run_of
    from workers.commands.crossing import local_services
    from workers.inprocess import cross

    with tempfile.TemporaryDirectory() as folder:
        services = local_services(FolderStore(Path(folder)))
        services.store.put("drops/bench/one/migration.json", choices)
        services.store.put("drops/bench/one/export.zip", data)
        state = cross(services, run_of(arrive(services, "drops/bench/one/export.zip")[0]))
        assert state == "completed_with_differences", state


def timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, used = time.monotonic(), cpu()
    work()
    return time.monotonic() - wall, cpu() - used


def stack_seconds(rounds: int) -> list[float]:
    """Upload to verified on a running stack; the first round warms it and does not count."""
    from tests.conftest import SAMPLE
    from tests.journey.stack import up

    seconds = []
    with tempfile.TemporaryDirectory() as folder, up(Path(folder) / "state") as running:
        for number in range(rounds + 1):
            where = f"firm{number}/one"
            running.upload(where, {"migration.json": (SAMPLE / "migration.json").read_bytes()})
            started = time.monotonic()
            running.upload(where, {"LEAP-export.zip": (SAMPLE / "LEAP-export.zip").read_bytes()})
            running.wait_for(where, "4-verify/ledger.json", 120)
            seconds.append(time.monotonic() - started)
    return seconds[1:]


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--clients", type=int, default=5000)
    words.add_argument("--rounds", type=int, default=3)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "samples.generate", folder, "--clients", str(given.clients)], check=True, cwd=ROOT)
        data, choices = (Path(folder) / "LEAP-export.zip").read_bytes(), (Path(folder) / "migration.json").read_bytes()
        rows = sum(t["read"] for t in json.loads((Path(folder) / "expected.json").read_text())["types"].values())
    polars_pass(data)  # imports and caches are not what is measured
    rounds = [[timed(lambda: polars_pass(data)), timed(lambda: row_pass(data)), timed(lambda: journey(data, choices))] for _ in range(given.rounds)]
    ratio = sorted(ours[1] / floor[1] for floor, _, ours in rounds)
    plain = sorted(ours[1] / rowwise[1] for _, rowwise, ours in rounds)
    ours = [r[2] for r in rounds]
    warm = sorted(stack_seconds(5))
    lines = [
        "# Speed", "", f"`python -m bench --clients {given.clients} --rounds {given.rounds}` on {platform.machine()}, Python {platform.python_version()}, shared cores. CPU seconds of the process and its children.", "",
        "| what | figure |", "|---|---|",
        f"| export | {given.clients:,} clients, {rows:,} rows, {len(data) / 1e6:.1f} MB zipped |",
        f"| whole proven journey against parse-and-rewrite of the same lists (Polars, calamine) | {statistics.median(ratio):.1f}x CPU ({ratio[0]:.1f}–{ratio[-1]:.1f}) |",
        f"| … against the standard library's csv, a row at a time, workbooks left out | {statistics.median(plain):.1f}x CPU ({plain[0]:.1f}–{plain[-1]:.1f}) |",
        f"| rows per CPU second, whole journey | {rows / statistics.median(o[1] for o in ours):,.0f} |",
        f"| wall, one process | {statistics.median(o[0] for o in ours):.1f} s |",
        f"| 500-client sample, upload to verified, warm stack of two processes | {statistics.median(warm):.1f} s ({warm[0]:.1f}–{warm[-1]:.1f}, n={len(warm)}) |", "",
    ]  # fmt: skip
    (ROOT / "bench" / "results.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
