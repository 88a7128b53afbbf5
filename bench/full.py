"""The sizes beyond a firm: ten times the work, a list of 10 GB, a workbook filled to its limit; and ten times the work on a stack.

    python -m bench.full [SIZE ...]

Each is one journey in one process over a folder, on disk, with the memory of every process it starts; `stack` is `huge` on a
warm stack of two processes, alone and with small firms beside it. A size that is run
again replaces its figures in bench/results/full.json. `long` needs some 70 GB of free disk.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.__main__ import on_a_stack
from bench.measure import ROOT, fresh, measured
from bench.page import FULL, STACK

SIZES = ("large", "huge", "sheets", "long", STACK)
_SMALL_RUNS = 5


def run(size: str, home: Path) -> dict[str, Any]:
    measured("bench.export", home, "huge" if size == STACK else size)
    if size == STACK:
        return dict(on_a_stack(home, _SMALL_RUNS))
    lists = sum(path.stat().st_size for path in (home / "lists").iterdir())
    scratch = home / "scratch"
    floors = {what: measured("bench.floor", what, home, fresh(scratch))["cpu"] for what in ("whole", "time")} if size in {"large", "huge"} else {}
    for path in (home / "lists").iterdir():
        path.unlink()  # the archive has them
    ours = measured("bench.journey", home, fresh(scratch) / "bucket")
    return {**ours["said"], "bytes": lists, "cpu": round(sum(ours["said"]["steps"].values()), 1), "wall": round(ours["wall"], 1), "memory": ours["memory"], "largest": ours["largest"], "floors": floors}


def main() -> None:
    known: dict[str, Any] = json.loads(FULL.read_text()) if FULL.exists() else {}
    for size in sys.argv[1:] or SIZES:
        with tempfile.TemporaryDirectory(prefix="caseferry-bench-") as home:
            os.environ["TMPDIR"] = home  # where the steps put what they can't hold
            tempfile.tempdir = None
            known[size] = run(size, Path(home))
        tempfile.tempdir = None
        FULL.parent.mkdir(exist_ok=True)
        FULL.write_text(json.dumps(known, indent=1) + "\n")
        print(json.dumps({size: known[size]}, indent=1), flush=True)
    print(f"`make bench` shows them in {(ROOT / 'docs' / 'performance.md').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
