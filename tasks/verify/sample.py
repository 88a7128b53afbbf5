"""10 to 20 records of each type to look at by hand: the largest, the oldest, the newest, the most changed, and chance.

Left what the old system had, in its own words; right what the file for the new one says.
"""

import random
from typing import Any

import polars as pl

from tasks.verify.evidence import Evidence

_LEAST, _MOST = 10, 20


def draw_sample(evidence: Evidence, seed: int) -> list[dict[str, Any]]:
    """The sample of every type that has a file, each record with why it was chosen."""
    chosen = []
    weight = evidence.changes.group_by("table", "row").agg(pl.len().alias("changes"))
    for entry in evidence.merged.files:
        if entry.name.startswith("NOT-AN-IMPORT-FILE_") and entry.record in {e.record for e in evidence.merged.files if e.is_import}:
            continue
        lines = evidence.lineage.filter((pl.col("file") == entry.name) & (pl.col("table") != "") & (pl.col("table") != "documents"))
        if lines.is_empty():
            continue
        lines = lines.join(weight, on=["table", "row"], how="left").with_columns(pl.col("changes").fill_null(0))
        chosen += [(entry, *pick) for pick in _pick(lines, entry.name, evidence, seed)]
    raws = {table.id: evidence.raw(table) for table in evidence.split.tables}
    tables = {table.id: table for table in evidence.split.tables}
    result = []
    for entry, line, table, row, why in chosen:
        source = raws[table].row(by_predicate=pl.col("row") == row, named=True)
        handed = evidence.files[entry.name]
        shown = [(c.heading, source[f"c{c.place}"] or "") for c in tables[table].columns if source[f"c{c.place}"]]
        target = [(h, v) for h, v in zip(handed.header, handed.lines.row(line - 2), strict=False) if v]
        result.append({
            "record": entry.record, "file": entry.name, "line": line, "source_file": tables[table].file,
            "source_sheet": tables[table].sheet, "row": row, "why": why, "source": shown, "target": target,
        })  # fmt: skip
    return result


def _pick(lines: pl.DataFrame, name: str, evidence: Evidence, seed: int) -> list[tuple[int, str, int, str]]:
    """Line, table, row and reason; never one line twice."""
    handed = evidence.files[name]
    rows = lines.sort("line")
    all_lines = rows["line"].to_list()
    where = {line: (table, row) for line, table, row in rows.select("line", "table", "row").iter_rows()}
    picked: dict[int, str] = {}

    def add(candidates: list[int], why: str, most: int) -> None:
        for line in candidates[:most]:
            picked.setdefault(line, why)

    money = next((handed.header.index(h) for h in ("price", "amount") if h in handed.header), None)
    if money is not None:
        size = handed.lines[str(money)].gather([n - 2 for n in all_lines]).cast(pl.Float64, strict=False).fill_null(0).abs()
        by_size = pl.DataFrame({"n": all_lines, "size": size}).sort(["size", "n"], descending=[True, False])["n"]
        add(by_size.head(3).to_list(), "one of the largest", 3)
    day = next((i for i, h in enumerate(handed.header) if h in {"open_date", "date", "due_date", "start_date"}), None)
    if day is not None:
        days = handed.lines[str(day)].gather([n - 2 for n in all_lines])
        filled = pl.DataFrame({"n": all_lines, "day": days}).filter(pl.col("day") != "")
        dated = filled.with_columns(pl.col("day").str.to_date(_style(evidence), strict=False)).sort(["day", "n"], nulls_last=False)["n"]
        add(dated.head(2).to_list(), "one of the oldest", 2)
        add(dated.tail(2).to_list()[::-1], "one of the newest", 2)
    add(rows.filter(pl.col("changes") > 0).sort(["changes", "line"], descending=[True, False])["line"].to_list(), "most changed", 3)
    rest = [n for n in all_lines if n not in picked]
    random.Random(f"{seed}:{name}").shuffle(rest)  # noqa: S311 – a draw anyone can repeat, not a secret
    add(rest, f"by chance, seed {seed}", max(0, min(_LEAST + 5, _MOST) - len(picked)))
    return [(line, *where[line], why) for line, why in sorted(picked.items())]


def _style(evidence: Evidence) -> str:
    """How the target writes a day."""
    from caseferry.mapping.target import load_target

    target = load_target(evidence.migration.target)
    return evidence.migration.options.date_format or target.date_formats[evidence.migration.region]
