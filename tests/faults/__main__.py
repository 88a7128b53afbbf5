"""Run every campaign in full and write docs/reliability.md. Usage: python -m tests.faults [NAME …]

Two run side by side: those that start servers and workers, and those that need one process alone. With names, only
these run again, and their results take the place of the last ones. Exit 1 if one fails.
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
import time
from pathlib import Path
from typing import Any

import structlog

from tests.faults.campaign import all_campaigns, carry
from tests.faults.page import PAGE, RESULTS, known, render

_WITH_SERVERS = {"workers", "broker", "storage", "secrets"}


def _lane(names: list[str]) -> None:
    """Carry some campaigns one after the other, and say each result on a line of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    campaigns = all_campaigns()
    for name in names:
        folder = Path(tempfile.mkdtemp(prefix=f"faults-{name[:20]}-"))
        result = carry(campaigns[name], folder, full=True)
        shutil.rmtree(folder, ignore_errors=True)
        print(json.dumps({"name": name, **result}), flush=True)


def main() -> int:
    words = sys.argv[1:]
    if words[:1] == ["--lane"]:
        _lane(words[1:])
        return 0
    campaigns = all_campaigns()
    wanted = words or list(campaigns)
    lanes = [[n for n in wanted if (campaigns[n].run.__module__.rsplit(".", 1)[1] in _WITH_SERVERS) is served] for served in (True, False)]
    began = time.monotonic()
    processes = [
        subprocess.Popen([sys.executable, "-m", "tests.faults", "--lane", *lane], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for lane in lanes if lane
    ]
    results: dict[str, Any] = {}
    import selectors

    watch = selectors.DefaultSelector()
    for process in processes:
        watch.register(process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
    while watch.get_map():
        for key, _ in watch.select():
            line = key.fileobj.readline()  # type: ignore[union-attr]
            if not line:
                watch.unregister(key.fileobj)
                continue
            result = json.loads(line)
            name = result.pop("name")
            results[name] = result
            print(f"{'✓' if result['passed'] else '✗'} {time.monotonic() - began:6.0f} s  {','.join(map(str, result['rows'])):<10} {name}  {result['counts'] or result['why']}", flush=True)
    before = known()["campaigns"] if words and RESULTS.is_file() else {}
    results = {name: result for name, result in before.items() if name not in wanted} | results
    ordered = {name: results[name] for name in campaigns if name in results}
    machine = f"{os.cpu_count()} shared cores, Python {platform.python_version()}, {platform.system()} {platform.release().split('-')[0]}"
    whole = {"day": datetime.datetime.now(datetime.UTC).date().isoformat(), "machine": machine, "campaigns": ordered}
    RESULTS.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(render(whole))
    failed = [name for name, result in ordered.items() if not result["passed"]]
    missing = [name for name in campaigns if name not in ordered]
    print(f"{len(ordered) - len(failed)} of {len(campaigns)} campaigns hold after {(time.monotonic() - began) / 60:.1f} min" + (f"; not: {failed + missing}" if failed or missing else ""))
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
