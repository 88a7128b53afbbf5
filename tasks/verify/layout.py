"""The check that each import file follows the target: header to the letter, required cells, closed lists, dates, numbers."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from caseferry.frames import kept
from caseferry.mapping.headings import normal
from caseferry.mapping.target import Column, Target, TargetFile
from tasks.verify.checks import Check
from tasks.verify.evidence import Batch, Evidence, Handed
from tasks.verify.seen import Seen

_PLAIN = r"^-?[0-9]+(\.[0-9]+)?$"


class Layout:
    name = "schema"

    def __init__(self, evidence: Evidence, target: Target) -> None:
        self._evidence, self._target = evidence, target
        self._style = evidence.migration.options.date_format or target.date_formats[evidence.migration.region]
        self._entries = {entry.name: entry for entry in evidence.merged.files}
        self._wrong: dict[tuple[str, str], int] = {}
        """Rows by file and problem; 0 for what is wrong with a file as a whole."""

    def see(self, batch: Batch) -> None:
        for whole, pieces in batch.alike:
            is_named_alike = len({self._entries[piece.name].header for piece in pieces}) == 1
            if len(pieces) > 1 and is_named_alike and not any(self._problems(whole, self._target.files[whole.kind])):
                continue
            for piece in pieces:
                for problem, rows in self._problems(piece, self._target.files[piece.kind]):
                    self._note(piece.name, problem, rows)

    def _note(self, file: str, problem: str, rows: int) -> None:
        self._wrong[file, problem] = self._wrong.get((file, problem), 0) + rows

    def seen(self) -> Seen:
        return Seen([[*where, rows] for where, rows in self._wrong.items()])

    def add(self, seen: Seen) -> None:
        for file, problem, rows in seen.facts:
            self._note(file, problem, rows)

    def _problems(self, piece: Handed, spec: TargetFile) -> Iterator[tuple[str, int]]:
        entry = self._entries[piece.name]
        if tuple(piece.header) != entry.header:
            yield "header", 0
        if spec.known and not any(t.kind for t in self._evidence.intake.templates) and tuple(piece.header) != tuple(spec.columns):
            yield "header is not the template's", 0
        if not piece.even or _is_one_blank(piece.lines):
            yield "a row is blank or of another width", 0
        aliases = spec.aliases()
        for place, heading in enumerate(piece.header):
            column = spec.every().get(aliases.get(normal(heading), ""))
            if column is not None:
                yield from self._column(heading, column, piece.lines[str(place)])
        for group in spec.one_of:
            there = [piece.column(name) == "" for name in group if name in piece.header]
            lost = int(pl.DataFrame([empty.alias(str(n)) for n, empty in enumerate(there)]).select(pl.all_horizontal(pl.all())).to_series().sum()) if there else 0
            if lost:
                yield f"none of {', '.join(group)}", lost

    def _column(self, heading: str, column: Column, cells: pl.Series) -> Iterator[tuple[str, int]]:
        empty = int((cells == "").sum())
        if column.required and empty:
            yield f"{heading} is empty", empty
        if empty == cells.len():
            return
        if column.values and not cells.filter(cells != "").is_in(list(column.values)).all():
            yield f"{heading} is not in its closed list", 0
        if column.type == "decimal" and not cells.filter(cells != "").str.contains(_PLAIN).all():
            yield f"{heading} is not a plain number", 0
        if column.type == "date" and not self._are_dates(cells.filter(cells != "")):
            yield f"{heading} is not a date of the account's form", 0

    def _are_dates(self, cells: pl.Series) -> bool:
        distinct = cells.unique()
        days = distinct.str.to_date(self._style, strict=False, exact=True)
        return bool((days.is_not_null() & (days.dt.year() >= 1000) & (days.dt.strftime(self._style) == distinct)).all())

    def say(self) -> Iterator[Check]:
        wrong: list[dict[str, Any]] = [
            {"file": file, "problem": problem} | ({"rows": rows} if rows else {}) for (file, problem), rows in sorted(self._wrong.items())
        ]
        imports = sum(1 for entry in self._entries.values() if entry.is_import)
        detail = f"{imports} import files; {len(self._entries) - imports} others follow our own neutral layout"
        yield Check("schema", "Each file follows its template", not wrong, detail, True, tuple(wrong))


def _is_one_blank(lines: pl.DataFrame) -> bool:
    """True if a line has nothing in any cell."""
    may_be = kept(lines, lines.to_series(0) == "") if lines.width else lines
    return not may_be.is_empty() and bool(may_be.select_seq(pl.all_horizontal(pl.all() == "").any()).item())
