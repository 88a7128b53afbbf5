"""What the verification looks at, a batch at a time: the raw parts, where each row ended, the notes about it, and the
pieces of the files that came of it."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from caseferry import manifest
from caseferry.choices import Migration
from caseferry.frames import kept, stacked, without
from caseferry.keys import Run
from caseferry.manifest import Intake, Merged, Piece, Split, Table
from caseferry.noted import Noted, among, together
from caseferry.services.store import ObjectStore, get_all
from caseferry.tables import cells_of, read_tables, table_of
from config.limits import ReadingLimits
from tasks import parts as cut
from tasks.verify import recount
from tasks.verify.stretches import AGAIN, Stretches, digest_of


@dataclass(frozen=True)
class Handed:
    """A piece of a file handed over, as read back."""

    name: str
    sha256: str
    """Of the file from its beginning to the end of this piece; nothing where its beginning was not read."""
    header: list[str]
    lines: pl.DataFrame
    """Columns `0`, `1`, … of text; an empty cell is the empty text."""
    even: bool
    """All rows are as wide as the header."""
    first: int
    """The number of its first line in the file, whose header is line 1."""
    stands: pl.DataFrame
    """`table`, `row`: which source row each line stands for, in the order of the lines."""

    @property
    def kind(self) -> str:
        return kind_of_file(self.name)

    def column(self, name: str) -> pl.Series:
        return self.lines[str(self.header.index(name))]

    @property
    def cells(self) -> pl.Series:
        return recount.cells_of(self.lines, self.lines.columns)

    @property
    def placed(self) -> pl.DataFrame:
        """The lines, each with the `table` and `row` it stands for; lines nobody accounts for have none."""
        if self.stands.height == self.lines.height:
            return self.lines.hstack(self.stands)
        numbered = self.stands.with_row_index("n")
        return self.lines.with_row_index("n").join(numbered, on="n", how="left", maintain_order="left").drop("n")


@dataclass(frozen=True)
class Originals:
    """The export as it came, and what was found in it."""

    store: ObjectStore
    intake: Intake
    split: Split
    limits: ReadingLimits = ReadingLimits()


@dataclass(frozen=True)
class Evidence:
    store: ObjectStore
    run: Run
    migration: Migration
    intake: Intake
    split: Split
    merged: Merged
    limits: ReadingLimits = ReadingLimits()

    @property
    def originals(self) -> Originals:
        return Originals(self.store, self.intake, self.split, self.limits)

    def batches(self, first: int = 1, last: int = 0) -> Iterator["Batch"]:
        """What was brought together, in order, some of it in memory at a time.

        Args:
            first, last: of the batches wanted, from 1; all of them, if none is named as the last.
        """
        before = [piece for laid in self.merged.batches[: first - 1] for piece in laid.pieces]
        at, line = Counter[str](), Counter[str]()
        for piece in before:
            at[piece.file] += piece.size
            line[piece.file] += piece.rows
        begun = {piece.file for piece in before}
        headers = {entry.name: list(entry.header) for entry in self.merged.files if entry.name in begun}  # whoever sees its first piece looks at it
        digests = defaultdict[str, Any](hashlib.sha256)
        records = {entry.name: entry.record for entry in self.merged.files}
        wanted = self.merged.batches[first - 1 : last or None]
        behind = {piece.file for laid in self.merged.batches[first - 1 + len(wanted) :] for piece in laid.pieces}
        ends = Counter({file: at[file] + (file not in behind) for file in {piece.file for laid in wanted for piece in laid.pieces}})
        for piece in (piece for laid in wanted for piece in laid.pieces):
            ends[piece.file] += piece.size
        stretches = Stretches(self.store, self.run, ends)
        is_all = first == 1 and not last
        for number, laid in enumerate(wanted, first):
            places, lineage, findings, changes = self._notes_of(number)
            told = Counter[str]()
            for share in self._shares(laid):
                raws, noted = self._fetch(share.parts)
                lined = _by_file(lineage)
                handed = []
                pieces: list[tuple[Piece, int]] = []
                for piece in laid.pieces:
                    if share.takes(records[piece.file]):
                        pieces.append((piece, at[piece.file]))
                        at[piece.file] += piece.size
                read = zip((piece for piece, _ in pieces), stretches.pieces(pieces), strict=True)
                for piece, data, lines, even in _read(read, headers):
                    begin = line[piece.file] + 2
                    stands = lined.get(piece.file, lineage.clear()).slice(told[piece.file], piece.rows).select("table", "row")
                    told[piece.file] += piece.rows
                    if is_all:
                        digests[piece.file].update(data)
                    handed.append(Handed(piece.file, digests[piece.file].hexdigest() if is_all else "", headers[piece.file], lines, even, begin, stands))
                    line[piece.file] += lines.height
                mine = share.mine(self.split)
                later = {"findings": findings.filter(mine), "changes": changes.filter(mine)}
                yield Batch(self, share, number, handed, places.filter(share.of_record), later, raws, noted)

    def notes(self) -> Iterator["Batch"]:
        """All batches, with nothing but the findings and changes of their rows."""
        for number, laid in enumerate(self.merged.batches, 1):
            later = dict(zip(("findings", "changes"), self._notes_of(number, "findings", "changes"), strict=True))
            for share in self._shares(laid):
                made = get_all(self.store, [self.run.at("2-transform", f"{part}.zip") for part in share.parts])
                noted = _noted(dict(zip(share.parts, made, strict=True)))
                yield Batch(self, share, number, [], pl.DataFrame(), {kind: some.filter(share.mine(self.split)) for kind, some in later.items()}, {}, noted)

    def digest_of(self, file: str) -> str:
        """The SHA-256 of a file handed over, as it lies there; one that is not what the manifest says is read again before it is believed."""
        size = sum(piece.size for laid in self.merged.batches for piece in laid.pieces if piece.file == file)
        expected = next(entry.sha256 for entry in self.merged.files if entry.name == file)
        for _ in range(AGAIN):
            found = digest_of(self.store, self.run, file, size)
            if found == expected:
                break
        return found

    def _shares(self, laid: manifest.Batch) -> list["Share"]:
        """A batch as it is looked at: contacts, matters and all else by themselves, where together they are many."""
        tables = {part: table for table in self.split.tables for part in table.parts}
        rows = sum(dict(zip(tables[part].parts, tables[part].part_rows, strict=True))[part] for part in laid.parts)
        if rows < _FEW or not {"contact", "matter"} & {tables[part].record for part in laid.parts}:
            return [Share(laid.parts, None)]
        shares = [Share(tuple(part for part in laid.parts if tables[part].record in records), frozenset(records)) for records in _APART]
        apart = frozenset[str]().union(*_APART)
        return [*shares, Share(tuple(part for part in laid.parts if tables[part].record not in apart), apart, is_rest=True)]

    def _notes_of(self, number: int, *kinds: str) -> tuple[pl.DataFrame, ...]:
        """What the merge noted of a batch's rows: places, lineage, findings, changes."""
        notes = read_tables(self.store.get(self.run.at("3-merge", "rows", f"{number:04d}.zip")))
        return tuple(table_of(notes, kind) for kind in kinds or ("places", "lineage", "findings", "changes"))

    def _fetch(self, parts: Iterable[str]) -> tuple[dict[str, pl.DataFrame], dict[tuple[str, str], Noted]]:
        """All that lies in the bucket about some parts, asked for at once: their rows, and by kind the notes about them."""
        names = list(parts)
        every = cut.cells(self.store, self.run, names, [self.run.at("2-transform", f"{part}.zip") for part in names])
        raws = {part: cells_of(data) for part, data in zip(names, every, strict=False)}
        return raws, _noted(dict(zip(names, every[len(names) :], strict=True)))


