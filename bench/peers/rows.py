"""What every way of going row by row shares: one value read at a time, days remembered, and the loop round it."""

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from bench.peers import HEADER, STAFF

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


COLUMNS = {"activities": HEADER, "rejects": ["line", "reason"]}
LOG = {"changes": ["line", "field", "before", "after"]}
Line = tuple[str, tuple[object, ...]]
"""The file it belongs to, and its cells."""


class Count:
    """What went where, told as the lines go by."""

    def __init__(self, is_logged: bool = False) -> None:
        self._is_logged = is_logged
        self.counts, self.total = {"carried": 0, "excluded": 0, "quarantined": 0}, Decimal(0)

    def lines(self, lists: Path, read: Callable[[dict[str, str]], Entry | None]) -> Iterator[Line]:
        """Each row of the list as a line of one of two files; `read` gives the entry of an unbilled row, or nothing if it is rejected."""
        with (lists / "WIP.csv").open(newline="", encoding="utf-8") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                if self._is_logged:
                    yield from changes(number, row)
                entry = None if row["Billed"] == "Yes" else read(row)
                if entry is not None:
                    self.total += (entry[3] * entry[4]).quantize(Decimal("0.01"))
                    self.counts["carried"] += 1
                    yield "activities", entry
                    continue
                reason = "billed" if row["Billed"] == "Yes" else "unknown"
                self.counts["excluded" if reason == "billed" else "quarantined"] += 1
                yield "rejects", (number, reason)

    @property
    def told(self) -> dict[str, int]:
        return self.counts | {"cents": int(self.total * 100)}


def plain(lists: Path) -> Callable[[dict[str, str]], Entry | None]:
    """A row read by functions alone."""
    known = matters(lists)

    def read(row: dict[str, str]) -> Entry | None:
        if row["Matter No"] not in known or row["Staff"] not in STAFF:
            return None
        return row["Matter No"], day(row["Date"]), row["Description"], cents(row["Rate"]), hours(row["Units"]), STAFF[row["Staff"]]

    return read


def changes(number: int, row: dict[str, str]) -> Iterator[Line]:
    """Each cell of a row that is written otherwise: what it was, and what it is."""
    after = {"Date": day(row["Date"]), "Units": str(hours(row["Units"])), "Rate": str(cents(row["Rate"])), "Amount": str(cents(row["Amount"]))}
    for name, text in after.items():
        if row[name] != text:
            yield "changes", (number, name, row[name], text)


def carry(lists: Path, out: Path, read: Callable[[dict[str, str]], Entry | None], is_logged: bool = False) -> dict[str, int]:
    """csv.DictReader in, csv.writer out."""
    count = Count(is_logged)
    columns = COLUMNS | LOG if is_logged else COLUMNS
    with ExitStack() as held:
        files = {name: held.enter_context((out / f"{name}.csv").open("w", newline="", encoding="utf-8")) for name in columns}
        writers = {name: csv.writer(file, quoting=csv.QUOTE_MINIMAL if name == "rejects" else csv.QUOTE_ALL) for name, file in files.items()}
        for name in columns:
            if name != "rejects":
                writers[name].writerow(columns[name])
        for name, line in count.lines(lists, read):
            writers[name].writerow(line)
    return count.told
