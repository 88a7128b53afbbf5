"""10 to 20 records of each type to look at by hand: the largest, the oldest, the newest, the most changed, and chance.

Left what the old system had, in its own words; right what the file for the new one says.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import polars as pl

from caseferry.frames import kept, known
from caseferry.manifest import ImportFile, Table
from caseferry.mapping.target import Target
from tasks.verify.evidence import Batch, Evidence, Handed
from tasks.verify.seen import Seen

_SHOWN = 15
_DRAWN = 200
"""Lines drawn by chance from a file before it is known which of them may be shown."""
_OTHERWISE = 10
"""Lines of a file that are shown for another reason than chance, at most."""
_MONEY = {"price", "amount"}
_DAYS = {"open_date", "date", "due_date", "start_date"}
_AT = "at"
"""The place of a line among those that are looked at together."""
_BESIDE = {"", "documents"}
"""Lines that stand for no row of a list."""


@dataclass(frozen=True)
class _Candidate:
    """A line that may be shown: what speaks for it, and what would be shown."""

    line: int
    size: float
    day: int | None
    changes: int
    shown: dict[str, Any]


class Sample:
    """The sample of every type that has a file; it keeps no more of a batch than might be shown of it."""

    name = "sample"

    def __init__(self, evidence: Evidence, target: Target) -> None:
        self._seed = evidence.migration.options.sample_seed
        self._style = evidence.migration.options.date_format or target.date_formats[evidence.migration.region]
        imported = {entry.record for entry in evidence.merged.files if entry.is_import}
        self._files = {entry.name: entry for entry in evidence.merged.files if entry.is_import or entry.record not in imported}
        self._drawn = {name: self._draw(entry) for name, entry in self._files.items()}
        self._known: dict[str, dict[int, _Candidate]] = {name: {} for name in self._files}
        self._dated, self._priced = set[str](), set[str]()

    def _draw(self, entry: ImportFile) -> list[int]:
        """Lines of a file in an order anyone can draw again."""
        chance = random.Random(f"{self._seed}:{entry.name}")  # noqa: S311 – a draw, not a secret
        return chance.sample(range(2, entry.rows + 2), min(entry.rows, _DRAWN))

    def see(self, batch: Batch) -> None:
        weights: dict[str, pl.DataFrame] = {}
        for whole, pieces in batch.alike:  # of one record all files are imported, or none
            if whole.name in self._files:
                self._look(batch, whole, pieces, weights)

    def seen(self) -> Seen:
        return Seen([{name: [[one.line, one.size, one.day, one.changes, one.shown] for one in known.values()] for name, known in self._known.items()}, sorted(self._dated), sorted(self._priced)])

    def add(self, seen: Seen) -> None:
        known, dated, priced = seen.facts
        for name, some in known.items():
            self._known[name] |= {one[0]: _Candidate(*one) for one in some}
        self._dated |= set(dated)
        self._priced |= set(priced)

    def _look(self, batch: Batch, whole: Handed, pieces: Sequence[Handed], weights: dict[str, pl.DataFrame]) -> None:
        money = next((n for n, heading in enumerate(whole.header) if heading in _MONEY), None)
        day = next((n for n, heading in enumerate(whole.header) if heading in _DAYS), None)
        lines = whole.placed.with_row_index(_AT)
        tables = lines["table"].unique()
        if tables.null_count() or not _BESIDE.isdisjoint(tables):
            lines = kept(lines, ~pl.col("table").is_in(list(_BESIDE)))
        if lines.is_empty():
            return
        size = pl.lit(0.0) if money is None else pl.col(str(money)).cast(pl.Float64, strict=False).fill_null(0).abs()
        on = pl.lit(None, pl.Date) if day is None else pl.col(str(day)).str.to_date(self._style, strict=False)
        facts = lines.select(_AT, "table", "row", size.alias("size"), on.alias("day"))
        names = sorted(set(tables.drop_nulls()) - _BESIDE)
        if len(names) == 1:
            facts = self._weighed(batch, names[0], facts, weights)
        else:
            facts = pl.concat([self._weighed(batch, name, kept(facts, facts["table"] == name), weights) for name in names]).sort(_AT)
        chosen = list[pl.DataFrame]()
        starts = list(accumulate((piece.lines.height for piece in pieces), initial=0))
        spans = pairwise(facts[_AT].search_sorted(pl.Series(starts, dtype=pl.UInt32)))
        for piece, start, (begin, behind) in zip(pieces, starts, spans, strict=False):
            if begin < behind:
                own = facts.slice(begin, behind - begin).with_columns((pl.col(_AT).cast(pl.Int64) + (piece.first - start)).alias("line"))
                chosen.append(self._choose(piece.name, own, is_priced=money is not None, is_dated=day is not None))
        self._keep(batch, whole, pl.concat(chosen), lines)

    def _choose(self, file: str, facts: pl.DataFrame, *, is_priced: bool, is_dated: bool) -> pl.DataFrame:
        """Those of some lines of a file that may be shown, in their order; and the file's name."""
        line, changes = facts["line"], facts["changes"]
        some = [pl.Series("line", self._by_chance(file, line), line.dtype), _first(line.filter(changes > 0), changes.filter(changes > 0), 3)]
        if is_priced:
            self._priced.add(file)
            some.append(_first(line, facts["size"], 3))
        if is_dated:
            self._dated.add(file)
            some += [_first(line, facts["day"], 2, least=True), _first(line, facts["day"], 2, last=True)]
        return kept(facts, line.is_in(pl.concat(some).implode())).with_columns(pl.lit(file).alias("file"))

    def _by_chance(self, file: str, lines: pl.Series) -> list[int]:
        """Of some lines those that were drawn first: no more than can be shown, even if some are for another reason."""
        there = set(lines.filter(lines.is_in(self._drawn[file])).to_list())
        return [line for line in self._drawn[file] if line in there][: _SHOWN + _OTHERWISE]

    @staticmethod
    def _weighed(batch: Batch, table: str, some: pl.DataFrame, weights: dict[str, pl.DataFrame]) -> pl.DataFrame:
        """The lines that stand for rows of a table, each with how much was changed in its row."""
        if table not in weights:
            weights[table] = batch.changes[table].rows["row"].rle().struct.unnest()  # they are in the order of the rows
        rows, count = weights[table]["value"], weights[table]["len"]
        if rows.is_empty():
            return some.with_columns(pl.lit(0, count.dtype).alias("changes"))
        at = rows.search_sorted(some["row"]).clip(upper_bound=rows.len() - 1)
        return some.with_columns(pl.when(rows.gather(at) == some["row"]).then(count.gather(at)).otherwise(0).alias("changes"))

    def _keep(self, batch: Batch, whole: Handed, chosen: pl.DataFrame, lines: pl.DataFrame) -> None:
        tables = {table.id: table for table in batch.tables}
        sources = {
            (table, source["row"]): source
            for table in chosen["table"].unique()
            for source in kept(batch.raw(tables[table]), pl.col("row").is_in(chosen["row"].filter(chosen["table"] == table).implode())).iter_rows(named=True)
        }
        targets = {row[0]: row[1 : 1 + len(whole.header)] for row in kept(lines, lines[_AT].is_in(chosen[_AT].implode())).iter_rows()}
        for file, line, at, table, row, size, day, changes in chosen.select("file", "line", _AT, "table", "row", "size", pl.col("day").to_physical(), "changes").iter_rows():
            shown = self._shown(file, tables[table], sources[table, row], row) | {
                "line": line, "target": [(heading, value) for heading, value in zip(whole.header, targets[at], strict=False) if value],
            }  # fmt: skip
            self._known[file][line] = _Candidate(line, size, day, changes, shown)

    def _shown(self, file: str, table: Table, source: dict[str, Any], row: int) -> dict[str, Any]:
        return {
            "record": self._files[file].record, "file": file, "source_file": table.file, "source_sheet": table.sheet, "row": row,
            "source": [(c.heading, source[f"c{c.place}"] or "") for c in table.columns if source[f"c{c.place}"]],
        }  # fmt: skip

    @cached_property
    def found(self) -> list[dict[str, Any]]:
        """Each record shown, with why it was chosen; never one line twice."""
        return [known[line].shown | {"why": why} for name, known in self._known.items() for line, why in sorted(self._pick(name, known).items())]

    def _pick(self, name: str, known: dict[int, _Candidate]) -> dict[int, str]:
        picked: dict[int, str] = {}

        def add(some: list[_Candidate], why: str) -> None:
            for one in some:
                picked.setdefault(one.line, why)

        every = sorted(known.values(), key=lambda one: one.line)
        if name in self._priced:
            add(sorted(every, key=lambda one: -one.size)[:3], "one of the largest")
        if name in self._dated:
            dated = sorted((one for one in every if one.day is not None), key=lambda one: one.day or 0)
            add(dated[:2], "one of the oldest")
            add(dated[-2:][::-1], "one of the newest")
        add(sorted((one for one in every if one.changes), key=lambda one: -one.changes)[:3], "most changed")
        rest = [known[line] for line in self._drawn[name] if line in known and line not in picked]
        add(rest[: max(0, _SHOWN - len(picked))], f"by chance, seed {self._seed}")
        return picked


def _first(lines: pl.Series, values: pl.Series, count: int, *, least: bool = False, last: bool = False) -> pl.Series:
    """Some of the lines that have a value, with the most or the least of it; of those that have as much the first, or the last."""
    some = known(values)
    if some.len() <= count:
        return lines.filter(values.is_not_null())
    edge = some.bottom_k(count).max() if least else some.top_k(count).min()  # orders of magnitude less work than to sort by both
    beyond = lines.filter(values < edge if least else values > edge)
    level, left = lines.filter(values == edge).sort(), count - beyond.len()
    return pl.concat([beyond, level.tail(left) if last else level.head(left)])
