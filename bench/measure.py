"""One program from its start to its end: CPU and wall seconds, and the memory of the largest process it ever was."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_EVERY = 0.05
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {"POLARS_MAX_THREADS": "1"}
"""Our modules are compiled once, as those of every installed package are; Polars has one thread a process, in ours and in the
floor, as workers run it."""


def measured(*words: object) -> dict[str, Any]:
    """Run `python -m WORDS`: what it printed, CPU and wall in seconds; its own largest memory, `memory`, and that of the
    largest of it and all it started, `largest`, in MB.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([sys.executable, "-m", *map(str, words)], stdout=said, cwd=ROOT, env=_ENVIRONMENT)
        watch = _Largest(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        largest = watch.stop()
        if status:
            raise SystemExit(f"{words[0]} ended with {status}")
        said.seek(0)
        printed = said.read()
    own = used.ru_maxrss >> 10
    return {
        "cpu": used.ru_utime + used.ru_stime, "wall": wall, "memory": own, "largest": max(own, largest), "said": json.loads(printed) if printed.strip() else {},
    }  # fmt: skip


class _Largest:
    """Looks again and again at the peak of each process below one."""

    def __init__(self, root: int) -> None:
        self._root, self._most, self._over = root, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(_EVERY):
            self._most = max(self._most, largest_below(self._root))

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._most


def largest_below(root: int) -> int:
    """The largest that a process, or one that descends from it and lives, ever was, in MB."""
    most = 0
    for process in below(root):
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            continue
        most = max(most, *(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM")), 0)
    return most


def below(root: int) -> set[int]:
    """A process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    found, more = {root}, True
    while more:
        children = {one for one, parent in parents.items() if parent in found} - found
        more = bool(children)
        found |= children
    return found


def fresh(scratch: Path) -> Path:
    """An empty folder, whatever was there."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return scratch
