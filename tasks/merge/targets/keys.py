"""Keys that follow what a record says, for records the old system gave no id.

A second export of the same firm has its rows elsewhere: in other files, in another order, among more of them. A key that
follows list and row would name another record then, and whoever loads by key would overwrite one record and double another.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from hashlib import blake2b

import polars as pl

from caseferry.reading.grid import ROW
from caseferry.records import RECORDS
from caseferry.services.scratch import Scratch
from caseferry.tally import Tally
from tasks.merge.batches import Outcomes

IDENTITY: dict[str, tuple[str, ...]] = {
    "contact": ("source_id", "display_name", "given_name", "middle_name", "last_name", "company", "birth_on", "emails"),
    "matter": ("number", "description", "client", "opened_on"),
    "note": ("written_on", "subject", "body", "author", "matter", "contact"),
    "task": ("name", "due_on", "matter", "description"),
    "calendar_event": ("subject", "start_on", "start_time", "all_day", "time_zone", "owner", "matter", "recurrence"),
    "email": ("sent_at", "sent_time", "sender", "recipients", "copies", "subject", "body", "matter"),
    "phone_log": ("called_at", "called_time", "caller", "callee", "number", "direction", "note", "matter", "user"),
    "time_entry": ("performed_on", "matter", "staff", "quantity", "description", "category"),
}
"""What makes a record that very one; what comes and goes (who does it, how far it is) does not count."""
OWN_ID: dict[str, tuple[str, ...]] = {
    "task": ("source_id", "occurrence"), "calendar_event": ("source_id", "occurrence"), "email": ("source_id", "sent_at", "sent_time"),
}
"""The same where the program that made it gave it an id of its own: a calendar's UID, with the time of a series that is told by
itself; a message's Message-ID, with its moment, as some programs give all their messages one.
"""
SCATTERED = ("task", "note", "calendar_event", "email", "phone_log", "time_entry")
"""Records that come a batch at a time: their equals lie in any batch."""
_EXACT = pl.Decimal(38, 8)
_BETWEEN, _NAMED = "\x1e", "\x1f"


def said(frame: pl.DataFrame, fields: Iterable[str]) -> pl.Series:
    """What some fields of each row say, as one text; fields that are empty, or not there, say nothing."""
    pieces = [pl.repeat("", pl.len())]
    for name in fields:
        if name in frame.columns:
            pieces.append(pl.lit(name + _NAMED) + _text(pl.col(name), frame.schema[name]))
    return frame.select(pl.concat_str(pieces, separator=_BETWEEN, ignore_nulls=True).alias("said")).to_series()


def _text(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind.base_type() is pl.List:
        return value.list.join(_NAMED)
    return value.cast(_EXACT).cast(pl.String) if kind.is_decimal() else value.cast(pl.String)


def identity(record: str, frame: pl.DataFrame) -> pl.Series:
    """What makes each row that very record, as one text: its own id, where it has one; else what it says."""
    return _by_own_id(record, frame, said(frame, IDENTITY[record]), OWN_ID.get(record, ()))


def rest(record: str, frame: pl.DataFrame, without: Collection[str] = ()) -> pl.Series:
    """All else a row says, as one text."""
    fields = {field.name for field in RECORDS[record].fields} - {*without}
    own = sorted(fields - {*OWN_ID.get(record, ())})
    return _by_own_id(record, frame, said(frame, sorted(fields - {*IDENTITY[record]})), own)


def _by_own_id(record: str, frame: pl.DataFrame, plain: pl.Series, own: Collection[str]) -> pl.Series:
    """One text for rows that have no id of their own; where they have one, what some fields say."""
    if record not in OWN_ID or "source_id" not in frame.columns:
        return plain
    both = pl.DataFrame([frame["source_id"].alias("id"), plain.alias("plain"), said(frame, own).alias("own")])
    return both.select(pl.when(pl.col("id").is_null()).then("plain").otherwise("own").alias("said")).to_series()


def hashed(texts: pl.Series, size: int = 12) -> pl.Series:
    """A hash of each text that stays the same with every version of every library."""
    made = [blake2b(text.encode(), digest_size=size).hexdigest() for text in texts]
    return pl.Series("key", made, dtype=pl.String)


def keys_of(record: str, frame: pl.DataFrame, again: pl.DataFrame) -> pl.DataFrame:
    """`table`, `row` and `key` of each row.

    Args:
        again: of those that have equals, which they are: `table`, `row`, `again`.
    """
    places = frame.select("table", ROW).join(again, on=["table", ROW], how="left", maintain_order="left")
    keys = places.select("table", ROW, pl.lit(hashed(identity(record, frame))).alias("key"), "again")
    return keys.select("table", ROW, (f"{record}:" + pl.col("key") + _ordinal("again")).alias("key"))


def numbered(keys: pl.Series) -> pl.Series:
    """Keys of rows that are all there: those that are the same are told apart by a number."""
    counted = keys.rename("key").to_frame().with_columns(pl.col("key").cum_count().over("key").alias("again"))
    return counted.select(pl.col("key") + _ordinal("again")).to_series()


def _ordinal(name: str) -> pl.Expr:
    return pl.when(pl.col(name) > 1).then("~" + pl.col(name).cast(pl.String)).otherwise(pl.lit(""))


def told_apart(keys: pl.Series, more: pl.Series) -> pl.Series:
    """Ids that should be one record's and are several's: each follows what else its record says, none is the plain id.

    The first would be whichever comes first, and in the next export that may be another's.
    """
    frame = pl.DataFrame({"key": keys, "more": hashed(more, 4)})
    several = (pl.len().over("key") > 1) & pl.col("key").is_not_null()
    return numbered(frame.select(pl.when(several).then(pl.col("key") + "~" + pl.col("more")).otherwise("key").alias("key")).to_series())


def equals(outcomes: Outcomes, records: Iterable[str], scratch: Scratch) -> dict[str, pl.DataFrame]:
    """Which of its equals each row is that has some, past the first: by record `table`, `row`, `again` from 2.

    Equals are counted in the order of what else they say, so whoever comes first in the export is not told by it. Only
    hashes are held, and of those rows alone that have equals.
    """
    return {record: _equals(outcomes, record, scratch) for record in records}


def _equals(outcomes: Outcomes, record: str, scratch: Scratch) -> pl.DataFrame:
    names, every = {*IDENTITY[record], *OWN_ID.get(record, ())}, {field.name for field in RECORDS[record].fields}
    suspects = [pl.DataFrame(schema={"h": pl.UInt64, "rest": pl.String, "table": pl.String, ROW: pl.UInt32})]
    for part, hashes in _alike(outcomes, record, names, lambda frame: identity(record, frame), scratch):
        some = _live(outcomes.some(part, {*names, *every, "place", "table", ROW})).with_columns(hashes).drop_nulls("h")
        suspects.append(some.select("h", hashed(rest(record, some), 8).alias("rest"), "table", pl.col(ROW).cast(pl.UInt32)))
    found = pl.concat(suspects).sort("h", "rest", maintain_order=True)
    return found.select("table", ROW, pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("h").alias("again")).filter(pl.col("again") > 1)


def told_again(outcomes: Outcomes, record: str, scratch: Scratch) -> pl.DataFrame:
    """Rows whose own id a row before them has: `table`, `row`, and which that is, `first`."""

    def ids(frame: pl.DataFrame) -> pl.Series:
        return _by_own_id(record, frame, pl.repeat(None, frame.height, dtype=pl.String, eager=True), OWN_ID[record])

    suspects = [pl.DataFrame(schema={"h": pl.UInt64, "table": pl.String, ROW: pl.UInt32})]
    for part, hashes in _alike(outcomes, record, OWN_ID[record], ids, scratch):
        some = _live(outcomes.some(part, {"place", "table", ROW})).with_columns(hashes).drop_nulls("h")
        suspects.append(some.select("h", "table", pl.col(ROW).cast(pl.UInt32)))
    first = pl.concat_str(pl.col("table").first(), pl.lit(", row "), pl.col(ROW).first()).over("h").alias("first")
    return pl.concat(suspects).select("table", ROW, first, pl.int_range(pl.len()).over("h").alias("n")).filter(pl.col("n") > 0).drop("n")


def _alike(outcomes: Outcomes, record: str, names: Collection[str], texts: Callable[[pl.DataFrame], pl.Series], scratch: Scratch) -> Iterator[tuple[str, pl.Series]]:
    """The parts with rows that have equals, in this or another: `h`, a hash of each such row, of all that are carried.

    Args:
        texts: what makes rows equal; nothing where a row has none.
    """
    tally, kept = Tally(scratch), []
    for frame in outcomes.columns(record, {*names, "place"}):
        text = texts(_live(frame)).alias("text").to_frame()
        hashes = text.select(pl.when(pl.col("text").is_not_null()).then(pl.col("text").hash()).alias("h"))
        tally.add(hashes["h"].drop_nulls())
        kept.append(scratch.file())
        hashes.write_ipc(kept[-1])
    several = tally.several()["key"]
    for part, path in zip(outcomes.of(record), kept, strict=True) if several.len() else ():
        hashes = pl.read_ipc(path).select(pl.when(pl.col("h").is_in(several.implode())).then("h").alias("h"))
        if hashes["h"].count():
            yield part, hashes["h"]


def _live(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("place") == "carried")


def occurrence(frame: pl.DataFrame) -> pl.Expr:
    """What tells one time of an event from its others: its day and clock; nothing for the first."""
    when = pl.concat_str(pl.lit(":"), pl.col("start_on").dt.strftime("%Y%m%d"), pl.col("start_time").str.replace_all(":", "").fill_null(""))
    return pl.when(pl.col("time") > 0).then(when).otherwise(pl.lit("")) if "time" in frame.columns else pl.lit("")


