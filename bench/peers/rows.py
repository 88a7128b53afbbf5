"""What every way of going row by row shares: one value read at a time, days remembered."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

_SHAPES = ("%Y-%m-%d", "%d-%b-%Y", "%d %B %Y")


@lru_cache(maxsize=100_000)
def day(text: str) -> str:
    """A day as ISO writes it."""
    if text.isdigit():
        return (date(1899, 12, 30) + timedelta(days=int(text))).isoformat()
    for shape in _SHAPES:
        try:
            return datetime.strptime(text, shape).date().isoformat()
        except ValueError:
            continue
    raise ValueError("no day")


@lru_cache(maxsize=100_000)
def cents(text: str) -> Decimal:
    return Decimal(text.replace("$", "").replace(",", ""))


def hours(units: str) -> Decimal:
    return Decimal(units) / 10
