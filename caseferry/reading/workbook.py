"""XLSX, XLS and ODS, all sheets, hidden rows too, read in a guarded child process."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from caseferry.errors import ExportRefused
from caseferry.reading.grid import Grid, from_lists

_CHILD = Path(__file__).with_name("workbook_child.py")


@dataclass(frozen=True)
class WorkbookLimits:
    memory_bytes: int = 4 << 30
    cpu_seconds: int = 120
    wall_seconds: int = 300
    cells: int = 20_000_000


def read_workbook(data: bytes, name: str, limits: WorkbookLimits = WorkbookLimits()) -> list[Grid]:
    """Every sheet of a workbook.

    Args:
        name: the file's name, for messages only.

    Raises:
        ExportRefused: it is locked, damaged, out of proportion, or ended its reader.
    """
    command = [sys.executable, "-I", str(_CHILD), *map(str, (limits.memory_bytes, limits.cpu_seconds, limits.cells))]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=limits.wall_seconds, env={}, check=False)
    except subprocess.TimeoutExpired:
        raise ExportRefused("CF-123", name, "reading it took too long") from None
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    refused = next((line["refused"] for line in lines if "refused" in line), None)
    if refused:
        raise ExportRefused(refused, name)
    if done.returncode != 0 or not lines or "end" not in lines[-1]:
        raise ExportRefused("CF-123", name, "the reader of spreadsheets ended while opening it")
    return [_grid(line) for line in lines[:-1]]


def _grid(line: dict[str, Any]) -> Grid:
    rows = pl.Series("t", line["rows"], dtype=pl.List(pl.String))
    notes = {key: int(line.get(key, 0)) for key in ("hidden_rows", "error_cells")}
    if not line["visible"]:
        notes["hidden_sheet"] = 1
    return from_lists(
        rows,
        sheet=str(line["sheet"]),
        notes={k: v for k, v in notes.items() if v},
        epoch_1904=bool(line["epoch_1904"]),
        hidden=not line["visible"],
    )
