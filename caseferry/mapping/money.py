"""Money and durations, read whole columns at a time into exact decimals of four places."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from caseferry.frames import known
from caseferry.mapping.distinct import each_once, told_apart

MONEY = pl.Decimal(24, 4)
_PLAIN = r"^-?\d{1,18}(?:\.\d{1,4}0*)?$|^-?\.\d{1,4}0*$"
_CODES = ("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR", "JPY", "MXN", "NOK", "NZD", "PLN", "SEK", "SGD", "USD", "ZAR")
_CURRENCY = r"(?i)(?:US|NZ|AU|CA|HK|SG|A|C|S)?\$|[£€¥₹₪]|" + "|".join(_CODES)
_SIGNS = {
    "USD": ("US$", "$"), "AUD": ("A$", "AU$", "$"), "CAD": ("C$", "CA$", "$"), "NZD": ("NZ$", "$"), "HKD": ("HK$", "$"), "SGD": ("S$", "SG$", "$"),
    "MXN": ("$",), "GBP": ("£",), "EUR": ("€",), "JPY": ("¥",), "CNY": ("¥",), "INR": ("₹",), "ILS": ("₪",),
}  # fmt: skip
"""How amounts of a currency are marked, beside its code. A bare $ is every dollar's."""
_COMMA_DECIMAL = r"^[^\d]*\d{1,3}(?:\.\d{3})*,\d{1,2}[^\d]*$|^[^\d]*\d+,\d{1,2}[^\d]*$"
_BLANKS = r"[\s\u00a0\u2007\u202f]"
_APOSTROPHES = r"^[^\d]*\d{1,3}(?:['’]\d{3})+(?:[.,]\d{1,2})?[^\d]*$"
"""As the Swiss write thousands: it can be nothing else."""
_THOUSANDS = r"^[^\d]*\d{1,3}(?:,\d{3})+(?:\.\d+)?[^\d]*$"


Unit = Literal["hours", "units", "minutes", "seconds"]


@dataclass(frozen=True)
class Decimals:
    """How a column of amounts writes its decimals: cells that hold a comma, those that must be decimals behind one, and
    those that have decimals behind a point.
    """

    commas: int = 0
    behind_comma: int = 0
    behind_point: int = 0

    def __add__(self, other: "Decimals") -> "Decimals":
        return Decimals(self.commas + other.commas, self.behind_comma + other.behind_comma, self.behind_point + other.behind_point)

    @property
    def are_behind_comma(self) -> bool:
        """True where the column writes 1.234,50. Decided by cells that can be read in one way only."""
        return 0 < self.commas == self.behind_comma and not self.behind_point


def decimals(values: pl.Series) -> Decimals:
    """Look at a column of amounts as text; of equal texts one will do."""
    text = known(values).unique().str.replace_all(_BLANKS, "")
    comma = text.filter(text.str.contains(",", literal=True))
    return Decimals(comma.len(), int(comma.str.contains(_COMMA_DECIMAL).sum()), int(text.str.contains(r"\d\.\d{1,2}\D*$").sum()))


def parse(values: pl.Series, credit: Literal["positive", "negative"] = "negative", comma: bool = False, currency: str = "") -> pl.DataFrame:
    """Read a column of amounts.

    Parentheses, a trailing minus and `DR`/`CR` are signs; `-` alone is zero.

    Args:
        credit: what `CR` means in this report; `DR` is the other.
        comma: the column writes decimals behind a comma.
        currency: what the amounts are in, as ISO 4217 has it; nothing where any will do.

    Returns:
        `text`, `amount` (null where it can't be read exactly, or is in another currency) and `is_foreign`, one row per
        distinct text.
    """
    table = known(values).unique(maintain_order=True).rename("text").to_frame()
    own = [currency, *_SIGNS.get(currency, ())]
    if comma or (currency and "$" not in own):
        return _closely(table, credit, comma, currency)
    is_short = table["text"].str.contains(_SHORT)
    amount = pl.col("text").str.replace_all("[$,]", "").cast(MONEY)
    return told_apart(
        table, is_short, lambda plain: plain.select("text", amount.alias("amount"), pl.lit(False).alias("is_foreign")), lambda rest: _closely(rest, credit, comma, currency)
    )


_SHORT = r"^\$?(?:[0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.[0-9]{2})?$"
"""Amounts as most reports print them: they can be read in one way only, if a point is a point and $ is the currency."""


