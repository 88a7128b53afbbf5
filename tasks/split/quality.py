"""The data-quality report: what a list looks like before anything is done with it.

Counts and shapes only: a digit is 9, a letter is a. No cell's text leaves this page.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from caseferry.frames import known, stacked
from caseferry.manifest import ColumnUse, Joined, Table
from caseferry.mapping.contact_points import email_key, is_email, phone_key
from caseferry.mapping.names import key, number_key
from caseferry.records import RECORDS, Type
from caseferry.services.scratch import Scratch
from caseferry.tally import Tally

_SHOWN = {Type.DATE, Type.BIRTH, Type.MOMENT, Type.PHONE, Type.EMAIL, Type.POSTCODE, Type.MONEY}
_MOST_SHAPES = 8
_TOGETHER = 100_000
IMPORTANT = {
    "contact": ("display_name", "first_name", "last_name", "company", "email", "phone"),
    "matter": ("number", "client", "description", "responsible", "status", "opened_on"),
    "time_entry": ("performed_on", "matter", "staff", "hours", "rate"),
    "receivable": ("matter", "outstanding"),
    "trust": ("matter", "balance"),
    "task": ("name", "due_on", "assignee", "matter"),
    "note": ("body", "matter"),
    "calendar_event": ("subject", "start_on", "owner"),
    "related_contact": ("matter", "contact", "role"),
    "email": ("sender", "recipients", "sent_at", "matter"),
    "phone_log": ("called_at", "matter"),
}

_NAMED_IN_SEVERAL_WAYS = frozenset({"contact"})
"""Records whose important fields stand for each other: none of them is missing because its column is."""


class Quality:
    """One table's quality, gathered from its data some rows at a time.

    Args:
        columns: its columns, as its headings tell them; joined, those that make a field together.
        scratch: for what gets too much to be held.
    """

    def __init__(self, record: str, columns: Sequence[ColumnUse], scratch: Scratch, joined: Mapping[str, Joined]) -> None:
        self._record = record
        kinds = RECORDS[record]
        self._shown = {c.place: kinds[c.field].type for c in columns if c.use == "mapped" and kinds[c.field].type in _SHOWN}
        self._shapes: dict[int, Counter[str]] = {place: Counter() for place in self._shown}
        self._keys = [(label, hashes, Tally(scratch)) for label, hashes in _keys(record, columns, joined)]
        named = {"number", "source_id"} if record == "matter" else {"matter"} if record != "contact" else set()
        self._named = [pl.col(f"c{c.place}") for c in columns if c.use == "mapped" and c.field in named - joined.keys()]
        self._named += [_together(one) for field, one in joined.items() if field in named]
        self._named_in = [pl.DataFrame(schema={"t": pl.String, "n": pl.UInt32})]
        """The matters named so far, and in each piece since."""

    def of(self, place: int) -> Iterator[Callable[[pl.DataFrame], None]]:
        """What wants to be told of a column's distinct texts."""
        if place in self._shown:
            yield partial(self._see_shapes, place)

    def _see_shapes(self, place: int, counts: pl.DataFrame) -> None:
        self._shapes[place].update(_shapes(counts, self._shown[place]))

    def see(self, data: pl.DataFrame) -> None:
        for _, hashes, tally in self._keys:
            tally.add(hashes(data))
        for expression in self._named:
            named = known(data.select(expression).to_series()).rename("t").value_counts(name="n")
            self._named_in.append(named.cast({"n": pl.UInt32}))
        if sum(one.height for one in self._named_in[1:]) > self._named_in[0].height + _TOGETHER:
            self._named_in = [self._added_up]

    @property
    def _added_up(self) -> pl.DataFrame:
        return stacked(self._named_in).group_by("t").agg(pl.col("n").sum())

    def report(self, table: Table, rows: int, empty: dict[int, int]) -> dict[str, Any]:
        """Empty cells per column, formats found, duplicates, and a score from 0 to 100."""
        important = IMPORTANT.get(table.record, ())
        columns = []
        empty_keys = odd = 0
        for column in table.columns:
            entry: dict[str, Any] = {"heading": column.heading, "field": column.field, "use": column.use, "empty": empty[column.place]}
            if column.place in self._shown:
                shapes = _most(self._shapes[column.place], self._shown[column.place])
                entry |= {"formats": shapes, "mixed": len(shapes) > 1}
                odd += sum(shapes.values()) - max(shapes.values(), default=0)
            if column.field in important and column.use == "mapped":
                entry["important"] = True
                empty_keys += empty[column.place]
            columns.append(entry)
        duplicates = self._duplicates()
        there = {column.field for column in table.columns if column.use == "mapped"}
        missing = [field for field in important if field not in there] if table.record not in _NAMED_IN_SEVERAL_WAYS else []
        cells_seen = max(1, rows * max(1, len(important)))
        lost = (empty_keys + rows * len(missing) + 0.5 * odd + duplicates["rows"]) / cells_seen
        return {
            "table": table.id, "file": table.file, "sheet": table.sheet, "record": table.record, "rows": rows,
            "columns": columns, "missing": missing, "empty_key_fields": empty_keys, "bad_formats": odd, "duplicates": duplicates, "orphans": 0,
            "score": round(100 * max(0.0, 1 - lost)),
        }  # fmt: skip

    def _duplicates(self) -> dict[str, Any]:
        """Groups of rows that share what should be their own."""
        groups, most = [], 0
        for label, _, tally in self._keys:
            several = tally.several()
            if several.height:
                rows = int(several["n"].sum())
                groups.append({"keys": label, "groups": several.height, "rows": rows})
                most = max(most, rows - several.height)
        return {"by": groups, "rows": most}

    @property
    def matters(self) -> pl.DataFrame:
        """The normal forms `k` of the matter numbers the table names, and how many rows name each, `n`."""
        return self._added_up.select(number_key(pl.col("t")).alias("k"), "n").drop_nulls("k")


