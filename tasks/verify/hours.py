"""Hours in against hours out, both sides read again from their source."""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property, lru_cache

import polars as pl

from tasks.verify.checks import Check
from tasks.verify.evidence import Batch
from tasks.verify.seen import Seen

DURATIONS = {"hours": 1, "units": 10, "minutes": 60, "seconds": 3600}
"""How many of each make an hour."""
_ZERO = Decimal(0)


class Hours:
    """Hours exported, carried and written; fixed fees and expenses have a quantity that is no time."""

    name = "hours"

    def __init__(self) -> None:
        self._sums = dict.fromkeys(("carried", "quarantined", "excluded", "merged"), _ZERO)
        self._written = _ZERO

    def see(self, batch: Batch) -> None:
        for table in batch.of("time_entry"):
            hours = hours_of(batch.raw(table), {c.field: c.place for c in table.columns if c.use == "mapped"})
            if hours is None:
                continue
            rows = batch.beside(table, pl.DataFrame({"row": batch.raw(table)["row"], "h": hours}))
            for place, value in rows.group_by("place").agg(pl.col("h").sum()).iter_rows():
                self._sums[place] += Decimal(str(value or 0))
        flat = pl.concat([pl.DataFrame(schema={"table": pl.String, "row": pl.UInt32}),
                          *(some.where(pl.col("rule") == "flat_fee_as_one_unit").select(pl.lit(table).alias("table"), "row")
                            for table, some in batch.changes.items())])  # fmt: skip
        for piece in (whole for whole, _ in batch.alike if whole.kind == "activities"):
            lines = piece.placed.select("table", "row", type=str(piece.header.index("type")), quantity=str(piece.header.index("quantity")))
            lines = lines.filter(pl.col("type") == "")
            if flat.height:
                lines = lines.join(flat, on=["table", "row"], how="anti")
            self._written += Decimal(lines["quantity"].cast(pl.Decimal(38, 8)).sum() or 0)

    def seen(self) -> Seen:
        return Seen([{place: str(value) for place, value in self._sums.items()}, str(self._written)])

    def add(self, seen: Seen) -> None:
        sums, written = seen.facts
        for place, value in sums.items():
            self._sums[place] += Decimal(value)
        self._written += Decimal(written)

    @cached_property
    def found(self) -> dict[str, str]:
        shown = {name: f"{value.normalize():f}" for name, value in self._sums.items()}
        return {**shown, "exported": f"{sum(self._sums.values(), _ZERO).normalize():f}", "written": f"{self._written.normalize():f}",
                "difference": f"{(self._sums['carried'] - self._written).normalize() + 0:f}"}  # fmt: skip

    def say(self) -> Iterator[Check]:
        found = self.found
        detail = f"{found['exported']} exported, {found['written']} written, difference {found['difference']}"
        yield Check("hours", "Unbilled time: every hour", Decimal(found["difference"]) == 0, detail)


def hours_of(raw: pl.DataFrame, places: dict[str, int]) -> pl.Series | None:
    """Decimal hours as the source writes them: hours, h:mm, words, six-minute units or minutes."""
    result: pl.Series | None = None
    for name, divisor in DURATIONS.items():
        if name not in places:
            continue
        cells = raw[f"c{places[name]}"]
        distinct = cells.drop_nulls().unique().to_list()
        read = [(text, read_hours(text, divisor)) for text in distinct]
        good = [(text, str(value)) for text, value in read if value is not None]
        if not good:
            continue
        keys = pl.Series([text for text, _ in good], dtype=pl.String)
        values = pl.Series([value for _, value in good]).cast(pl.Decimal(38, 4))
        column = cells.to_frame("t").select(pl.col("t").replace_strict(keys, values, default=None)).to_series()
        result = column if result is None else result.zip_with(result.is_not_null(), column)
    return result


@lru_cache(maxsize=1 << 16)
def read_hours(text: str, divisor: int) -> Decimal | None:
    text = text.strip().lower()
    clock = re.fullmatch(r"(\d+):([0-5]\d)(?::00)?", text) or re.fullmatch(r"(\d+)\s?h\s?([0-5]\d)", text)
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
