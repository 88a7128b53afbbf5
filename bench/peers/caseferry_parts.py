"""Ours, without the journey round it: the rooms read, cut and transform; every change and finding is made as always, and with `log` written down.

Parts stay in memory, as nobody else has to have them, and are longer than those of the journey, which has to stay small beside
others. What a part says again and again stays by number to the end, as there.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from bench.export import choices
from bench.peers import HEADER
from caseferry.choices import Migration
from caseferry.coded import Coded, coded, coded_if_few
from caseferry.mapping.money import plain, plain_hours
from caseferry.mapping.profile import load_profile
from caseferry.reading.delimited import Delimited
from caseferry.reading.grid import gathered
from caseferry.reading.source import Source
from caseferry.reading.spooled import Spooled
from caseferry.services.scratch import Scratch
from caseferry.tables import Texts
from tasks.merge.users import user_table
from tasks.split.recognise import Fit, find_table
from tasks.split.tables import Portion, make_table
from tasks.transform.rows import Result, transform_table
from tasks.transform.sheet import Job
from workers.memory import seldom

PART_ROWS, HEAD_ROWS = 250_000, 1_000


def main(lists: Path, out: Path, is_logged: bool) -> dict[str, int]:
    seldom()
    profile, migration = load_profile("leap"), Migration.model_validate(choices())
    matters = pl.concat(piece["c0"] for piece in _Flowing(lists / "Matters.csv").pieces()).slice(1).implode()
    listed = _Flowing(lists / "WIP.csv")
    fit = find_table(listed.head, profile)
    assert isinstance(fit, Fit)
    parts = list[tuple[pl.DataFrame, Texts]]()
    with Scratch() as scratch:
        cut = make_table(1, "WIP.csv", listed, fit, profile, migration, Portion(PART_ROWS, 64 << 20), scratch, lambda part, path: parts.append(_numbered(part)))
    job = Job(cut.table, profile, migration, date(2026, 1, 1))
    counts = {"carried": 0, "excluded": 0, "quarantined": 0}
    cents: Any = 0
    with (out / "activities.csv").open("wb") as made, (out / "rejects.csv").open("wb") as left, (out / "changes.csv").open("wb") as log:
        for number, (part, texts) in enumerate(parts):
            result = transform_table(part, job, texts)
            if is_logged:
                from tasks.verify.log import write_log

                write_log(result.changes, ("WIP.csv",), ("field", "before", "after", "rule"), log.write)
            staff, place = _coded(result, "staff"), _coded(result, "place")
            user = Coded(staff.numbers, _users(staff.words, migration))
            known = _each(result, "matter", lambda texts: texts.is_in(matters)).fill_null(False) & user.each(user.words.is_not_null()).fill_null(False)
            place = place.with_word(place.each(place.words == "carried") & ~known, "quarantined")
            good = place.each(place.words == "carried")
            carried = [
                _each(result, "matter", which=good), _each(result, "performed_on", lambda days: days.cast(pl.String), good), _each(result, "description", which=good),
                _each(result, "price", _written(plain), good), _each(result, "quantity", _written(plain_hours), good), user.of(good).full("user"),
            ]  # fmt: skip
            lines = pl.DataFrame([cells.alias(name) for name, cells in zip(HEADER, carried, strict=True)])
            lines.write_csv(made, include_header=number == 0, quote_style="always")
            rejects = pl.DataFrame([result.laid["row"].filter(~good), place.of(~good).full("place"), _each(result, "reason", which=~good).alias("reason")])
            rejects.write_csv(left, include_header=number == 0)
            for number, count in place.numbers.value_counts().iter_rows():
                counts[place.words[number]] += count
            cents += (_each(result, "price", which=good) * _each(result, "quantity", which=good)).sum()
    return counts | {"cents": round(cents * 100)}


class _Flowing(Spooled):
    """A list, read in this very process while it is gone through; and read again where it is gone through again."""

    def __init__(self, path: Path) -> None:
        self._path, self._begun = path, self._read(path)
        first = next(self._begun)
        self._begun = chain([first], self._begun)
        super().__init__(gathered([first.head(HEAD_ROWS)]), 0, ())

    def _read(self, path: Path) -> Iterator[pl.DataFrame]:
        with path.open("rb") as file:
            read = Delimited(Source.at(file.fileno()))
            yield from read.pieces()
            self._height = read.height

    def pieces(self) -> Iterator[pl.DataFrame]:
        begun, self._begun = self._begun, self._read(self._path)
        return begun


def _numbered(part: pl.DataFrame) -> tuple[pl.DataFrame, Texts]:
    """A part as it lies in the bucket: with numbers for what it says again and again, and what those stand for."""
    texts = {column.name: text for column in part.iter_columns() if column.dtype == pl.String and (text := coded_if_few(column))}
    return pl.DataFrame([texts[column.name].numbers.alias(column.name) if column.name in texts else column for column in part.iter_columns()]), texts


def _each(result: Result, name: str, make: Callable[[pl.Series], pl.Series] = lambda cells: cells, which: pl.Series | None = None) -> pl.Series:
    """What is made of each cell of a column, of equal ones once where it is known by number.

    Args:
        which: of the cells where it is true.
    """
    text = result.texts.get(name)
    if text is None:
        cells = result.laid[name]
        return make(cells if which is None else cells.filter(which))
    return (text if which is None else text.of(which)).each(make(text.words))


def _coded(result: Result, name: str) -> Coded:
    return result.texts.get(name) or coded(result.laid[name])


def _written(form: Callable[[str], pl.Expr]) -> Callable[[pl.Series], pl.Series]:
    return lambda amounts: amounts.to_frame("amount").select(form("amount")).to_series()


def _users(texts: pl.Series, migration: Migration) -> pl.Series:
    users = user_table(texts, migration)
    return texts.replace_strict(users["text"], users["user"], default=None, return_dtype=pl.String)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), "log" in sys.argv)))
