"""What went in against what came out: money to the cent and hours, per matter, both sides read again from their source."""

import re
from bisect import bisect_left
from decimal import Decimal
from typing import Any

import polars as pl

from caseferry.manifest import Table
from caseferry.records import RECORDS
from tasks.verify import recount
from tasks.verify.evidence import Evidence, counted_once

_FILE = {"receivable": "balances_forward", "trust": "trust_balances", "time_entry": "activities"}


@counted_once
def money_lines(evidence: Evidence) -> list[dict[str, Any]]:
    """Per type: exported, carried, quarantined, not taken, written, and the difference that no finding explains."""
    return [line for line in (_tie(evidence, *job) for job in (
        ("receivable", "outstanding", "balances_forward", ("price", "quantity"), "matter"),
        ("trust", "balance", "trust_balances", ("amount",), "matter"),
        ("time_entry", "amount", "activities", ("price", "quantity"), "matter"),
    )) if line]  # fmt: skip


def _tie(evidence: Evidence, record: str, field_name: str, file: str, factors: tuple[str, ...], key: str) -> dict[str, Any] | None:
    tables = [t for t in evidence.split.tables if t.record == record and t.parts]
    if not tables:
        return None
    source = pl.concat([_source_amounts(evidence, table, field_name) for table in tables])
    zero = Decimal(0)
    by_place = {place: value or zero for place, value in source.group_by("place").agg(pl.col("value").sum()).iter_rows()}
    by_reason = {r: v or zero for r, v in source.group_by("reason").agg(pl.col("value").sum()).iter_rows()}
    unread = int(source.filter(pl.col("place").is_in(["carried", "merged"]))["value"].is_null().sum())
    carried = by_place.get("carried", zero) + by_place.get("merged", zero)
    written_by: dict[str, Decimal] = {}
    for handed in evidence.handed(file):
        for name, value in recount.sum_by(handed.column(key), *(handed.column(name) for name in factors)).items():
            written_by[name] = written_by.get(name, zero) + value
    written = sum(written_by.values(), zero)
    matters = _matter_of_rows(evidence, record, tables)
    stays = source.filter(pl.col("place").is_in(["carried", "merged"])).partition_by("table", as_dict=True)
    named = matters.partition_by("table", as_dict=True, include_key=False)
    empty = pl.DataFrame(schema={"row": pl.UInt32, "matter": pl.String})
    per = pl.concat([pl.DataFrame(schema={**source.schema, "matter": pl.String}), *(some.join(named.get(key, empty), on="row", how="left") for key, some in stays.items())])
    sums = {name or "": value or zero for name, value in per.group_by("matter").agg(pl.col("value").sum()).iter_rows()}
    explained = _explained(evidence, record, matters)
    lines = [
        {"matter": name, "exported": str(sums.get(name, zero).normalize() + 0), "written": str(written_by.get(name, zero)), "explained": name in explained}
        for name in sorted(set(sums) | set(written_by))
        if abs(sums.get(name, zero) - written_by.get(name, zero)) >= Decimal("0.005")
    ]
    return {
        "type": record, "title": RECORDS[record].title, "currency": evidence.migration.currency,
        "exported": _show(sum(by_place.values(), zero)), "carried": _show(carried),
        "quarantined": _show(by_place.get("quarantined", zero)), "not_taken": _show(by_place.get("excluded", zero)),
        "written": _show(written), "difference": _show(carried - written), "unread": unread,
        "matters": len(set(sums) | set(written_by)), "differences": lines,
        "reasons": {str(reason): _show(value) for reason, value in sorted(by_reason.items(), key=lambda i: str(i[0])) if reason},
    }  # fmt: skip


