"""Days and moments, read whole columns at a time.

Each format is guarded by the shape of the text: an unguarded list of formats reads `3/11/21` as the year 21 without
a word (3 rows in a hundred, measured). Distinct values are parsed, not rows.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import polars as pl

from caseferry.frames import kept, known
from caseferry.mapping.distinct import told_apart

Order = Literal["dmy", "mdy", "ymd", "seconds", "milliseconds"]
"""How a column of days is written: which of day and month comes first; or, where all of it is bare figures, 20240301, or
what has gone by since 1970 in UTC.
"""
_NUMERIC = r"^([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4}|[0-9]{2})(?:[ T,]+(.*))?$"
_ISO = r"^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[ T]+(.*))?$"
_NAMED = r"^(?:[A-Za-z]{3,9},?\s+)?([0-9]{1,2})(?:st|nd|rd|th)?[\s\-/]+([A-Za-z]{3,9})\.?,?[\s\-/]+([0-9]{4}|[0-9]{2})(?:[ T,]+(.*))?$"
_NAMED_US = r"^(?:[A-Za-z]{3,9},\s+)?([A-Za-z]{3,9})\.?\s+([0-9]{1,2})(?:st|nd|rd|th)?,?\s+([0-9]{4})(?:[ T,]+(.*))?$"
# Serial numbers of the years 1927 to 2099; anything else of five digits is not a date.
_SERIAL = r"^([1-6][0-9]{4}|7[0-2][0-9]{3})(?:\.([0-9]+))?$"
_TIME = r"^(?i)([0-9]{1,2})(?:[:.]([0-9]{2}))?(?:[:.]([0-9]{2}))?(?:\.[0-9]+)?\s*([ap])?\.?m?\.?(?:\s*(?:Z|UTC|GMT|[A-Z]{3,4}))?$"
_FIGURES, _SINCE_1970 = r"^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})$", r"^[0-9]{9,13}$"
_EARLIEST_SECOND, _LATEST_SECOND = 315_532_800, 4_102_444_800
"""The years 1980 to 2100."""
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_FULL = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
_MONTH = {name: place for place, name in enumerate(_MONTHS, 1)} | {n: p for p, n in enumerate(_FULL, 1)} | {"sept": 9}


_SEPARATORS = "/.-"


@dataclass(frozen=True)
class Evidence:
    """What a column of dates says about its own order.

    Each figure is told for each separator: 13.02.2024 says nothing of 3/4/2024, which somebody else has written.
    """

    days_first: tuple[int, ...] = (0, 0, 0)
    months_first: tuple[int, ...] = (0, 0, 0)
    either: tuple[int, ...] = (0, 0, 0)
    others: int = 0
    """Dates that need no order: ISO, named months, serials."""
    figures: int = 0
    """Of those, real days in eight figures: 20240301."""
    seconds: int = 0
    """And numbers that could be seconds since 1970."""
    milliseconds: int = 0
    nothing: int = 0
    """And those of noughts alone, by which old tables say that there is none."""

    def __add__(self, other: "Evidence") -> "Evidence":
        def both(ours: tuple[int, ...], theirs: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(map(int.__add__, ours, theirs))

        return Evidence(
            both(self.days_first, other.days_first), both(self.months_first, other.months_first), both(self.either, other.either), self.others + other.others,
            self.figures + other.figures, self.seconds + other.seconds, self.milliseconds + other.milliseconds, self.nothing + other.nothing,
        )  # fmt: skip

    @property
    def day_first(self) -> int:
        return sum(self.days_first)

    @property
    def month_first(self) -> int:
        return sum(self.months_first)

    @property
    def undecided(self) -> int:
        return sum(self.either)

    @property
    def order(self) -> Order | None:
        if self.others and not self.day_first + self.month_first + self.undecided:
            return self._in_figures
        if bool(self.day_first) == bool(self.month_first):
            return None
        if any(open_ and not day and not month for day, month, open_ in zip(self.days_first, self.months_first, self.either, strict=True)):
            return None
        return "dmy" if self.day_first else "mdy"

    @property
    def _in_figures(self) -> Order | None:
        """Bare figures are days only where all of the column is."""
        filled = self.others - self.nothing
        told: tuple[tuple[int, Order], ...] = ((self.figures, "ymd"), (self.seconds, "seconds"), (self.milliseconds, "milliseconds"))
        return next((order for count, order in told if count and count == filled), None)

    @property
    def must_ask(self) -> bool:
        """True where a date could be read in two ways and the column does not settle it."""
        return self.order is None and self.undecided > 0


def evidence(values: pl.Series) -> Evidence:
    """Look at a column of dates as text. Only real calendar days count as evidence."""
    return evidence_of(known(values).rename("t").value_counts(name="n"))


_FIRST_FIGURES, _BARE = r"^[0-9]{1,2}[/.\-][0-9]", "^(?:[0-9]{8,13}|0+)$"


def evidence_of(counts: pl.DataFrame) -> Evidence:
    """The same of distinct texts `t`, of which `n` cells hold each."""
    counts = counts.with_columns(pl.col("t").str.strip_chars().str.strip_suffix("*"))
    odd = kept(counts, pl.col("t").str.contains(_FIRST_FIGURES) | pl.col("t").str.contains(_BARE))
    rest = Evidence(others=int(counts["n"].sum()) - int(odd["n"].sum()))
    return rest + _in_figures(odd) if odd.height else rest


def _in_figures(counts: pl.DataFrame) -> Evidence:
    parts = counts.with_columns(
        pl.col("t").str.extract(_NUMERIC, 1).cast(pl.Int16).alias("a"),
        pl.col("t").str.extract(_NUMERIC, 2).cast(pl.Int16).alias("b"),
        _year(pl.col("t").str.extract(_NUMERIC, 3), 2068).alias("y"),
        pl.col("t").str.extract(r"^[0-9]{1,2}([/.\-])", 1).alias("mark"),
    )
    numeric = kept(parts, parts["a"].is_not_null()).with_columns(
        _is_day("y", "b", "a").alias("dmy"),
        _is_day("y", "a", "b").alias("mdy"),
    )

    dmy, mdy, n = pl.col("dmy"), pl.col("mdy"), pl.col("n")
    told = {"days_first": dmy & ~mdy, "months_first": mdy & ~dmy, "either": dmy & mdy & (pl.col("a") != pl.col("b"))}
    marks = {row.pop("mark"): row for row in numeric.group_by("mark").agg(n.filter(holds).sum().alias(name) for name, holds in told.items()).to_dicts()}

    def by_mark(name: str) -> tuple[int, ...]:
        return tuple(int(marks[mark][name]) if mark in marks else 0 for mark in _SEPARATORS)

    figures = Evidence(days_first=by_mark("days_first"), months_first=by_mark("months_first"), either=by_mark("either"))

    bare = kept(parts, parts["a"].is_null())
    if bare.is_empty():
        return figures
    since = pl.col("t").str.extract(_SINCE_1970, 0).cast(pl.Int64)
    also = {
        "others": pl.lit(True), "figures": _of_figures(pl.col("t")).is_not_null(), "seconds": since.is_between(_EARLIEST_SECOND, _LATEST_SECOND),
        "milliseconds": since.is_between(_EARLIEST_SECOND * 1000, _LATEST_SECOND * 1000), "nothing": pl.col("t").str.contains("^0+$"),
    }  # fmt: skip
    found = bare.select(n.filter(holds.fill_null(False)).sum().alias(name) for name, holds in also.items()).row(0, named=True)
    found = {name: int(count) for name, count in found.items()}
    return replace(figures, others=found["others"], figures=found["figures"], seconds=found["seconds"], milliseconds=found["milliseconds"], nothing=found["nothing"])


def _of_figures(text: pl.Expr) -> pl.Expr:
    """The day in eight figures; null where it is none."""
    pieces = [text.str.extract(_FIGURES, place) for place in (1, 2, 3)]
    return pl.concat_str(pieces, separator="-").str.to_date("%Y-%m-%d", strict=False)


def _is_day(year: str, month: str, day: str) -> pl.Expr:
    y, m, d = pl.col(year).cast(pl.String), pl.col(month).cast(pl.String), pl.col(day).cast(pl.String)
    return (y + "-" + m.str.zfill(2) + "-" + d.str.zfill(2)).str.to_date("%Y-%m-%d", strict=False).is_not_null()


def _year(text: pl.Expr, latest: int) -> pl.Expr:
    """Two digits: the century that keeps the year at or before `latest`."""
    number = text.cast(pl.Int32)
    near = pl.when(number + 2000 <= latest).then(number + 2000).otherwise(number + 1900)
    return pl.when(text.str.len_chars() == 2).then(near).otherwise(number)


def parse(values: pl.Series, order: Order | None, latest: date, epoch_1904: bool = False) -> pl.DataFrame:
    """Read a column of days written in any of the known shapes.

    Args:
        values: the cells as exported; blank means no date.
        order: of day and month in all-figure dates, as decided for the column; None where none needs it. Bare figures are
            read only where the column was told to be all of them.
        latest: two-digit years never lie after this day's year.
        epoch_1904: bare serial numbers count from 1904, as the workbook says.

    Returns:
        `text`, `day` (null where it can't be read), `time` (HH:MM:SS, if one was given), `shape`, one row per
        distinct text. Shapes: iso, numeric, named, serial, two_digit_year, since_1970, unread.
    """
    table = known(values).unique(maintain_order=True).rename("text").to_frame()
    start = date(1904, 1, 1) if epoch_1904 else date(1899, 12, 30)
    if order in ("ymd", "seconds", "milliseconds"):
        return _closely(table, order, latest, start)
    plain = _plainly(table, order, start)
    if not plain["day"].null_count():
        return plain
    return told_apart(plain, plain["day"].is_not_null(), lambda read: read, lambda rest: _closely(rest.select("text"), order, latest, start))


_PLAIN_NUMERIC = "^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$"
_PLAIN_ISO, _PLAIN_NAMED, _PLAIN_SERIAL = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "^[0-9]{1,2}[ -][A-Za-z]{3,9}[ -][0-9]{4}$", "^(?:[1-6][0-9]{4}|7[0-2][0-9]{3})$"


def _plainly(table: pl.DataFrame, order: Order | None, start: date) -> pl.DataFrame:
    """What `_closely` says of the commonest shapes, in a tenth of the time; no day where it takes a closer look."""
    text = pl.col("text")
    shape = (
        pl.when(text.str.contains(_PLAIN_ISO)).then(pl.lit("iso")).when(text.str.contains(_PLAIN_NAMED)).then(pl.lit("named"))
        .when(text.str.contains(_PLAIN_SERIAL)).then(pl.lit("serial"))
    )  # fmt: skip
    in_figures = pl.lit(None, pl.Date)
    if order in ("dmy", "mdy"):
        in_figures = text.str.to_date("%d/%m/%Y" if order == "dmy" else "%m/%d/%Y", strict=False, cache=False)
        numeric = pl.when(text.str.contains(_PLAIN_NUMERIC)).then(in_figures)
        read = table.select("text", numeric.alias("day"), pl.lit(None, pl.String).alias("time"), pl.lit("numeric").alias("shape"))
        if read["day"].null_count() * 2 < read.height:  # such a column is written so from top to bottom, or nearly
            return read
        shape = shape.when(text.str.contains(_PLAIN_NUMERIC)).then(pl.lit("numeric"))
    day = (
        pl.when(pl.col("shape") == "iso").then(text.str.to_date("%Y-%m-%d", strict=False, cache=False))
        .when(pl.col("shape") == "named").then(text.str.replace_all(" ", "-", literal=True).str.to_date("%d-%B-%Y", strict=False, cache=False))
        .when(pl.col("shape") == "numeric").then(in_figures)
        .when(pl.col("shape") == "serial").then(pl.lit(start) + pl.duration(days=text.cast(pl.Int32, strict=False)))
    )  # fmt: skip
    return table.with_columns(shape.alias("shape")).select("text", day.alias("day"), pl.lit(None, pl.String).alias("time"), "shape")


def _closely(table: pl.DataFrame, order: Order | None, latest: date, start: date) -> pl.DataFrame:
    """`parse`, of distinct texts."""
    clean = pl.col("text").str.strip_chars().str.strip_suffix("*").str.strip_chars()
    table = table.with_columns(clean.alias("t"))
    t = pl.col("t")
    first, second = (1, 2) if order != "mdy" else (2, 1)
    month_name = pl.coalesce(t.str.extract(_NAMED, 2), t.str.extract(_NAMED_US, 1)).str.to_lowercase()
    numeric, named = t.str.contains(_NUMERIC) & pl.lit(order in ("dmy", "mdy")), t.str.contains(_NAMED)
    # Where no order was needed, the all-figure dates are those with equal day and month.
    numeric = numeric | (t.str.contains(_NUMERIC) & (t.str.extract(_NUMERIC, 1).cast(pl.Int16) == t.str.extract(_NUMERIC, 2).cast(pl.Int16)))
    named_us, iso = t.str.contains(_NAMED_US), t.str.contains(_ISO)
    shown_year = pl.coalesce(t.str.extract(_NUMERIC, 3), t.str.extract(_NAMED, 3))
    table = table.with_columns(
        y=pl.when(iso).then(t.str.extract(_ISO, 1).cast(pl.Int32)).when(numeric | named).then(_year(shown_year, latest.year))
        .when(named_us).then(t.str.extract(_NAMED_US, 3).cast(pl.Int32)),
        m=pl.when(iso).then(t.str.extract(_ISO, 2)).when(numeric).then(t.str.extract(_NUMERIC, second))
        .when(named | named_us).then(month_name.replace_strict(_MONTH, default=None, return_dtype=pl.Int32).cast(pl.String)),
        d=pl.when(iso).then(t.str.extract(_ISO, 3)).when(numeric).then(t.str.extract(_NUMERIC, first))
        .when(named).then(t.str.extract(_NAMED, 1)).when(named_us).then(t.str.extract(_NAMED_US, 2)),
        rest=pl.coalesce(t.str.extract(_ISO, 4), t.str.extract(_NUMERIC, 4), t.str.extract(_NAMED, 4), t.str.extract(_NAMED_US, 4)),
        shape=pl.when(iso).then(pl.lit("iso"))
        .when((numeric | named) & (shown_year.str.len_chars() == 2)).then(pl.lit("two_digit_year"))
        .when(numeric).then(pl.lit("numeric")).when(named | named_us).then(pl.lit("named"))
        .when(t.str.contains(_SERIAL)).then(pl.lit("serial")).otherwise(pl.lit("unread")),
    )  # fmt: skip
    if order in ("ymd", "seconds", "milliseconds"):
        return _bare(table, order)
    serial = t.str.extract(_SERIAL, 1).cast(pl.Int32, strict=False)
    serial_day = pl.lit(start) + pl.duration(days=serial)
    fraction = ("0." + t.str.extract(_SERIAL, 2)).cast(pl.Float64)
    seconds = (fraction * 86400).round().cast(pl.Int32)
    joined = pl.col("y").cast(pl.String).str.zfill(4) + "-" + pl.col("m").str.zfill(2) + "-" + pl.col("d").str.zfill(2)
    table = table.with_columns(
        day=pl.when(pl.col("shape") == "serial").then(serial_day).otherwise(joined.str.to_date("%Y-%m-%d", strict=False)),
        time=pl.coalesce(time_of(pl.col("rest")), _clock(seconds)),
    )
    # Text behind the date that is no time of day would be lost: then nothing was read.
    lost = pl.col("rest").is_not_null() & (pl.col("rest").str.strip_chars() != "") & pl.col("time").is_null()
    unread = pl.col("day").is_null() | lost
    return table.select(
        "text",
        pl.when(~unread).then("day").alias("day"),
        pl.when(~unread).then("time").alias("time"),
        pl.when(unread).then(pl.lit("unread")).otherwise("shape").alias("shape"),
    )


def _bare(table: pl.DataFrame, order: Order) -> pl.DataFrame:
    """The same of a column of bare figures, of which each is a day, or a moment since 1970."""
    t = pl.col("t")
    number = t.str.extract(_SINCE_1970, 0).cast(pl.Int64) // (1000 if order == "milliseconds" else 1)
    moment = pl.from_epoch(pl.when(number.is_between(_EARLIEST_SECOND, _LATEST_SECOND)).then(number), "s")
    day, time, shape = (_of_figures(t), pl.lit(None, pl.String), "numeric") if order == "ymd" else (moment.dt.date(), moment.dt.strftime("%H:%M:%S"), "since_1970")
    table = table.with_columns(day.alias("day"), time.alias("time"))
    return table.select("text", "day", "time", pl.when(pl.col("day").is_null()).then(pl.lit("unread")).otherwise(pl.lit(shape)).alias("shape"))


def time_of(text: pl.Expr) -> pl.Expr:
    """A time of day as HH:MM:SS, 24 hours; null where the text is none."""
    t = text.str.strip_chars()
    hour, minute, second = (t.str.extract(_TIME, n).cast(pl.Int32) for n in (1, 2, 3))
    half = t.str.extract(_TIME, 4).str.to_lowercase()
    minute, second = minute.fill_null(0), second.fill_null(0)
    hour24 = pl.when(half == "p").then(hour % 12 + 12).when(half == "a").then(hour % 12).otherwise(hour)
    bare = half.is_null() & t.str.extract(_TIME, 2).is_null()
    good = (hour24 < 24) & (minute < 60) & (second < 60) & ~bare & (half.is_null() | (hour <= 12))
    return pl.when(good).then(_clock(hour24 * 3600 + minute * 60 + second))


def _clock(seconds: pl.Expr) -> pl.Expr:
    def two(number: pl.Expr) -> pl.Expr:
        return number.cast(pl.String).str.zfill(2)

    return two(seconds // 3600) + ":" + two(seconds // 60 % 60) + ":" + two(seconds % 60)