def _read(pieces: Iterable[tuple[Piece, bytes]], headers: dict[str, list[str]]) -> Iterator[tuple[Piece, bytes, pl.DataFrame, bool]]:
    """Each piece and its bytes, its lines, and whether all are as wide as the header. Short ones of one kind of file are
    read together.

    Args:
        headers: of the files that have begun. What begins here is added.
    """
    held: list[tuple[Piece, bytes]] = []
    for piece, data in pieces:
        first = held[0][0].file if held else piece.file
        fits = piece.file in headers and kind_of_file(piece.file) == kind_of_file(first) and headers[piece.file] == headers[first]
        if held and not (fits and sum(len(one) for _, one in held) + len(data) <= _TOGETHER):
            yield from _each(held, headers)
            held = []
        held.append((piece, data))
        if piece.file not in headers:
            yield from _each(held, headers)
            held = []
    yield from _each(held, headers)


def _each(held: list[tuple[Piece, bytes]], headers: dict[str, list[str]]) -> Iterator[tuple[Piece, bytes, pl.DataFrame, bool]]:
    """The same of pieces that may be read together, if they are several and there is nothing odd about them."""
    every = recount.read_pieces([data for _, data in held], headers[held[0][0].file], [piece.rows for piece, _ in held]) if len(held) > 1 else None
    if every is not None:
        yield from ((piece, data, lines, True) for (piece, data), lines in zip(held, every, strict=True))
        return
    for piece, data in held:
        header, lines, even = recount.read_file(data, headers.get(piece.file))
        headers.setdefault(piece.file, header)
        yield piece, data, lines, even


