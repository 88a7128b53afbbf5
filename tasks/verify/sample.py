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
    weights = {table: notes.group_by("row").agg(pl.len().alias("changes")) for table, notes in evidence.changes_of.items()}
    none = pl.DataFrame(schema={"row": pl.UInt32, "changes": pl.UInt32})
    for entry in evidence.merged.files:
        if entry.name.startswith("NOT-AN-IMPORT-FILE_") and entry.record in {e.record for e in evidence.merged.files if e.is_import}:
            continue
        lines = evidence.lined(entry.name).filter((pl.col("table") != "") & (pl.col("table") != "documents"))
        if lines.is_empty():
            continue
        weighed = [some.join(weights.get(str(table), none), on="row", how="left") for (table,), some in lines.partition_by("table", as_dict=True).items()]
        chosen += [(entry, *pick) for pick in _pick(pl.concat(weighed).with_columns(pl.col("changes").fill_null(0)).sort("line"), entry.name, evidence, seed)]
    tables = {table.id: table for table in evidence.split.tables}
    wanted = {table: {row for _, _, of, row, _ in chosen if of == table} for table in tables}
    sources = {
        (table, source["row"]): source
        for table, rows in wanted.items() if rows
        for source in evidence.raw(tables[table]).filter(pl.col("row").is_in(list(rows))).iter_rows(named=True)
    }  # fmt: skip
    result = []
    for entry, line, table, row, why in chosen:
        source = sources[table, row]
        handed = evidence.files[entry.name]
        shown = [(c.heading, source[f"c{c.place}"] or "") for c in tables[table].columns if source[f"c{c.place}"]]
        target = [(h, v) for h, v in zip(handed.header, handed.lines.row(line - 2), strict=False) if v]
        result.append({
            "record": entry.record, "file": entry.name, "line": line, "source_file": tables[table].file,
            "source_sheet": tables[table].sheet, "row": row, "why": why, "source": shown, "target": target,
        })  # fmt: skip
    return result


def _pick(rows: pl.DataFrame, name: str, evidence: Evidence, seed: int) -> list[tuple[int, str, int, str]]:
    """Line, table, row and reason; never one line twice.

    Args:
        rows: `line`, `table`, `row`, `changes`, in the order of the lines.
    """
    handed, numbers = evidence.files[name], rows["line"]
    picked: dict[int, str] = {}

    def add(candidates: list[int], why: str, most: int) -> None:
        for line in candidates[:most]:
            picked.setdefault(line, why)

    money = next((handed.header.index(h) for h in ("price", "amount") if h in handed.header), None)
    if money is not None:
        size = handed.lines[str(money)].gather(numbers - 2).cast(pl.Float64, strict=False).fill_null(0).abs()
        by_size = pl.DataFrame({"n": numbers, "size": size}).top_k(3, by=[pl.col("size"), -pl.col("n").cast(pl.Int64)])
        add(by_size.sort(["size", "n"], descending=[True, False])["n"].to_list(), "one of the largest", 3)
    day = next((i for i, h in enumerate(handed.header) if h in {"open_date", "date", "due_date", "start_date"}), None)
    if day is not None:
        days = handed.lines[str(day)].gather(numbers - 2)
        filled = pl.DataFrame({"n": numbers, "day": days}).filter(pl.col("day") != "")
        dated = filled.with_columns(pl.col("day").str.to_date(_style(evidence), strict=False)).sort(["day", "n"], nulls_last=False)["n"]
        add(dated.head(2).to_list(), "one of the oldest", 2)
        add(dated.tail(2).to_list()[::-1], "one of the newest", 2)
    most = rows.filter(pl.col("changes") > 0).sort(["changes", "line"], descending=[True, False])
    add(most["line"].head(3).to_list(), "most changed", 3)
    rest = numbers.filter(~numbers.is_in(list(picked))).to_list()
    random.Random(f"{seed}:{name}").shuffle(rest)  # noqa: S311 – a draw anyone can repeat, not a secret
    add(rest, f"by chance, seed {seed}", max(0, min(_LEAST + 5, _MOST) - len(picked)))
    where = {line: (table, row) for line, table, row in rows.filter(pl.col("line").is_in(list(picked))).select("line", "table", "row").iter_rows()}
    return [(line, *where[line], why) for line, why in sorted(picked.items())]


def _style(evidence: Evidence) -> str:
    """How the target writes a day."""
    from caseferry.mapping.target import load_target

    target = load_target(evidence.migration.target)
    return evidence.migration.options.date_format or target.date_formats[evidence.migration.region]
