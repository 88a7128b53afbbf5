"""Access databases, where a converter is installed: the programs of mdbtools write each table as CSV, and that is read like any other.

They are programs of others that read foreign bytes, so they run with a limit of time and memory, in a folder of their own.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from caseferry.errors import ExportRefused
from caseferry.services.scratch import Scratch
from config.limits import ReadingLimits

_TABLES, _EXPORT = "mdb-tables", "mdb-export"


def tables_of(path: Path, name: str, limits: ReadingLimits, scratch: Scratch, refused: Callable[[str, str], None]) -> Iterator[tuple[str, Path]]:
    """Each table of a database by name, as a CSV file of UTF-8; days as 2024-05-31.

    Args:
        refused: takes the name of a table that can't be read, and why; the others go on.

    Raises:
        ExportRefused: no converter is installed, or it could not read the file.
    """
    if not shutil.which(_TABLES) or not shutil.which(_EXPORT):
        raise ExportRefused("CF-123", name, "an Access database: install mdbtools on the workers, or export its tables as CSV")
    listed = _run([_TABLES, "-1", str(path)], name, limits)
    for table in listed.decode("utf-8", "replace").splitlines():
        if table.strip():
            out = scratch.file()
            try:
                with out.open("wb") as to:
                    _run([_EXPORT, "-D", "%Y-%m-%d", "-T", "%Y-%m-%d %H:%M:%S", str(path), table], name, limits, to.fileno())
            except ExportRefused as refusal:
                refused(f"{name} › {table}", f"{refusal.code} {refusal.detail}")
                continue
            yield table, out


def _run(command: list[str], name: str, limits: ReadingLimits, to: int = subprocess.PIPE) -> bytes:
    program = shutil.which(command[0]) or command[0]
    limited = ["/bin/sh", "-c", 'ulimit -v "$0"; ulimit -c 0; exec "$@"', str(limits.memory_bytes >> 10), program, *command[1:]]
    try:
        done = subprocess.run(
            limited, stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.DEVNULL, timeout=limits.seconds, check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        )
    except subprocess.TimeoutExpired:
        raise ExportRefused("CF-130", name, "the converter did not end in time") from None
    if done.returncode:
        raise ExportRefused("CF-123", name, "the converter of Access databases could not read it")
    return done.stdout or b""

