"""What a person must look at by hand: rows that wait, people without a user, bills, late entries."""

from functools import cached_property
from typing import Any

import polars as pl

from caseferry.frames import kept
from caseferry.manifest import Table
from caseferry.tables import apart
from tasks.verify.evidence import Batch
from tasks.verify.seen import Seen

_WHO = {"modified_by", "staff", "author", "assignee", "owner", "responsible", "user"}


class Waiting:
    """Rows in quarantine: each with its own cells, and a count by reason with the first row of each as an address."""

    name = "waiting"

    def __init__(self) -> None:
        self._rows: dict[str, list[pl.DataFrame]] = {}
        self._groups = [pl.DataFrame(schema={"reason": pl.String, "record": pl.String, "table": pl.String, "count": pl.UInt32, "first": pl.UInt32})]

    def see(self, batch: Batch) -> None:
        waits = kept(batch.places, batch.places["place"] == "quarantined")
        if waits.is_empty():
            return
        self._groups.append(apart(waits.group_by("reason", "record", "table").agg(pl.len().alias("count"), pl.col("row").min().alias("first"))))
        for table in batch.tables:
            reasons = kept(waits, waits["table"] == table.id).select("row", "reason")
            if reasons.height:
                self._rows.setdefault(table.id, []).append(apart(batch.raw(table).join(reasons, on="row")))

    def seen(self) -> Seen:
        return Seen(list(self._rows), {"groups": pl.concat(self._groups), **{table: pl.concat(some) for table, some in self._rows.items()}})

    def add(self, seen: Seen) -> None:
        self._groups.append(seen.tables["groups"])
        for table in seen.facts:
            self._rows.setdefault(table, []).append(seen.tables[table])

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

    name = "fallbacks"

    def __init__(self) -> None:
        self._told: list[pl.DataFrame] = []

    def see(self, batch: Batch) -> None:
        records = {table.id: table.record for table in batch.tables}
        for table, some in batch.findings.items():
            told = some.where(pl.col("rule").is_in(["user_fallback", "user_not_found"])).group_by("value", "rule").len("count")
            self._told.append(apart(told.select("value", pl.lit(records.get(table, "")).alias("record"), "rule", "count")))

    def seen(self) -> Seen:
        return Seen(tables={"told": pl.concat(self._told)} if self._told else {})

    def add(self, seen: Seen) -> None:
        self._told += seen.tables.values()

    @cached_property
    def found(self) -> list[dict[str, Any]]:
        if not self._told:
            return []
        every = pl.concat(self._told).group_by("value", "record", "rule").agg(pl.col("count").sum())
        return every.sort("value", "record").rename({"value": "name"}).to_dicts()


class Bills:
    """Matters with an opening balance: after the review, each needs a bill."""

    name = "bills"

    def __init__(self) -> None:
        self._lines: list[dict[str, str]] = []

    def see(self, batch: Batch) -> None:
        for piece in batch.files("balances_forward"):
            self._lines += [{"matter": matter, "amount": price} for matter, price in zip(piece.column("matter"), piece.column("price"), strict=True)]

    def seen(self) -> Seen:
        return Seen(self._lines)

    def add(self, seen: Seen) -> None:
        self._lines += seen.facts

    @cached_property
    def found(self) -> list[dict[str, str]]:
        return sorted(self._lines, key=lambda line: line["matter"])


class Late:
    """Rows somebody entered too late, by who entered them: person, table, row, moment."""

    name = "late"

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

    def seen(self) -> Seen:
        return Seen(self._rows)

    def add(self, seen: Seen) -> None:
        self._rows += [tuple(row) for row in seen.facts]

    @cached_property
    def found(self) -> list[tuple[str, str, int, str]]:
        return self._rows
