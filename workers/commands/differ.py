"""`map diff`: which lines change when the rules change. The export is carried twice, by the old rules and by the new."""

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workers.commands.crossing import Stop, lay_drop, local_services
from workers.commands.rehearsal import answers
from workers.commands.show import give, message, say

_HEADER = ("Target", "File", "Line for", "Row", "Column", "Before", "After", "What")


def compare(export: Path, before: dict[str, Any], after: dict[str, Any], out: Path, as_json: bool) -> int:
    """Write every changed cell, and every line that is new or gone, to `out`; say how many there are by file and column."""
    say(f"Caseferry · {export.resolve().name} · carried twice, nothing is handed over")
    with tempfile.TemporaryDirectory(prefix="caseferry-diff-") as folder:
        sides = [_carry(export, choices, Path(folder) / name) for name, choices in (("before", before), ("after", after))]
    columns, lines = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for row in _differences(*sides):
            writer.writerow(row)
            if row[7] == "changed":
                columns[row[0], row[1], row[4]] += 1
            else:
                lines[row[0], row[1], row[7]] += 1
    found = [{"target": t, "file": f, "column": c, "cells": n} for (t, f, c), n in sorted(columns.items())]
    found += [{"target": t, "file": f, "what": w, "lines": n} for (t, f, w), n in sorted(lines.items())]
    versions = [side["version"] for side in sides]
    if as_json:
        give({"before": versions[0], "after": versions[1], "changes": found, "out": str(out)})
    else:
        print(f"  rules {versions[0]} before, {versions[1]} after")
        for one in found:
            what = f"{one['cells']:>7,} cells  {one['column']}" if "column" in one else f"{one['lines']:>7,} lines  {one['what']}"
            print(f"  {what:<40} {one['target']} › {one['file']}")
        print("  nothing changes" if not found else f"\n  Each one   {out}")
    return 0


def _carry(export: Path, choices: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The lines a run would hand over, by target and file: (source, row, key) → cells by heading."""
    from caseferry.services.folder import FolderStore
    from tasks.intake.arrive import arrive
    from tasks.once import read_json
    from tasks.stage import present, release, run_of
    from workers.inprocess import cross, rest

    services = local_services(FolderStore(folder))
    run = run_of(arrive(services, lay_drop(services.store, export, choices, None))[0])
    cross(services, run)
    if rest(services, run) == "held" and "3-merge/field-map.json" in present(services.store, run):
        drawn: Any = read_json(services.store, run.at("3-merge", "field-map.json"))
        asked: Any = read_json(services.store, run.at("run.json"))["reasons"]
        release(services, run, "map diff", answers(drawn, asked, "map diff"))
        cross(services, run)
    state = rest(services, run)
    if state in {"held", "refused", "failed"}:
        reasons: Any = read_json(services.store, run.at("run.json"))["reasons"]
        raise Stop(3 if state == "held" else 1, "\n".join(message(r["code"], r.get("where", ""), r.get("detail", "")) for r in reasons))
    merged: Any = read_json(services.store, run.at("3-merge", "manifest.json"))
    split: Any = read_json(services.store, run.at("1-split", "tables.json"))
    where = {table["id"]: table["file"] for table in split["tables"]}
    base = "the files of our own layout"
    files = {(base, file["name"]): _lines(services, run, "", file, merged, where) for file in merged["files"]}
    for fit in merged["fits"]:
        files |= {(fit["target"], file["name"]): _lines(services, run, fit["target"], file, fit, where) for file in fit["files"]}
    return {"version": merged["map_version"], "files": files, "base": choices.get("target", "clio")}


def _lines(services: Any, run: Any, target: str, file: Any, made: Any, where: dict[str, str]) -> dict[tuple[str, int, int], dict[str, str]]:
    import polars as pl

    from caseferry.tables import read_tables, table_of
    from tasks.verify.opened import read_entries

    below = ("3-merge", target) if target else ("3-merge",)
    data = services.store.get(run.at(*below, "files", file["name"]))
    header = file["header"]
    if file["name"].endswith((".vcf", ".ics")):
        kind = "VCARD" if file["name"].endswith(".vcf") else "VTODO" if file["of"] == "tasks" else "VEVENT"
        rows = [list(row) for row in read_entries(data, header, kind).iter_rows()]
    else:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1:]
    name = "{:04d}.parquet" if target else "{:04d}.zip"
    found_rows = [services.store.get(run.at(*below, "rows", name.format(n))) for n in range(1, len(made["batches"]) + 1)]
    frames = [pl.read_parquet(io.BytesIO(data)) if target else table_of(read_tables(data), "lineage") for data in found_rows]
    stands = pl.concat(frames).filter(pl.col("file") == file["name"])
    stands = stands.sort("line") if target else stands  # those of our own layout are told in the order of the lines
    found: dict[tuple[str, int, int], dict[str, str]] = {}
    keys = stands["key"] if "key" in stands.columns else [""] * stands.height
    for table, row, key, cells in zip(stands["table"], stands["row"], keys, rows, strict=True):
        source = where.get(table, table or key or (cells[1] if file.get("file") == "left_out" else "made from a name"))
        number = 0
        while (source, row, number) in found:
            number += 1
        found[source, row, number] = dict(zip(header, cells, strict=True))
    return found


def _differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for which in sorted({*before["files"], *after["files"]}):
        target, name = which
        old, new = before["files"].get(which, {}), after["files"].get(which, {})
        for line in sorted({*old, *new}):
            source, row, _ = line
            if line not in old or line not in new:
                there = "; ".join(f"{column}: {value}" for column, value in (old.get(line) or new[line]).items() if value)
                told = (there, "", "only before") if line in old else ("", there, "only after")
                yield (target, name, source, str(row), "", *told)
                continue
            for column in dict.fromkeys([*old[line], *new[line]]):
                was, now = old[line].get(column, ""), new[line].get(column, "")
                if was != now:
                    yield (target, name, source, str(row), column, was, now, "changed")