def _closely(table: pl.DataFrame, credit: Literal["positive", "negative"], comma: bool, currency: str) -> pl.DataFrame:
    """`parse`, of distinct texts."""
    signs = f"{_CURRENCY}|{currency}" if currency else _CURRENCY
    bare = pl.col("text").str.replace_all(_BLANKS, "")
    own = [currency, *_SIGNS.get(currency, ())]
    foreign = bare.str.to_uppercase().str.extract_all(signs).list.eval(~pl.element().is_in(own)).list.any() if currency else pl.lit(False)
    table = table.with_columns(foreign.alias("is_foreign"))
    bare = pl.when(bare.str.contains(_APOSTROPHES)).then(bare.str.replace_all("['’]", "")).otherwise(bare)
    t = bare.str.replace_all(signs, "")
    side = t.str.extract(r"(?i)(CR|DR)\.?$", 1).str.to_uppercase()
    bare = t.str.replace(r"(?i)(?:CR|DR)\.?$", "").str.replace_all("−", "-", literal=True)
    brackets = bare.str.contains(r"^-?\(.*\)$")
    trailing = bare.str.contains(r"[\d.]-$")
    number = bare.str.replace_all(r"[()]", "").str.strip_suffix("-")
    if comma:
        number = number.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    else:
        grouped = number.str.contains(_THOUSANDS)
        number = pl.when(grouped).then(number.str.replace_all(",", "", literal=True)).otherwise(number)
        # 1.234 may be a thousand and more, or one and a bit: nobody can tell.
        number = pl.when(~number.str.contains(r"^-?[1-9]\d{0,2}\.\d{3}$")).then(number)
    number = pl.when(t.is_in(["-", "–", "—"])).then(pl.lit("0")).otherwise(number.str.strip_prefix("+"))
    table = table.with_columns(number.alias("n"), side.alias("side"), (brackets | trailing).alias("minus"))
    amount = pl.when(pl.col("n").str.contains(_PLAIN)).then(pl.col("n")).cast(MONEY, strict=False)
    negative_side = "CR" if credit == "negative" else "DR"
    flips = pl.col("minus").cast(pl.Int8) + (pl.col("side") == negative_side).fill_null(False).cast(pl.Int8)
    # Two signs on one amount contradict or repeat each other: a person must look.
    amount = pl.when((flips == 2) | pl.col("is_foreign")).then(None).when(flips == 1).then(-amount).otherwise(amount)
    return table.select("text", amount.cast(MONEY).alias("amount"), "is_foreign")


def parse_hours(values: pl.Series, unit: Unit) -> pl.DataFrame:
    """Read a column of durations: 1.5, 1:30, 1h 30m, 1h30, 90 min, or a bare number of `unit`.

    Returns:
        `text` and `hours`: decimal hours, exact to four places; null where it can't be read exactly.
    """
    table = known(values).unique(maintain_order=True).rename("text").to_frame()
    hours = (pl.col("text").cast(MONEY) / _IN_AN_HOUR[unit]).cast(MONEY).alias("hours")
    return told_apart(table, table["text"].str.contains(_FIGURES), lambda plain: plain.select("text", hours), lambda rest: _hours_closely(rest, unit))


_FIGURES = r"^[0-9]{1,6}(?:\.[0-9]{1,4})?$"
_IN_AN_HOUR: dict[Unit, int] = {"hours": 1, "units": 10, "minutes": 60, "seconds": 3600}


def _hours_closely(table: pl.DataFrame, unit: Unit) -> pl.DataFrame:
    """`parse_hours`, of distinct texts."""
    # 1h30 is an hour and a half: two figures behind the hours, below sixty, can be nothing but minutes.
    short = r"^(\d{1,4})\s?h\s?([0-5]\d)$"
    # 0,5 is half an hour: with one or two digits behind it a comma can be nothing but the decimal sign.
    t = pl.col("text").str.strip_chars().str.to_lowercase().str.replace(r"^(\d+),(\d{1,2})$", "${1}.${2}").str.replace(short, "${1}:${2}")
    clock_h, clock_m = t.str.extract(r"^(\d{1,4}):([0-5]\d)(?::00)?$", 1), t.str.extract(r"^(\d{1,4}):([0-5]\d)(?::00)?$", 2)
    words = r"^(?:(\d+(?:\.\d{1,4})?)\s*h(?:ou)?(?:rs?)?)?\s*(?:(\d+)\s*m(?:in(?:ute)?s?)?)?\.?$"
    word_h, word_m = t.str.extract(words, 1), t.str.extract(words, 2)
    bare = t.str.extract(r"^(\d{0,6}(?:\.\d{1,4})?)$", 1)
    zero = pl.lit("0")
    minutes = (
        pl.when(clock_h.is_not_null()).then(clock_h.cast(MONEY, strict=False) * 60 + clock_m.cast(MONEY, strict=False))
        .when((word_h.is_not_null() | word_m.is_not_null()) & (t != "") & bare.is_null())
        .then(pl.coalesce(word_h, zero).cast(MONEY, strict=False) * 60 + pl.coalesce(word_m, zero).cast(MONEY, strict=False))
    )  # fmt: skip
    table = table.with_columns(minutes.alias("minutes"), pl.when(bare != "").then(bare).cast(MONEY, strict=False).alias("bare"))
    hours = pl.coalesce(pl.col("minutes") / 60, pl.col("bare") / _IN_AN_HOUR[unit]).cast(MONEY)
    return table.select("text", hours.alias("hours"))


def plain(column: str) -> pl.Expr:
    """An amount as import files write it: no sign of currency, no thousands, at least two places."""
    return each_once(pl.col(column).cast(MONEY), lambda amount: amount.cast(pl.String).str.replace(r"(\.\d\d)(\d*?)0+$", "${1}${2}"))


def plain_hours(column: str) -> pl.Expr:
    """Decimal hours without trailing zeros: 1.5, 0.1, 2."""
    return each_once(pl.col(column).cast(MONEY), lambda hours: hours.cast(pl.String).str.replace(r"0+$", "").str.replace(r"\.$", ""))