def _source_amounts(evidence: Evidence, table: Table, field_name: str) -> pl.DataFrame:
    """`table`, `row`, `value`, `place`, `reason`: the source's own amounts; for work without one, hours times rate."""
    raw = evidence.raw(table)
    places = {c.field: c.place for c in table.columns if c.use == "mapped"}
    credit = table.record != "trust"

    def read(name: str) -> pl.Series | None:
        if name not in places:
            return None
        return recount.amounts(raw[f"c{places[name]}"], credit, name in table.decimal_comma)

    value = read(field_name)
    if table.record == "time_entry":
        rate, hours = read("rate"), hours_of(raw, places)
        if rate is not None and hours is not None:
            made = (rate.cast(pl.Decimal(38, 8)) * hours.cast(pl.Decimal(38, 8))).round(2, mode="half_away_from_zero").cast(pl.Decimal(38, 6))
            value = made if value is None else value.zip_with(value.is_not_null(), made)
    if value is None:
        value = pl.Series([None] * raw.height, dtype=pl.Decimal(38, 6))
    amounts = pl.DataFrame({"row": raw["row"], "value": value.cast(pl.Decimal(38, 6))}).select(pl.lit(table.id).alias("table"), "row", "value")
    return amounts.join(evidence.placed(table), on="row", how="left", maintain_order="left")


def hours_of(raw: pl.DataFrame, places: dict[str, int]) -> pl.Series | None:
    """Decimal hours as the source writes them: hours, h:mm, words, six-minute units or minutes."""
    result: pl.Series | None = None
    for name, divisor in (("hours", 1), ("units", 10), ("minutes", 60)):
        if name not in places:
            continue
        cells = raw[f"c{places[name]}"]
        distinct = cells.drop_nulls().unique().to_list()
        read = [(text, _hours(text, divisor)) for text in distinct]
        good = [(text, str(value)) for text, value in read if value is not None]
        if not good:
            continue
        keys = pl.Series([text for text, _ in good], dtype=pl.String)
        values = pl.Series([value for _, value in good]).cast(pl.Decimal(38, 4))
        column = cells.to_frame("t").select(pl.col("t").replace_strict(keys, values, default=None)).to_series()
        result = column if result is None else result.zip_with(result.is_not_null(), column)
    return result


def _hours(text: str, divisor: int) -> Decimal | None:
    text = text.strip().lower()
    clock = re.fullmatch(r"(\d+):([0-5]\d)(?::00)?", text)
    words = re.fullmatch(r"(?:(\d+(?:\.\d+)?)\s*h\w*)?\s*(?:(\d+)\s*m\w*)?\.?", text)
    if clock:
        value = Decimal(int(clock[1]) * 60 + int(clock[2])) / 60
    elif words and (words[1] or words[2]):
        value = (Decimal(words[1] or 0) * 60 + Decimal(words[2] or 0)) / 60
    elif re.fullmatch(r"\d+,\d{1,2}", text):
        value = Decimal(text.replace(",", ".")) / divisor
    elif re.fullmatch(r"\d*\.?\d+", text):
        value = Decimal(text) / divisor
    else:
        return None
    return value.quantize(Decimal("0.0001"), rounding="ROUND_HALF_EVEN")


def _matter_of_rows(evidence: Evidence, record: str, tables: list[Table]) -> pl.DataFrame:
    """Which matter (as the files name it) each source row belongs to; the lines of a balance say it for their matter."""
    file = _FILE[record]
    frames = []
    for handed in evidence.handed(file):
        lines = handed.column("matter").to_frame("matter").with_row_index("line", offset=2)
        lined = evidence.lined(handed.name)
        same = lined.height == lines.height and (lined["line"] == lines["line"]).all()
        frames.append((lined.hstack([lines["matter"]]) if same else lined.join(lines, on="line")).select("table", "row", "matter"))
    empty = pl.DataFrame(schema={"table": pl.String, "row": pl.UInt32, "matter": pl.String})
    stands = pl.concat([empty, *frames])
    if record == "time_entry":
        return stands
    # Rows summed into a line share their owner's text with the row that stands for it.
    owners = []
    for table in tables:
        raw = evidence.raw(table)
        places = {c.field: c.place for c in table.columns if c.use == "mapped"}
        keys = [pl.col(f"c{places[n]}").str.to_uppercase().str.replace_all(r"\s+", "") for n in ("matter", "client") if n in places]
        group = pl.col("group:matter").str.to_uppercase().str.replace_all(r"\s+", "") if "group:matter" in raw.columns else pl.lit(None, pl.String)
        client = pl.col("group:client").str.to_uppercase().str.replace_all(r"\s+", "") if "group:client" in raw.columns else pl.lit(None, pl.String)
        owners.append(raw.select(pl.lit(table.id).alias("table"), "row", pl.coalesce(*keys, group, client).alias("owner")))
    every = pl.concat(owners)
    named = every.join(stands, on=["table", "row"]).unique("owner", keep="first").select("owner", "matter")
    return every.join(named, on="owner", how="left").select("table", "row", "matter")


