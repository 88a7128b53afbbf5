"""What went in against what came out: money to the cent, per matter, both sides read again from their source."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from caseferry.manifest import Table
from caseferry.records import RECORDS
from caseferry.tables import apart
from tasks.verify import recount
from tasks.verify.checks import Check
from tasks.verify.evidence import Batch, Evidence, Handed
from tasks.verify.hours import hours_of
from tasks.verify.seen import Seen

_ZERO = Decimal(0)
_VALUE, _WRITTEN = pl.Decimal(38, 6), pl.Decimal(38, 8)
_NONE, _HALF_A_CENT = pl.lit("0"), pl.lit("0.005")
"""As text: to be told of a number of Python's own, Polars would first load NumPy where there is one."""
_STAYS = ("carried", "merged")
_SHOWN = 50
_HELD = 50_000
"""Sums of batches that wait to be added to all others."""


class Money:
    """Per type: exported, carried, quarantined, not taken, written, and the difference that no finding explains."""

    name = "money"

    def __init__(self, evidence: Evidence) -> None:
        self._ties = (
            _Tie(evidence, "receivable", "outstanding", "balances_forward", ("price", "quantity")),
            _Tie(evidence, "trust", "balance", "trust_balances", ("amount",)),
            _Tie(evidence, "time_entry", "amount", "activities", ("price", "quantity")),
        )

    def see(self, batch: Batch) -> None:
        for tie in self._ties:
            tie.see(batch)

    def seen(self) -> Seen:
        every = {tie.record: tie.seen() for tie in self._ties}
        return Seen(
            {record: one.facts for record, one in every.items()},
            {f"{record}.{name}": table for record, one in every.items() for name, table in one.tables.items()},
        )

    def add(self, seen: Seen) -> None:
        for tie in self._ties:
            own = f"{tie.record}."
            tie.add(Seen(seen.facts[tie.record], {name.removeprefix(own): table for name, table in seen.tables.items() if name.startswith(own)}))

    @cached_property
    def found(self) -> list[dict[str, Any]]:
        return [tie.line() for tie in self._ties if tie.is_there]

    def say(self) -> Iterator[Check]:
        for line in self.found:
            bad = [d for d in line["differences"] if not d["explained"]]
            passed = not bad and not (line["unread"] and line["type"] != "time_entry")
            told = "" if line["difference"] == "0.00" else ", every one explained" if not bad else ", not explained"
            detail = f"{line['exported']} exported − {line['not_taken']} not taken − {line['quarantined']} waiting = {line['carried']}; "
            detail += f"{line['written']} written, difference {line['difference']} {line['currency']}{told}"
            yield Check(f"money_{line['type']}", f"{line['title']}: every cent accounted for", passed, detail, True, tuple(bad[:_SHOWN]))


class _Tie:
    """One type of money: sums by what became of the rows, and by matter on both sides."""

    def __init__(self, evidence: Evidence, record: str, field: str, file: str, factors: tuple[str, ...]) -> None:
        self._evidence, self.record, self._field, self._file, self._factors = evidence, record, field, file, factors
        self.is_there = any(table.record == record and table.parts for table in evidence.split.tables)
        self._by_place, self._by_reason = dict[str, Decimal](), dict[str, Decimal]()
        self._unread = 0
        self._exported = _Sums("exported", _VALUE)
        self._written = _Sums("written", _WRITTEN)
        self._explained = pl.Series("matter", [], dtype=pl.String)

    def see(self, batch: Batch) -> None:
        if pieces := batch.files(self._file):
            matter, *factors = (pl.concat([piece.column(name) for piece in pieces]) for name in ("matter", *self._factors))
            sums = recount.sum_by(matter, *factors)
            self._written.add(sums.select(pl.col("key").alias("matter"), pl.col("value").cast(_WRITTEN).alias("written")))
        tables = batch.of(self.record)
        if not tables:
            return
        source = pl.concat([_source_amounts(batch, table, self._field, self._evidence.migration.currency) for table in tables])
        for column, totals in (("place", self._by_place), ("reason", self._by_reason)):
            for name, value in source.group_by(column).agg(pl.col("value").sum()).iter_rows():
                totals[name] = totals.get(name, _ZERO) + (value or _ZERO)
        stays = source.filter(pl.col("place").is_in(_STAYS))
        self._unread += stays["value"].null_count()
        matters = _matter_of_rows(batch, self.record, self._file, tables)
        per = stays.join(matters, on=["row"] if len(tables) == 1 else ["table", "row"], how="left")
        self._exported.add(per.select(pl.col("matter").fill_null(""), pl.col("value").alias("exported")))
        if self.record == "time_entry":
            told = pl.concat([some.where(pl.col("rule") == "amount_is_not_rate_times_hours").select(pl.lit(table).alias("table"), "row")
                              for table, some in batch.findings.items()])  # fmt: skip
            if told.height:
                named = told.join(matters, on=["table", "row"])["matter"].drop_nulls()
                self._explained = pl.concat([self._explained, named.unique()]).unique()

    def seen(self) -> Seen:
        places, reasons = ([[name, str(value)] for name, value in sums.items()] for sums in (self._by_place, self._by_reason))
        return Seen([places, reasons, self._unread], {"exported": self._exported.all, "written": self._written.all, "explained": self._explained.to_frame()})

    def add(self, seen: Seen) -> None:
        places, reasons, unread = seen.facts
        for totals, more in ((self._by_place, places), (self._by_reason, reasons)):
            for name, value in more:
                totals[name] = totals.get(name, _ZERO) + Decimal(value)
        self._unread += unread
        self._exported.add_sums(seen.tables["exported"])
        self._written.add_sums(seen.tables["written"])
        self._explained = pl.concat([self._explained, seen.tables["explained"].to_series()]).unique()

    def line(self) -> dict[str, Any]:
        place = {name: self._by_place.get(name, _ZERO) for name in ("carried", "merged", "quarantined", "excluded")}
        carried = place["carried"] + place["merged"]
        both = self._exported.all.join(self._written.all, on="matter", how="full", coalesce=True)
        both = both.with_columns(pl.col("exported").fill_null(_NONE.cast(_VALUE)), pl.col("written").fill_null(_NONE.cast(_WRITTEN)))
        written = Decimal(both["written"].sum() or 0)
        odd = both.filter((pl.col("exported").cast(_WRITTEN) - pl.col("written")).abs() >= _HALF_A_CENT.cast(_WRITTEN)).sort("matter")
        explained = set(self._explained.to_list())
        lines = [
            {"matter": name, "exported": str(exported.normalize() + 0), "written": str(recount.cents_if_it_can(out) if out else 0), "explained": name in explained}
            for name, exported, out in odd.iter_rows()
        ]
        return {
            "type": self.record, "title": RECORDS[self.record].title, "currency": self._evidence.migration.currency,
            "exported": _show(sum(self._by_place.values(), _ZERO)), "carried": _show(carried),
            "quarantined": _show(place["quarantined"]), "not_taken": _show(place["excluded"]),
            "written": _show(written), "difference": _show(carried - written), "unread": self._unread,
            "matters": both.height, "differences": lines,
            "reasons": {str(reason): _show(value) for reason, value in sorted(self._by_reason.items(), key=lambda i: str(i[0])) if reason},
        }  # fmt: skip