def _shapes(counts: pl.DataFrame, kind: Type) -> dict[str, int]:
    """How many cells have each shape."""
    if counts.is_empty():
        return {}
    distinct = counts.with_columns(pl.col("t").str.strip_chars())
    text = pl.col("t")
    if kind is Type.EMAIL:
        told = distinct.select("n", is_email(text).alias("good"), text.str.contains(r"@.*[;,\s].*@").alias("several"))
        named = {"one address": int(told.filter("good")["n"].sum()), "several addresses": int(told.filter(pl.col("several") & ~pl.col("good"))["n"].sum())}
        return named | {"other text": int(distinct["n"].sum()) - sum(named.values())}
    digit, letter = _ASCII if distinct["t"].str.len_bytes().sum() == distinct["t"].str.len_chars().sum() else _ANY
    if kind in {Type.DATE, Type.BIRTH, Type.MOMENT}:
        shape = text.str.replace_all(letter + "{3,}", "mmm").str.replace_all(digit + "{4}", "yyyy").str.replace_all(digit + "{1,2}", "9")
    else:
        shape = text.str.replace_all(digit, "9").str.replace_all(letter + "+", "a").str.replace_all(r"9{5,}", "9…")
    if kind is Type.MONEY:
        shape = shape.str.replace_all(r"[9,]*9", "9").str.replace_all(r"\.9+", ".9")
    return {str(name): int(count) for name, count in distinct.group_by(shape.alias("s")).agg(pl.col("n").sum()).iter_rows()}


_ASCII, _ANY = ("[0-9]", "[A-Za-z]"), (r"\d", r"\p{L}")
"""A digit and a letter. Those of all scripts take a millisecond to look for even where there is nothing."""


def _most(shapes: Counter[str], kind: Type) -> dict[str, int]:
    """The commonest shapes, and how many cells have another."""
    if kind is Type.EMAIL:
        return {name: shapes[name] for name in ("one address", "several addresses", "other text") if shapes[name]}
    ranked = sorted(shapes.items(), key=lambda one: (-one[1], one[0]))
    rest = sum(count for _, count in ranked[_MOST_SHAPES:])
    return dict(ranked[:_MOST_SHAPES]) | ({"other": rest} if rest else {})


def _together(joined: Joined) -> pl.Expr:
    return pl.concat_str([f"c{place}" for place in joined.places], separator=joined.between)


def _keys(record: str, columns: Sequence[ColumnUse], joined: Mapping[str, Joined]) -> Iterator[tuple[str, Callable[[pl.DataFrame], pl.Series]]]:
    """What should be each row's own, by what it is called, as hashes."""
    places = {c.field: f"c{c.place}" for c in reversed(columns) if c.use == "mapped"}
    if record == "contact":
        if "email" in places:
            yield "e-mail", _hashes(email_key(pl.col(places["email"])))
        names = [places[f] for f in ("first_name", "last_name", "company", "display_name") if f in places]
        phone = next((places[f] for f in ("phone_mobile", "phone") if f in places), "")
        if phone and names:
            name = key(pl.concat_str(names, separator=" ", ignore_nulls=True))
            yield "name and phone", _hashes(name + "|" + phone_key(pl.col(phone)))
        return
    if record == "matter" and "number" in places:
        yield "matter number", _hashes(number_key(_together(joined["number"]) if "number" in joined else pl.col(places["number"])))
    yield "whole row", lambda data: data.select(name for name in data.columns if name[0] == "c" and name[1:].isdigit()).hash_rows()


def _hashes(text: pl.Expr) -> Callable[[pl.DataFrame], pl.Series]:
    filled = text.alias("k")
    return lambda data: data.select(filled).filter(pl.col("k") != "").select(pl.col("k").hash()).to_series()
