"""Ours, without the journey round it: the rooms read, cut and transform; every change and finding is made as always, and with `log` written down."""

import json
import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from bench.export import choices
from bench.peers import HEADER
from caseferry.choices import Migration
from caseferry.mapping.money import plain, plain_hours
from caseferry.mapping.profile import load_profile
from caseferry.reading.delimited import Delimited
from caseferry.reading.grid import gathered
from caseferry.reading.source import Source
from caseferry.reading.spooled import Spooled
from caseferry.services.scratch import Scratch
from caseferry.tables import by_number, read_tables
from tasks.merge.users import user_table
from tasks.split.recognise import Fit, find_table
from tasks.split.tables import Portion, make_table
from tasks.transform.rows import transform_table
from tasks.transform.sheet import Job
from tasks.verify.log import log_lines

PART_ROWS = 100_000


def main(lists: Path, out: Path, is_logged: bool) -> dict[str, int]:
    profile, migration = load_profile("leap"), Migration.model_validate(choices())
    matters = _read(lists / "Matters.csv").head.cells["c0"].slice(1).alias("matter").to_frame()
    listed = _read(lists / "WIP.csv")
    fit = find_table(listed.head, profile)
    assert isinstance(fit, Fit)
    scratch = Scratch()
    cut = make_table(1, "WIP.csv", listed, fit, profile, migration, Portion(PART_ROWS, 64 << 20), scratch)
    job = Job(cut.table, profile, migration, date(2026, 1, 1))
    counts = {"carried": 0, "excluded": 0, "quarantined": 0}
    cents: Any = 0
    with (out / "activities.csv").open("wb") as made, (out / "rejects.csv").open("wb") as left, (out / "changes.csv").open("wb") as log:
        for number, part in enumerate(cut.parts):
            numbers, cells = by_number(read_tables(part), "cells")
            result = transform_table(numbers, job, cells)
            if is_logged:
                log.writelines(log_lines(result.changes, ("WIP.csv",), ("field", "before", "after", "rule")))
            rows = result.records.select("row", "place", "reason", "matter", "staff", "performed_on", "description", "price", "quantity")
            users = user_table(rows["staff"], migration)
            rows = rows.join(matters.with_columns(known=True), on="matter", how="left", maintain_order="left").join(users, left_on="staff", right_on="text", how="left", maintain_order="left")
            lost = (pl.col("place") == "carried") & (pl.col("known").is_null() | pl.col("user").is_null())
            rows = rows.with_columns(place=pl.when(lost).then(pl.lit("quarantined")).otherwise("place"))
            good = rows.filter(pl.col("place") == "carried")
            lines = good.select("matter", pl.col("performed_on").cast(pl.String).alias("date"), pl.col("description").alias("note"),
                                plain("price").alias("price"), plain_hours("quantity").alias("quantity"), pl.col("user").alias("activity_user"))  # fmt: skip
            lines.select(HEADER).write_csv(made, include_header=number == 0, quote_style="always")
            rows.filter(pl.col("place") != "carried").select("row", "place", "reason").write_csv(left, include_header=number == 0)
            for place, count in rows["place"].value_counts().iter_rows():
                counts[place] += count
            cents += (good["price"] * good["quantity"]).sum()
    return counts | {"cents": round(cents * 100)}


def _read(path: Path) -> Spooled:
    """A list, in this very process."""
    pieces = list(Delimited(Source.of(path.read_bytes())).pieces())
    return Spooled(gathered(pieces), sum(piece.height for piece in pieces), [partial(pl.DataFrame.clone, piece) for piece in pieces])


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), "log" in sys.argv)))
