"""What a run moves, kept as hashes, so that a later run of the same firm moves only what is new.

A firm that finishes its open matters in the old system exports again when they are closed, and that export holds
everything once more. What was moved before is linked as ever, so new records find their clients and matters, and then
left out, and listed.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from caseferry.choices import Migration
from caseferry.errors import NeedsAnswer, Question
from caseferry.keys import BadKey, Run
from caseferry.keys import Migration as Home
from caseferry.manifest import Finding
from caseferry.reading.grid import ROW
from caseferry.records import RECORDS
from caseferry.services.scratch import Scratch
from caseferry.services.store import ObjectStore
from tasks.merge.targets.keys import IDENTITY, OWN_ID, hashed, identity, rest, said

SCHEME = 1
"""Of how the hashes are made: those of another are not compared."""
KEPT = {"scheme": pl.UInt8, "record": pl.String, "key": pl.String, "says": pl.String}
MADE = "made_contact"
"""Contacts no card stands for: a matter or a column names them."""
LEFT = {"table": pl.String, ROW: pl.UInt32, "rule": pl.String}
RULES = ("moved_before", "changed_since_moved")
_NAMED = ("display_name", "given_name", "middle_name", "last_name", "company", "birth_on")
IDENTIFIED: dict[str, tuple[str, ...]] = IDENTITY | {
    "contact": _NAMED, "matter": ("matter_key",), "related_contact": ("matter", "contact", "role"), "document": ("path", "sha256"),
    "receivable": ("matter_key", "invoice"), "trust": ("matter_key", "client", "account"), MADE: ("first_name", "last_name", "company"),
}  # fmt: skip
"""What makes a record the one that was moved; the rest of it may have changed since. A card's own id goes before."""
_ON_THE_WAY = {"created_at", "modified_at", "modified_by"}


class Moved:
    """What an earlier run has moved, and what of it this export has shown already.

    Args:
        kept: one row for each record that was moved: `record`, `key`, `says`.
    """

    def __init__(self, kept: pl.DataFrame) -> None:
        self.kept = kept
        self._used = pl.DataFrame(schema={"record": pl.String, "key": pl.String, "used": pl.UInt32})

    def __bool__(self) -> bool:
        return self.kept.height > 0

    def among(self, record: str, frame: pl.DataFrame) -> pl.DataFrame:
        """`table`, `row`, `rule` of the rows that were moved before: as they are, or saying something else by now.

        Of equal records as many are left out as were moved. Rows are shown to it once.
        """
        mine = self.kept.filter(pl.col("record") == record)
        if mine.is_empty() or frame.is_empty():
            return pl.DataFrame(schema=LEFT)
        times = mine.group_by("key").agg(pl.len().alias("times"))
        same = mine.select("key", "says", pl.lit(True).alias("same")).unique()
        used = self._used.filter(pl.col("record") == record).select("key", "used")
        told = digests(record, frame).join(times, on="key", how="inner", maintain_order="left").join(same, on=["key", "says"], how="left", maintain_order="left")
        told = told.join(used, on="key", how="left", maintain_order="left").sort(pl.col("same").fill_null(False), descending=True, maintain_order=True)
        told = told.filter(pl.int_range(1, pl.len() + 1).over("key") + pl.col("used").fill_null(0) <= pl.col("times"))
        self._used = pl.concat([self._used, told.group_by("key").agg(pl.len().cast(pl.UInt32).alias("used")).select(pl.lit(record).alias("record"), "key", "used")])
        self._used = self._used.group_by("record", "key").agg(pl.col("used").sum())
        return told.select("table", ROW, pl.when("same").then(pl.lit(RULES[0])).otherwise(pl.lit(RULES[1])).alias("rule")).cast(LEFT)  # type: ignore[arg-type]

    def knows(self, record: str, frame: pl.DataFrame) -> pl.Series:
        """True for each row that was moved before, however often it is asked."""
        known = self.kept.filter(pl.col("record") == record)["key"].unique()
        return digests(record, frame)["key"].is_in(known.implode())