def _noted(made: Mapping[str, bytes]) -> dict[tuple[str, str], Noted]:
    """By kind and part the notes in what the transform made of some parts."""
    tables = {part: read_tables(data) for part, data in made.items()}
    return {(kind, part): Noted.of(tables[part], kind) for part in made for kind in ("findings", "changes")}


def _by_file(lineage: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The lineage of each file's lines."""
    return {file: lines for (file,), lines in _in_runs(lineage, "file").items()}


def _in_runs(frame: pl.DataFrame, *names: str) -> dict[tuple[str, ...], pl.DataFrame]:
    """The rows by what some columns say, without those; rows of which they say the same mostly stand together."""
    found: dict[tuple[str, ...], list[pl.DataFrame]] = {}
    runs = frame.select(pl.struct(names).rle().struct.unnest()) if len(names) > 1 else frame[names[0]].rle().struct.unnest()
    rest, at = frame.drop(names), 0
    for length, said in runs.iter_rows():
        found.setdefault(tuple(said[name] for name in names) if len(names) > 1 else (said,), []).append(rest.slice(at, length))
        at += length
    return {said: some[0] if len(some) == 1 else pl.concat(some) for said, some in found.items()}


_TOGETHER = 16 << 20
"""Bytes of pieces that are read together."""
_FEW = 20_000
"""Rows up to which a batch is looked at as a whole."""
_APART = (("contact",), ("matter", "related_contact"))
"""Records that are looked at together, apart from all others. Parties stand in columns of the matter list."""


@dataclass(frozen=True)
class Share:
    """Some of a batch: what stands for rows of certain records.

    Args:
        records: which; nothing for all. With `is_rest`, all but these.
    """

    parts: tuple[str, ...]
    records: frozenset[str] | None
    is_rest: bool = False

    def takes(self, record: str) -> bool:
        return self.records is None or (record in self.records) != self.is_rest

    @property
    def of_record(self) -> pl.Expr:
        """The places of its records."""
        if self.records is None:
            return pl.lit(True)
        there = pl.col("record").is_in(list(self.records))
        return ~there if self.is_rest else there

    def mine(self, split: Split) -> pl.Expr:
        """The notes about its tables."""
        if self.records is None:
            return pl.lit(True)
        there = pl.col("table").is_in([table.id for table in split.tables if table.record in self.records])
        return ~there if self.is_rest else there


class Batch:
    """What belongs together in one batch: rows of the source, and the lines they came to.

    Args:
        number: of the batch it is a share of, from 1.
    """

    def __init__(
        self, evidence: Evidence, share: Share, number: int, handed: list[Handed], places: pl.DataFrame, later: dict[str, pl.DataFrame],
        rows: dict[str, pl.DataFrame], noted: dict[tuple[str, str], Noted],
    ) -> None:  # fmt: skip
        self.share, self.number, self.handed, self.places, self._later, self._rows, self._noted = share, number, handed, places, later, rows, noted
        self._parts: dict[str, list[str]] = {}
        tables = {part: table for table in evidence.split.tables for part in table.parts}
        for part in share.parts:
            self._parts.setdefault(tables[part].id, []).append(part)
        self.tables: list[Table] = [table for table in evidence.split.tables if table.id in self._parts]
        self._raws: dict[str, pl.DataFrame] = {}

    def of(self, *records: str) -> list[Table]:
        return [table for table in self.tables if table.record in records]

    def files(self, kind: str) -> list[Handed]:
        """The pieces of one kind of file, all users' together."""
        return [piece for piece in self.handed if piece.kind == kind]

    @cached_property
    def alike(self) -> list[tuple[Handed, list[Handed]]]:
        """All pieces, those of one kind with one header as if they were one: what holds of all need not be asked of each. What
        is odd stands by itself.
        """
        found: dict[tuple[str, ...], list[Handed]] = {}
        for number, piece in enumerate(self.handed):
            is_plain = piece.even and piece.stands.height == piece.lines.height
            found.setdefault((piece.kind, *piece.header) if is_plain else (str(number),), []).append(piece)
        return [(_as_one(pieces), pieces) for pieces in found.values()]

    def raw(self, table: Table) -> pl.DataFrame:
        """A table's data rows in this batch, with the source's own cells."""
        if table.id not in self._raws:
            self._raws[table.id] = stacked(self._rows[part] for part in self._parts[table.id])
        return self._raws[table.id]

    @cached_property
    def placed_of(self) -> dict[tuple[str, str], pl.DataFrame]:
        """`row`, `place`, `reason` by record and table."""
        return {(record, table): rows for (record, table), rows in _in_runs(self.places, "record", "table").items()}

    def placed(self, table: Table) -> pl.DataFrame:
        """`row`, `place`, `reason` of one table's rows."""
        none = pl.DataFrame(schema={"row": pl.UInt32, "place": pl.String, "reason": pl.String})
        return self.placed_of.get((table.record, table.id), none)

    def beside(self, table: Table, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of a table, each with its `place` and `reason`; they mostly stand in the order of the places already."""
        placed = self.placed(table)
        if rows.height == placed.height and (rows["row"] == placed["row"]).all():
            return rows.hstack(without(placed, "row"))
        return rows.join(placed, on="row", how="left", maintain_order="left")

    def notes(self, kind: str) -> dict[str, Noted]:
        """Its `findings` or its `changes`."""
        return self.findings if kind == "findings" else self.changes

    @cached_property
    def findings(self) -> dict[str, Noted]:
        """The findings of each table, by row, field and rule."""
        return self._notes("findings")

    @cached_property
    def changes(self) -> dict[str, Noted]:
        return self._notes("changes")

    def _notes(self, kind: str) -> dict[str, Noted]:
        later = self._later[kind]
        nothing = Noted.none({name: kind for name, kind in later.schema.items() if name != "table"})
        added = {table: without(kept(later, later["table"] == table), "table") for table in later["table"].unique()}
        noted = {}
        for table in sorted({*self._parts, *added}):
            early = together([nothing, *(self._noted[kind, part] for part in self._parts.get(table, ()))])
            noted[table] = among(early, added[table]) if table in added else early
        return noted


def _as_one(pieces: list[Handed]) -> Handed:
    if len(pieces) == 1:
        return pieces[0]
    return replace(pieces[0], sha256="", lines=pl.concat([piece.lines for piece in pieces]), first=0, stands=pl.concat([piece.stands for piece in pieces]))


def kind_of_file(name: str) -> str:
    """`11_activities_user-01.csv` and `NOT-AN-IMPORT-FILE_tasks.csv` are `activities` and `tasks`."""
    stem = name.removesuffix(".csv")
    stem = stem.split("_", 1)[1] if "_" in stem else stem
    return stem.rsplit("_user-", 1)[0]
