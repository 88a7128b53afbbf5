"""Access databases, where a converter is installed: the programs of mdbtools write each table as CSV, and that is read like any other.

They are programs of others that read foreign bytes, so they run with limits of time, memory and output, in a process group of their
own, and what they complain of is listened to: where a page is damaged they go on and write what was never there.
"""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from caseferry.errors import ExportRefused
from caseferry.services.scratch import Scratch
from config.limits import ReadingLimits

_TABLES, _EXPORT, _SCHEMA = "mdb-tables", "mdb-export", "mdb-schema"
_FILE = "<the database>"
_OWN = ("MSys", "~TMP", "~sq_")
"""How Access begins the names of tables that are its own."""
_LOCKED = "it is locked with a password, encrypted or damaged: open it in Access, take the password away, and send it again"
_COMPLAINTS = 64 << 10
"""Bytes of complaints that are read; who complains more reads rubbish."""
_ODD_TYPE = re.compile(rb"unsupported data type (\d+)")
_BINARY = re.compile(r"^\t\[.*\]\s+(?:OLE|Binary)\b", re.MULTILINE)
_UNKNOWN = re.compile(r"^\t\[.*\]\s+Unknown", re.MULTILINE)
"""Attachments and columns of several values, of which the converter writes a number of its own; and days of the extended kind."""
_NO_DAY = b"1900-01-00"
"""What the converter writes for a day it can't tell: one before 1900, or after 9999."""

_MEASURED = re.compile(r"^\t\[(.*)\]\s+(DateTime|Single|Double)\b", re.MULTILINE)
Refused = Callable[[str, str], None]
Noted = Callable[[str, str, int], None]


@dataclass(frozen=True)
class Made:
    """What was made of one table."""

    table: str
    path: Path
    """A CSV file of UTF-8, a header first; moments as 2024-05-31 09:30:00."""
    kinds: dict[str, str]
    """Of the columns that hold moments and broken numbers, what they are: `DateTime`, `Single` or `Double`."""


def tables_of(path: Path, name: str, limits: ReadingLimits, scratch: Scratch, refused: Refused, noted: Noted) -> Iterator[Made]:
    """Each table of a database, Access's own left out.

    Args:
        refused: takes the name of a table that can't be read, and why; the others go on.
        noted: takes the rule, the table and the count of what was not read of one that can.

    Raises:
        ExportRefused: no converter is installed, or it could not read the file.
    """
    if not all(map(shutil.which, (_TABLES, _EXPORT, _SCHEMA))):
        raise ExportRefused("CF-123", name, "an Access database: install mdbtools on the workers, or export its tables as CSV")
    with path.open("rb") as opened:
        _is_whole(opened, name)
        yield from _each(opened.fileno(), name, limits, scratch, refused, noted)


def _each(file: int, name: str, limits: ReadingLimits, scratch: Scratch, refused: Refused, noted: Noted) -> Iterator[Made]:
    listed, linked = (_names(file, name, limits, scratch, kind) for kind in ("table", "linkedtable"))
    for table in linked:
        refused(f"{name} › {table}", "CF-123 a table that lies in another database and is only linked here: send that one too")
    if not listed and not linked:
        raise ExportRefused("CF-123", name, "it holds no table")
    for table in listed:
        where = f"{name} › {table}"
        out = scratch.file()
        try:
            complaints = _run([_EXPORT, "-B", "-b", "strip", "-D", "%Y-%m-%d", "-T", "%Y-%m-%d %H:%M:%S", "--", _FILE, table], file, name, limits, out)
            schema = scratch.file()
            _run([_SCHEMA, "-T", table, "--", _FILE, "access"], file, name, limits, schema)
        except ExportRefused as refusal:
            refused(where, f"{refusal.code} {refusal.detail}")
            continue
        columns = schema.read_text(encoding="utf-8", errors="replace")
        for rule, count in (
            ("binary_columns_not_read", len(_BINARY.findall(columns))),
            ("column_types_not_read", max(len(_UNKNOWN.findall(columns)), len(set(_ODD_TYPE.findall(complaints))))),
            ("days_not_told", _days_not_told(out)),
        ):
            if count:
                noted(rule, where, count)
        yield Made(table, out, dict(_MEASURED.findall(columns)))


def _is_whole(file: BinaryIO, name: str) -> None:
    """Refuse a file that ends within a page, or says in its first that all others are encrypted."""
    head = file.read(4096)
    page = 2048 if head[0x14:0x15] == b"\0" else 4096
    if file.seek(0, os.SEEK_END) % page:
        raise ExportRefused("CF-123", name, "it is cut off: it ends in the middle of a page")
    if b"<?xml" in head and b"encryption" in head:
        raise ExportRefused("CF-123", name, _LOCKED)


def _names(file: int, name: str, limits: ReadingLimits, scratch: Scratch, kind: str) -> list[str]:
    out = scratch.file()
    try:
        _run([_TABLES, "-1", "-t", kind, "--", _FILE], file, name, limits, out)
    except ExportRefused as refusal:
        raise ExportRefused("CF-123", name, _LOCKED) from refusal
    lines = out.read_text(encoding="utf-8", errors="replace").split("\n")
    return [line for line in lines if line.strip() and not line.startswith(_OWN)]


def _days_not_told(made: Path) -> int:
    count, held = 0, b""
    with made.open("rb") as file:
        while piece := file.read(8 << 20):
            count += (held + piece).count(_NO_DAY)
            held = (held + piece)[1 - len(_NO_DAY) :]
    return count


def _run(command: list[str], database: int, name: str, limits: ReadingLimits, to: Path) -> bytes:
    """Run a program of the converter; what it complained of.

    Args:
        command: where it says `_FILE`, the database is meant.
        database: its open file, which may have no name that another process could open.

    Raises:
        ExportRefused: it failed, met a limit, or came to a page that is none.
    """
    program = shutil.which(command[0]) or command[0]
    limited = ["/bin/sh", "-c", 'ulimit -v "$0"; ulimit -f "$1"; ulimit -c 0; shift; exec "$@"', str(limits.memory_bytes >> 10), str(limits.answer_bytes >> 9), program]
    limited += [f"/proc/self/fd/{database}" if word == _FILE else word for word in command[1:]]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    with to.open("wb") as out, subprocess.Popen(
        limited, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, env=environment, pass_fds=(database,), start_new_session=True
    ) as running:
        timer = threading.Timer(limits.seconds, _end, (running,))
        timer.start()
        try:
            assert running.stderr is not None
            complaints = running.stderr.read(_COMPLAINTS + 1)
            if len(complaints) > _COMPLAINTS:
                _end(running)
            code = running.wait()
        finally:
            was_in_time = timer.is_alive()
            timer.cancel()
    if not was_in_time:
        raise ExportRefused("CF-130", name, "the converter did not end in time")
    others = [line for line in complaints.splitlines() if line.strip() and not _ODD_TYPE.search(line)]
    if code or others or b"unsupported data type 0." in complaints:
        raise ExportRefused("CF-123", name, "the converter of Access databases could not read it: it is damaged, or of a kind nobody reads")
    return complaints


def _end(running: "subprocess.Popen[bytes]") -> None:
    """End a program and whatever it started."""
    try:
        os.killpg(running.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