def digests(record: str, frame: pl.DataFrame) -> pl.DataFrame:
    """`table`, `row`, `key`, `says` of each row: which record it is, and all else it says."""
    if record in OWN_ID:
        key, says = identity(record, frame), rest(record, frame, _ON_THE_WAY)
    else:
        fields = {field.name for field in RECORDS[record].fields} if record in RECORDS else set()
        others = fields - {*IDENTIFIED[record]} - _ON_THE_WAY
        key, says = said(frame, IDENTIFIED[record]), said(frame, sorted(others | {*_NAMED} if record == "contact" else others))
        if record == "contact":
            key = frame.select(pl.when(pl.col("source_id").is_null()).then(pl.lit(key)).otherwise(pl.lit(said(frame, ("source_id",))))).to_series()
    return frame.select("table", pl.col(ROW).cast(pl.UInt32), pl.lit(hashed(key)).alias("key"), pl.lit(hashed(says, 8)).alias("says"))


def moved_by(store: ObjectStore, home: Home, migration: Migration) -> Moved:
    """What the run named in the choices has moved; nothing if none is named.

    Raises:
        NeedsAnswer: there is no such run in this migration, or what it kept can't be compared with.
    """
    name = migration.options.after
    if not name:
        return Moved(pl.DataFrame(schema=KEPT))
    try:
        kept = pl.read_parquet(io.BytesIO(store.get(home.moved(name))))
    except (BadKey, KeyError):
        raise NeedsAnswer((_question("no run of that name kept what it moved"),)) from None
    if kept.schema != pl.Schema(KEPT) or kept.filter(pl.col("scheme") != SCHEME).height:
        raise NeedsAnswer((_question("what that run kept was made in another way and can't be compared"),))
    return Moved(kept)


def earlier_runs(store: ObjectStore, run: Run, migration: Migration) -> list[Finding]:
    """Runs of the migration that have moved something, where none is named although it may matter."""
    if migration.options.after or not migration.options.keeps_what_moves:
        return []
    there = store.listing(run.of.moved_home)
    names = sorted(stat.key.rsplit("/", 1)[-1].removesuffix(".parquet") for stat in there)
    others = [name for name in names if name != run.run]
    return [Finding(rule="earlier_run_not_named", where="options.after", count=len(others), detail=", ".join(others))] if others else []


def _question(found: str) -> Question:
    return Question("CF-124", "the choices › options.after", found, "options.after")


class Keeping:
    """What this run moves, written down batch by batch, with what was moved before it.

    Args:
        scratch: where it waits.
    """

    def __init__(self, moved: Moved, scratch: Scratch) -> None:
        self._paths = [scratch.file()]
        self._scratch = scratch
        moved.kept.write_parquet(self._paths[0])

    def see(self, records: Mapping[str, pl.DataFrame], contacts: pl.DataFrame | None) -> None:
        """Write down a batch: its records, and the lines of its contacts."""
        path = self._scratch.file()
        pl.concat([pl.DataFrame(schema=KEPT), *_moves(records, contacts)]).write_parquet(path)
        self._paths.append(path)

    def done(self) -> Path:
        path = self._scratch.file()
        pl.concat([pl.scan_parquet(one) for one in self._paths]).sink_parquet(path, compression="zstd")
        return path


def _kept(record: str, frame: pl.DataFrame) -> pl.DataFrame:
    return digests(record, frame).select(pl.lit(SCHEME, pl.UInt8).alias("scheme"), pl.lit(record).alias("record"), "key", "says")


def _moves(records: Mapping[str, pl.DataFrame], contacts: pl.DataFrame | None) -> Iterator[pl.DataFrame]:
    for record in sorted(set(records) & set(IDENTIFIED)):
        yield _kept(record, records[record].filter(pl.col("place").is_in(["carried", "merged"])))
    if contacts is not None:
        yield _kept(MADE, contacts.filter(pl.col("table") == ""))