def _explained(evidence: Evidence, record: str, matters: pl.DataFrame) -> set[str]:
    if record != "time_entry":
        return set()
    told = evidence.findings.filter(pl.col("rule") == "amount_is_not_rate_times_hours").select("table", "row")
    return set(told.join(matters, on=["table", "row"])["matter"].drop_nulls().to_list())


def _show(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.01'), rounding='ROUND_HALF_UP') + 0:f}"


@counted_once
def hours_line(evidence: Evidence) -> dict[str, str]:
    """Hours exported, carried and written; fixed fees and expenses have a quantity that is no time."""
    tables = [t for t in evidence.split.tables if t.record == "time_entry" and t.parts]
    zero = Decimal(0)
    sums = {"carried": zero, "quarantined": zero, "excluded": zero, "merged": zero}
    flat = evidence.changes.filter(pl.col("rule") == "flat_fee_as_one_unit").select("table", "row")
    for table in tables:
        raw = evidence.raw(table)
        hours = hours_of(raw, {c.field: c.place for c in table.columns if c.use == "mapped"})
        if hours is None:
            continue
        rows = pl.DataFrame({"row": raw["row"], "h": hours}).join(evidence.placed(table), on="row")
        for place, value in rows.group_by("place").agg(pl.col("h").sum()).iter_rows():
            sums[place] += Decimal(str(value or 0))
    written = zero
    for handed in evidence.handed("activities"):
        lineage = evidence.lined(handed.name)
        skip = lineage.join(flat, on=["table", "row"], how="semi")["line"]
        counted = (handed.column("type") == "") & ~pl.int_range(2, handed.lines.height + 2, dtype=pl.UInt32, eager=True).is_in(skip.implode())
        written += Decimal(handed.column("quantity").filter(counted).cast(pl.Decimal(38, 8)).sum() or 0)
    shown = {name: f"{value.normalize():f}" for name, value in sums.items()}
    return {**shown, "exported": f"{sum(sums.values(), zero).normalize():f}", "written": f"{written.normalize():f}",
            "difference": f"{(sums['carried'] - written).normalize() + 0:f}"}  # fmt: skip


_DURATIONS = {"hours": 1, "units": 10, "minutes": 60}


def column_values(table: Table, raw: pl.DataFrame, field_name: str, places: dict[str, int]) -> pl.Series:
    if field_name in _DURATIONS:
        found = hours_of(raw, {field_name: places[field_name]})
        return found if found is not None else pl.Series([None] * raw.height, dtype=pl.Decimal(38, 4))
    return recount.amounts(raw[f"c{places[field_name]}"], table.record != "trust", field_name in table.decimal_comma)


def said_total(table: Table, field_name: str, text: str) -> Decimal | None:
    if field_name in _DURATIONS:
        return _hours(text, _DURATIONS[field_name])
    return recount.amount(text, table.record != "trust", field_name in table.decimal_comma)


class Running:
    """Sums of a column between two rows, from its running total."""

    def __init__(self, rows: pl.Series, values: pl.Series) -> None:
        self._rows, self._sums = rows.to_list(), values.fill_null(0).cum_sum()

    def between(self, first: int, end: int) -> Decimal:
        """The sum of the rows from `first` up to, not including, `end`."""
        return self._before(end) - self._before(first)

    def _before(self, row: int) -> Decimal:
        place = bisect_left(self._rows, row)
        return Decimal(str(self._sums[place - 1])) if place else Decimal(0)