class _Sums:
    """Sums by matter that grow with each batch. A firm has many matters and a batch few: all are added up now and then only."""

    def __init__(self, name: str, kind: pl.DataType) -> None:
        self._some = [pl.DataFrame(schema={"matter": pl.String, name: kind})]

    def add(self, more: pl.DataFrame) -> None:
        self.add_sums(apart(_added([more.select(self._some[0].columns)])))

    def add_sums(self, more: pl.DataFrame) -> None:
        """The same of what was added up already, by matter."""
        self._some.append(more.select(self._some[0].columns))
        if sum(one.height for one in self._some[1:]) > max(_HELD, 2 * self._some[0].height):
            self._some = [self.all]

    @property
    def all(self) -> pl.DataFrame:
        return apart(_added(self._some))


def _added(some: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(some).group_by("matter").agg(pl.all().sum())


def _source_amounts(batch: Batch, table: Table, field_name: str, currency: str) -> pl.DataFrame:
    """`table`, `row`, `value`, `place`, `reason`: the source's own amounts; for work without one, hours times rate."""
    raw = batch.raw(table)
    places = {c.field: c.place for c in table.columns if c.use == "mapped"}
    credit = table.record != "trust"

    def read(name: str) -> pl.Series | None:
        if name not in places:
            return None
        return recount.amounts(raw[f"c{places[name]}"], credit, name in table.decimal_comma, currency)

    value = read(field_name)
    if table.record == "time_entry" and (value is None or value.null_count()):
        rate, hours = read("rate"), hours_of(raw, places)
        if rate is not None and hours is not None:
            made = (rate.cast(pl.Decimal(38, 8)) * hours.cast(pl.Decimal(38, 8))).round(2, mode="half_away_from_zero").cast(_VALUE)
            value = made if value is None else value.zip_with(value.is_not_null(), made)
    if value is None:
        value = pl.Series([None] * raw.height, dtype=_VALUE)
    amounts = pl.DataFrame({"row": raw["row"], "value": value.cast(_VALUE)}).select(pl.lit(table.id).alias("table"), "row", "value")
    return batch.beside(table, amounts)


def _matter_of_rows(batch: Batch, record: str, file: str, tables: list[Table]) -> pl.DataFrame:
    """Which matter (as the files name it) each source row belongs to; the lines of a balance say it for their matter."""
    empty = pl.DataFrame(schema={"table": pl.String, "row": pl.UInt32, "matter": pl.String})
    stands = pl.concat([empty, *(_named(piece) for piece in batch.files(file))])
    if record == "time_entry":
        return stands
    # Rows summed into a line share their owner's text with the row that stands for it.
    owners = []
    for table in tables:
        raw = batch.raw(table)
        places = {c.field: c.place for c in table.columns if c.use == "mapped"}
        whole = {n: pl.concat_str([f"c{place}" for place in one.places], separator=one.between) for n, one in table.joined.items()}
        keys = [whole.get(n, pl.col(f"c{places[n]}")).str.to_uppercase().str.replace_all(r"\s+", "") for n in ("matter", "client") if n in places]
        group = pl.col("group:matter").str.to_uppercase().str.replace_all(r"\s+", "") if "group:matter" in raw.columns else pl.lit(None, pl.String)
        client = pl.col("group:client").str.to_uppercase().str.replace_all(r"\s+", "") if "group:client" in raw.columns else pl.lit(None, pl.String)
        owners.append(raw.select(pl.lit(table.id).alias("table"), "row", pl.coalesce(*keys, group, client).alias("owner")))
    every = pl.concat(owners)
    named = every.join(stands, on=["table", "row"]).unique("owner", keep="first").select("owner", "matter")
    return every.join(named, on="owner", how="left").select("table", "row", "matter")


def _named(piece: Handed) -> pl.DataFrame:
    return piece.placed.select("table", "row", pl.col(str(piece.header.index("matter"))).alias("matter"))


def _show(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.01'), rounding='ROUND_HALF_UP') + 0:f}"
