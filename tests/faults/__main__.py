"""Run every campaign in full and write docs/reliability.md. Usage: python -m tests.faults [NAME …]

Two run side by side, each in a process of its own: one that starts workers, whose clocks are to be believed,
and, behind it in the line for the processor, one that does not. With names, only these run
again, and their results take the place of the last ones. Exit 1 if one fails.
"""

import datetime
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Queue
from typing import Any

import structlog

from tests.faults.campaign import all_campaigns, carry
from tests.faults.page import PAGE, RESULTS, known, render

_WITH_WORKERS = {"workers", "broker", "secrets"}
_LONGEST = 1500  # seconds; the longest takes ten minutes


def _alone(name: str) -> None:
    """Carry one campaign and say its result on a line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix=f"faults-{name[:20]}-"))
    result = carry(all_campaigns()[name], folder, full=True)
    shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result), flush=True)


def _apart(name: str) -> dict[str, Any]:
    """Carry one campaign in a process of its own, whose end is its result too."""
    began = time.monotonic()
    command = [*(() if _has_workers(name) else ("nice", "-n", "5")), sys.executable, "-m", "tests.faults", "--alone", name]
    try:
        said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=_LONGEST, check=True).stdout
        result: dict[str, Any] = json.loads(said.splitlines()[-1])
    except (subprocess.SubprocessError, IndexError, json.JSONDecodeError) as error:
        seconds = round(time.monotonic() - began, 1)
        result = {"rows": list(all_campaigns()[name].rows), "passed": False, "why": f"its process: {type(error).__name__}", "counts": {}, "seconds": seconds}
    return result


def _has_workers(name: str) -> bool:
    return all_campaigns()[name].run.__module__.rsplit(".", 1)[1] in _WITH_WORKERS


def _keep(results: dict[str, Any]) -> None:
    """Write down what is known by now: whoever stops a run keeps what it counted."""
    machine = f"{os.cpu_count()} shared cores, Python {platform.python_version()}, {platform.system()} {platform.release().split('-')[0]}"
    whole = {"day": datetime.datetime.now(datetime.UTC).date().isoformat(), "machine": machine, "campaigns": results}
    RESULTS.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(render(whole))


def _side_by_side(manned: list[str], others: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Two at a time, as they end: those with workers one after the other, the others beside them. Whoever is through with
    his own takes from the end of the rest; those with workers are nobody else's, for two of them would spoil both clocks.
    """
    waiting, ended = deque(others), Queue[tuple[str, dict[str, Any]]]()

    def first() -> None:
        for name in manned:
            ended.put((name, _apart(name)))
        while waiting:
            with suppress(IndexError):
                name = waiting.pop()
                ended.put((name, _apart(name)))

    def second() -> None:
        while waiting:
            with suppress(IndexError):
                name = waiting.popleft()
                ended.put((name, _apart(name)))

    lanes = [threading.Thread(target=lane) for lane in (first, second)]
    for lane in lanes:
        lane.start()
    for _ in range(len(manned) + len(others)):
        yield ended.get()
    for lane in lanes:
        lane.join()


def main() -> int:
    words = sys.argv[1:]
    if words[:1] == ["--alone"]:
        _alone(words[1])
        return 0
    campaigns = all_campaigns()
    before = known()["campaigns"] if RESULTS.is_file() else {}
    wanted = words or list(campaigns)
    began = time.monotonic()
    results: dict[str, Any] = dict(before) if words else {}
    for name, result in _side_by_side([name for name in wanted if _has_workers(name)], [name for name in wanted if not _has_workers(name)]):
        results[name] = result
        _keep({name: results[name] for name in campaigns if name in results})
        print(f"{'✓' if result['passed'] else '✗'} {time.monotonic() - began:6.0f} s  {','.join(map(str, result['rows'])):<10} {name}  {result['counts'] or result['why']}", flush=True)
    ordered = {name: results[name] for name in campaigns if name in results}
    failed = [name for name, result in ordered.items() if not result["passed"]]
    missing = [name for name in campaigns if name not in ordered]
    print(f"{len(ordered) - len(failed)} of {len(campaigns)} campaigns hold after {(time.monotonic() - began) / 60:.1f} min" + (f"; not: {failed + missing}" if failed or missing else ""))
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
