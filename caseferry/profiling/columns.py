"""What a column holds, told by its cells: kinds of values with their shares, and whether it could be a key."""

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from caseferry.mapping import dates
from caseferry.mapping.contact_points import is_email, is_phone
from caseferry.mapping.names import number_key

MOSTLY = 0.8
"""The share of filled cells from which on a column is of a kind."""
_YES_NO = ["yes", "no", "y", "n", "true", "false", "x", "ja", "nein", "j", "oui", "non", "o", "sí", "si", "s", "nee"]
_TWO_OF = [*_YES_NO, "-1", "0", "1", "t", "f", "v", "w", "sim", "não", "vero", "falso", "vrai", "faux", "wahr", "falsch", "verdadero"]
"""What means yes or no where a column holds no third."""
_ID = r"(?i)^\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?$"
_DURATION = r"(?i)^\d{1,3}\s?h\s?(?:[0-5]\d)?(?:\s?m(?:in)?)?$|^\d{1,4}\s?min\w*\.?$|^\d{1,3}:[0-5]\d$"
_BLANKS = r"[\s'’\u00a0\u202f]"
"""What may stand between the thousands of an amount, beside commas and points."""
_LONG = 120
"""Characters of a text that is prose, not a label."""
_TIME = r"(?i)^\d{1,2}:\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?)?$|^\d{1,2}\.\d{2}(?:\.\d{2})?\s*[ap]\.?m\.?$"
_MONEY = (
    r"^\(?-?\s*(?:[A-Z]{2,3}\s?)?[$£€]?\s?-?\d{1,3}(?:,?\d{3})*\.\d{2}\)?-?$|^\(?-?[$£€]\s?\d[\d,]*(?:\.\d+)?\)?$"
    r"|^\(?-?[€]?\s?(?:\d{1,3}(?:\.\d{3})+|\d+),\d{2}\)?-?\s?(?:€|EUR|CHF)?$"
)
_HOURS = r"^\d{1,3}(?:[.,]\d{1,2})?$|^\d{1,2}:\d{2}$"
_WHOLE, _NUMBER = r"^\d+$", r"^-?\d+(?:[.,]\d{1,4})?$"
_CODE = r"^[A-Za-z0-9][A-Za-z0-9./\-_#]{1,24}$"
_LATEST = date(2068, 1, 1)
_NO_PHONE = r"^(?:19|20)\d{6}$|^\d+/\d+$|^[1-4]\d{9}$"
"""Days in eight figures, numbers of a year, seconds."""
_LIKE_A_DAY = r"^\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4}"
_NAME = r"^[\p{L}'’.\- ]+(?:,\s*[\p{L}'’.\- ]+)?$"
_TELLING = (
    "days", "days in eight figures", "seconds since 1970", "ids of a database", "durations", "e-mail addresses", "telephone numbers", "times of day", "addresses on the web", "amounts", "yes or no", "whole numbers", "small numbers",
    "prose", "names", "codes",
)  # fmt: skip
"""Kinds of values, the one that says most first."""


@dataclass(frozen=True)
class Column:
    """One column of a list.

    Args:
        kinds: for each kind of value, the share of filled cells that are of it. A cell may be of several.
        keys: the normal forms of its distinct cells, to be held against those of other columns.
    """

    place: int
    heading: str
    rows: int
    filled: int
    distinct: int
    kinds: dict[str, float]
    keys: pl.Series = field(repr=False, compare=False)
    short: str = ""
    """The heading without what most headings of its list begin with."""

    @property
    def is_key(self) -> bool:
        """Each row has one of its own."""
        return self.filled > 1 and not self.is_mostly("days", "amounts", "times of day") and self.filled >= MOSTLY * self.rows and self.distinct == self.filled and not self.is_mostly("prose")

    @property
    def mostly(self) -> list[str]:
        """The kinds nearly all its cells are of."""
        return [kind for kind, share in self.kinds.items() if share >= MOSTLY]

    def is_mostly(self, *kinds: str) -> bool:
        return any(self.kinds.get(kind, 0) >= MOSTLY for kind in kinds)

    @property
    def shown(self) -> str:
        """What it holds, in words, without a cell's text."""
        if not self.filled:
            return "empty"
        told = next((f"{self.kinds[kind]:.0%} {kind}" for kind in _TELLING if self.kinds.get(kind, 0) >= 0.5), "text")
        return told + ("; no two alike" if self.is_key else f"; {self.distinct:,} different")


def describe(place: int, heading: str, cells: pl.Series) -> Column:
    """A column of text as read; empty cells are null."""
    text = cells.drop_nulls().str.strip_chars()
    counts = text.rename("t").value_counts(name="n")
    total = max(1, int(counts["n"].sum()))
    t = pl.col("t")
    lower = t.str.to_lowercase()
    told = counts.select(
        "n",
        **{
            "e-mail addresses": is_email(t),
            "telephone numbers": is_phone(t) & ~t.str.contains(_MONEY) & ~t.str.contains(_LIKE_A_DAY) & ~t.str.contains(_NO_PHONE),
            "times of day": t.str.contains(_TIME),
            "amounts": t.str.replace_all(_BLANKS, "").str.contains(_MONEY),
            "durations": t.str.contains(_DURATION),
            "ids of a database": t.str.contains(_ID),
            "small numbers": t.str.contains(_HOURS) & (t.str.replace("[:,]", ".").cast(pl.Float64, strict=False) <= 999).fill_null(False),
            "whole numbers": t.str.contains(_WHOLE),
            "numbers": t.str.contains(_NUMBER),
            "yes or no": lower.is_in(_YES_NO),
            "addresses on the web": t.str.contains(r"(?i)^(?:https?://|www\.)\S+$"),
            "codes": t.str.contains(_CODE) & t.str.contains(r"\d"),
            "names": t.str.contains(_NAME),
            "prose": (t.str.len_chars() > _LONG) | t.str.contains("\n", literal=True),
        },
    )
    kinds = {name: float(told.filter(pl.col(name))["n"].sum()) / total for name in told.columns if name != "n"}
    kinds["days"] = _days(text) / total
    if counts.height <= 2 and counts["t"].str.to_lowercase().is_in(_TWO_OF).all():
        kinds["yes or no"] = float(bool(counts.height))
    order = dates.evidence(text).order
    kinds |= {"days in eight figures": float(order == "ymd"), "seconds since 1970": float(order in ("seconds", "milliseconds"))}
    keys = counts.select(number_key(t).alias("k"))["k"].drop_nulls().unique()
    return Column(place, heading, cells.len(), text.len(), counts.height, {kind: round(share, 3) for kind, share in kinds.items() if share}, keys)


def _days(text: pl.Series) -> int:
    """Cells that are a day, in whatever order it is written; bare numbers are none."""
    seen = dates.parse(text, "dmy", _LATEST)
    other = dates.parse(text, "mdy", _LATEST)
    good = pl.concat([seen, other]).filter(pl.col("day").is_not_null() & ~pl.col("text").str.contains(r"^\d+(?:\.\d+)?$"))["text"].unique()
    return int(text.is_in(good.implode()).sum())
