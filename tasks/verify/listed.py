"""What a person must look at by hand: rows that wait, people without a user, deadlines, bills, late entries."""

from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from caseferry.canonical import apart
from caseferry.manifest import Table
from caseferry.mapping.target import Target
from tasks.verify.evidence import Batch, Evidence, Handed

_WHO = {"modified_by", "staff", "author", "assignee", "owner", "responsible", "user"}


class Waiting:
    """Rows in quarantine: each with its own cells, and a count by reason with the first row of each as an address."""

    def __init__(self) -> None:
        self._rows: dict[str, list[pl.DataFrame]] = {}
        self._groups: list[pl.DataFrame] = []

    def see(self, batch: Batch) -> None:
        waits = batch.places.filter(pl.col("place") == "quarantined")
        self._groups.append(apart(waits.group_by("reason", "record", "table").agg(pl.len().alias("count"), pl.col("row").min().alias("first"))))
        for table in batch.tables:
            reasons = waits.filter(pl.col("table") == table.id).select("row", "reason")
            if reasons.height:
                self._rows.setdefault(table.id, []).append(apart(batch.raw(table).join(reasons, on="row")))

    def of(self, table: Table) -> pl.DataFrame:
        """A table's rows that wait, with `reason`; none has no columns."""
        some = self._rows.get(table.id)
        return pl.concat(some).sort("row") if some else pl.DataFrame()

    @cached_property
    def groups(self) -> list[dict[str, Any]]:
        every = pl.concat(self._groups).group_by("reason", "record", "table").agg(pl.col("count").sum(), pl.col("first").min())
        return every.sort("count", "reason", "table", descending=[True, False, False]).to_dicts()


class Fallbacks:
    """Who has no active user, as the old system writes the name, and how many records went elsewhere."""

    def __init__(self) -> None:
        self._told: list[pl.DataFrame] = []

    def see(self, batch: Batch) -> None:
        records = {table.id: table.record for table in batch.tables}
        for table, some in batch.findings.items():
            told = some.where(pl.col("rule").is_in(["user_fallback", "user_not_found"])).group_by("value", "rule").len("count")
            self._told.append(apart(told.select("value", pl.lit(records.get(table, "")).alias("record"), "rule", "count")))

    @cached_property
    def found(self) -> list[dict[str, Any]]:
        if not self._told:
            return []
        every = pl.concat(self._told).group_by("value", "record", "rule").agg(pl.col("count").sum())
        return every.sort("value", "record").rename({"value": "name"}).to_dicts()


class Bills:
    """Matters with an opening balance: after the review, each needs a bill."""

    def __init__(self) -> None:
        self._lines: list[dict[str, str]] = []

    def see(self, batch: Batch) -> None:
        for piece in batch.files("balances_forward"):
            self._lines += [{"matter": matter, "amount": price} for matter, price in zip(piece.column("matter"), piece.column("price"), strict=True)]

    @cached_property
    def found(self) -> list[dict[str, str]]:
        return sorted(self._lines, key=lambda line: line["matter"])


class Deadlines:
    """Every task and event that lies after the day of the export, old beside new, with its zone."""

    _KINDS = (("tasks", "due_on", "due_date", ""), ("calendar_events", "start_on", "start_date", "start_time"))

    def __init__(self, evidence: Evidence, target: Target) -> None:
        self._style = evidence.migration.options.date_format or target.date_formats[evidence.migration.region]
        self._since = date.fromisoformat(evidence.merged.as_at)
        self._told: list[tuple[int, str, int, dict[str, str]]] = []

    def see(self, batch: Batch) -> None:
        for place, (kind, field, day, time) in enumerate(self._KINDS):
            for piece in batch.files(kind):
                if day in piece.header:
                    self._look(batch, piece, place, field, day, time)

    def _look(self, batch: Batch, piece: Handed, place: int, field: str, day: str, time: str) -> None:
        names = dict(zip(piece.lines.columns, piece.header, strict=False))
        ahead = piece.placed.rename({"table": "table#", "row": "row#"}).rename(names).with_row_index("line#", offset=piece.first)
        ahead = ahead.filter(pl.col(day).str.to_date(self._style, strict=False) >= self._since)
        for table in batch.tables:
            lines = ahead.filter(pl.col("table#") == table.id)
            if lines.is_empty():
                continue
            column = next(c.place for c in table.columns if c.field == field)
            old = batch.raw(table).select(pl.col("row").alias("row#"), pl.col(f"c{column}").alias("old#"))
            for line in lines.join(old, on="row#", how="left", maintain_order="left").iter_rows(named=True):
                self._told.append((place, piece.name, line["line#"], {
                    "type": piece.kind, "what": line.get("name") or line.get("summary") or "", "matter": line.get("matter", ""),
                    "old": str(line["old#"]), "new": " ".join(filter(None, (line[day], line.get(time, "")))),
                    "zone": line.get("time_zone", "") or ("all day" if not time or line.get("all_day") else "unknown"),
                    "source": f"{table.file}, row {line['row#']}",
                }))  # fmt: skip

    @cached_property
    def found(self) -> list[dict[str, str]]:
        return [line for *_, line in sorted(self._told, key=lambda one: one[:3])]


class Late:
    """Rows somebody entered too late, by who entered them: person, table, row, moment."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, int, str]] = []

    def see(self, batch: Batch) -> None:
        for table in batch.tables:
            late = batch.findings[table.id].where(pl.col("rule") == "after_cut_off").select("row", "value")
            if late.is_empty():
                continue
            place = next((c.place for c in table.columns if c.field in _WHO), None)
            who = pl.col(f"c{place}").fill_null("") if place is not None else pl.lit("")
            rows = batch.raw(table).join(late, on="row").select(who.alias("who"), pl.lit(table.id).alias("table"), "row", "value")
            self._rows += rows.iter_rows()

    @cached_property
    def found(self) -> list[tuple[str, str, int, str]]:
        return self._rows
