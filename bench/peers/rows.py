"""What every way of going row by row shares: one value read at a time, days remembered, and the loop round it."""

import csv
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from bench.peers import HEADER

Entry = tuple[str, str, str, Decimal, Decimal, str]
"""Matter, day, note, price, quantity, user."""
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


def matters(lists: Path) -> set[str]:
    with (lists / "Matters.csv").open(newline="", encoding="utf-8") as file:
        return {row["Matter No"] for row in csv.DictReader(file)}


def carry(lists: Path, out: Path, read: Callable[[dict[str, str]], Entry | None]) -> dict[str, int]:
    """csv.DictReader in, csv.writer out; `read` gives the entry of an unbilled row, or nothing if it is rejected."""
    counts = {"carried": 0, "excluded": 0, "quarantined": 0}
    total = Decimal(0)
    with (
        (lists / "WIP.csv").open(newline="", encoding="utf-8") as file,
        (out / "activities.csv").open("w", newline="", encoding="utf-8") as made,
        (out / "rejects.csv").open("w", newline="", encoding="utf-8") as left,
    ):
        good, bad = csv.writer(made, quoting=csv.QUOTE_ALL), csv.writer(left)
        good.writerow(HEADER)
        for number, row in enumerate(csv.DictReader(file), 2):
            if row["Billed"] == "Yes":
                counts["excluded"] += 1
                bad.writerow([number, "billed"])
                continue
            entry = read(row)
            if entry is None:
                counts["quarantined"] += 1
                bad.writerow([number, "unknown"])
                continue
            total += (entry[3] * entry[4]).quantize(Decimal("0.01"))
            counts["carried"] += 1
            good.writerow(entry)
    return counts | {"cents": int(total * 100)}
