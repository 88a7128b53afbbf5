"""Neutral records become the lines of one file of a mapped target: cell by cell by the mapping, whole columns at a time.

A cell the target can't hold is left empty and listed; a line that lacks what the target requires waits, with the reason.
Nothing is cut short, and nothing is guessed.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from caseferry.mapping.cells import Cell
from caseferry.mapping.mapped import MappedFile, MappedTarget
from caseferry.reading.grid import ROW
from caseferry.records.neutral import NEUTRAL

LEFT_OUT = {"key": pl.String, "column": pl.String, "reason": pl.String, "value": pl.String}
UNMAPPED = {"column": pl.String, "word": pl.String, "count": pl.UInt32}
KEY = "#key"
"""The column, of none that is written, that holds the keys of a file's lines."""


@dataclass(frozen=True)
class Shaped:
    """The lines of one batch of one file.

    `lines` and `waiting` have `table`, `row`, `key`, and the cells as columns `0`, `1`, …; `waiting` has a `reason`.
    """

    lines: pl.DataFrame
    waiting: pl.DataFrame
    left_out: pl.DataFrame
    unmapped: pl.DataFrame


def chosen(spec: MappedFile) -> pl.Expr:
    """The records a file takes."""
    holds = [pl.lit(True)]
    for field, words in spec.where.items():
        value = pl.col(field)
        if words == ("present",):
            holds.append(value.is_not_null())
        elif words == ("absent",):
            holds.append(value.is_null())
        else:
            said = pl.when(value).then(pl.lit("yes")).otherwise(pl.lit("no")) if NEUTRAL[spec.of].fields[field] == "flag" else value
            holds.append(said.str.to_lowercase().is_in([word.lower() for word in words]).fill_null(False))
    return pl.all_horizontal(holds)


def shape(
    spec: MappedFile, target: MappedTarget, records: pl.DataFrame, taken: dict[str, pl.Series], parents: Callable[[str], pl.Series],
    header: Sequence[str] = (), custom: pl.DataFrame | None = None,
) -> Shaped:  # fmt: skip
    """Fill the columns of a file.

    Args:
        records: what the file takes of a batch.
        taken: by heading, what stands already in columns where no two may be the same; grows.
        parents: what stands in a column of another file, `file.Heading`.
        header: the file's headings, those of custom fields behind its own.
        custom: `table`, `row` and a column for each custom field, in the order of their headings.
    """
    cells = records.select("table", ROW, "key", *(_value(cell, spec, target).alias(f"{n}") for n, cell in enumerate(spec.columns.values())))
    if custom is not None:
        names = [name for name in custom.columns if name not in {"table", ROW}]
        cells = cells.join(custom.rename({name: f"{len(spec.columns) + n}" for n, name in enumerate(names)}), on=["table", ROW], how="left", maintain_order="left")
    left_out, unmapped = [pl.DataFrame(schema=LEFT_OUT), *_beyond(spec, records)], [pl.DataFrame(schema=UNMAPPED)]
    reasons: list[pl.Expr] = []
    full: dict[str, pl.Series] = {}
    for n, heading in enumerate(header or spec.columns):
        name, cell = f"{n}", spec.columns.get(heading, _CUSTOM)
        cells = _leave(cells, name, heading, _misread(name, cell, target), full, left_out)
        if cell.values is not None or cell.empty is not None:
            cells, told = _mapped(cells, name, heading, cell)
            unmapped.append(told)
        cells = _leave(cells, name, heading, (*_longer(name, target), *_bad(name, cell, target)), full, left_out)
        if cell.digits:
            cells = cells.with_columns(pl.col(name).str.replace_all(r"\D", "").alias(name))
        if cell.required:
            reasons.append(pl.when(pl.col(name).is_null()).then(pl.lit(f"{heading} is missing or can't be held")))
    for group in spec.one_of:
        places = [list(spec.columns).index(heading) for heading in group]
        reasons.append(pl.when(pl.all_horizontal(pl.col(f"{n}").is_null() for n in places)).then(pl.lit(f"none of {', '.join(group)}")))
    cells = cells.with_columns((pl.coalesce(reasons) if reasons else pl.lit(None, pl.String)).alias("reason"))
    cells = _with_parents(cells, records, spec, parents)
    cells = _alone(cells, spec, taken)
    waits = pl.col("reason").is_not_null()
    waiting = cells.with_columns(pl.coalesce(name, before).alias(name) for name, before in full.items()).filter(waits)  # with what a person has to mend
    return Shaped(cells.filter(~waits).drop("reason"), waiting, pl.concat(left_out), pl.concat(unmapped))


def _value(cell: Cell, spec: MappedFile, target: MappedTarget) -> pl.Expr:
    """A cell's text, before anything is held against the target's limits."""
    if cell.value is not None or cell.given:
        return pl.lit(cell.value or None, pl.String)
    fields = NEUTRAL[spec.of].fields
    write = _Writer(cell, fields, spec, target)
    text: pl.Expr
    if cell.parts:
        pieces = [write.piece(one) if one else pl.lit(None, pl.String) for one in cell.parts]
        joined = pl.concat_str([piece.fill_null("") for piece in pieces], separator=";")
        text = pl.when(pl.any_horizontal(piece.is_not_null() for piece in pieces)).then(joined)
    elif cell.with_ is not None:
        joined = pl.concat_str([write.piece(one) for one in cell.from_], separator=cell.with_, ignore_nulls=True)
        text = pl.when(joined != "").then(joined)
    else:
        text = pl.coalesce([write.piece(one) for one in cell.from_])
    if cell.without:
        text = text.str.replace_all(f"[{re.escape(cell.without)}]+", " ").str.strip_chars()
    return pl.when(text != "").then(text)


@dataclass(frozen=True)
class _Writer:
    """How fields are written in one cell."""

    cell: Cell
    fields: Mapping[str, str]
    spec: MappedFile
    target: MappedTarget

    def piece(self, text: str) -> pl.Expr:
        """A field, or a text with fields in it."""
        if "{" not in text:
            return self._field(text, "")
        pieces = []
        for before, name, form, _ in string.Formatter().parse(text):
            if before:
                pieces.append(pl.lit(before))
            if name:
                pieces.append(self._field(name, form or ""))
        return pl.concat_str(pieces)  # nothing where one of the fields is nothing

    def _field(self, name: str, form: str) -> pl.Expr:
        column, kind = pl.col(name), self.fields[name]
        form = form or self.cell.form or ""
        if kind == "day":
            return column.dt.strftime(form or self.target.days)
        if kind == "moment":
            return column.dt.strftime(form or self.target.moments)
        if kind == "flag":
            yes, _, no = (form or "true/false").partition("/")
            return pl.when(column).then(pl.lit(yes)).when(~column).then(pl.lit(no))
        if kind == "number":
            return column.cast(pl.String).str.replace(r"(\.\d\d)(\d*?)0+$", "${1}${2}")
        return column if self.spec.format == "csv" or self.cell.raw else escaped(column)


def escaped(text: pl.Expr) -> pl.Expr:
    """A text as cards and calendars write it. Source: RFC 6350, 3.4; RFC 5545, 3.3.11."""
    text = text.str.replace_all(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", " ")  # none of them may stand there
    text = text.str.replace_all("\\", "\\\\", literal=True).str.replace_all(r"\r\n|\r|\n", "\\n")
    return text.str.replace_all(",", "\\,", literal=True).str.replace_all(";", "\\;", literal=True)


def _mapped(cells: pl.DataFrame, name: str, heading: str, cell: Cell) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Words in the target's own; those nobody mapped, and what stands for nothing, are counted."""
    word, meant = pl.col(name), pl.col(name)
    if cell.values is not None:
        words = {said.strip().lower(): theirs for said, theirs in cell.values.items()}
        meant = word.str.strip_chars().str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.String)
    counted = meant.is_null() & (word.is_not_null() | pl.lit(cell.empty is not None))
    told = cells.filter(counted).group_by(word.fill_null("").alias("word"), maintain_order=True).len("count")
    otherwise, empty = pl.lit(cell.otherwise, pl.String), pl.lit(cell.empty, pl.String)
    given = pl.coalesce(meant, pl.when(word.is_null()).then(empty).otherwise(otherwise))
    return cells.with_columns(given.alias(name)), told.select(pl.lit(heading).alias("column"), "word", "count").cast(UNMAPPED)  # type: ignore[arg-type]


_ADDRESSES = ("email", "email_2", "email_3")
_NUMBERS = ("phone_home", "phone_work", "phone_mobile", "phone_fax")


def _beyond(spec: MappedFile, records: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Addresses and numbers of a contact past those the file has columns for, where it has any."""
    used = frozenset[str]().union(*(cell.fields() for cell in spec.columns.values()))
    if spec.of != "contacts":
        return
    if used & {*_ADDRESSES, "emails"} and "emails" not in used:
        held = pl.concat_list(name for name in _ADDRESSES if name in used)
        more = records.select("key", pl.col("emails").str.split("; ").list.set_difference(held).alias("value")).explode("value").drop_nulls("value")
        yield _told(more, "e-mail", "the file has no column for a further address")
    if used & {*_NUMBERS, "phone"}:
        for name in _NUMBERS:
            if name not in used:
                first = pl.col("phone") if "phone" in used else pl.lit(None, pl.String)
                more = records.select("key", pl.col(name).alias("value")).filter(pl.col("value").is_not_null() & pl.col("value").ne_missing(records.select(first.alias("f"))["f"]))
                yield _told(more, name.replace("_", " "), "the file has no column for this number")


def _told(values: pl.DataFrame, column: str, reason: str) -> pl.DataFrame:
    """Of `key` and `value`, what is told of values that are left out."""
    return values.select("key", pl.lit(column).alias("column"), pl.lit(reason).alias("reason"), "value").cast(LEFT_OUT)  # type: ignore[arg-type]


_EXTENSION = r"(?i)[\s,;]*(?:x|ext\.?|extension)\s*\d{1,6}\s*$"


_CUSTOM = Cell()
"""What is said of the cells of custom fields."""
_Bad = tuple[str, pl.Expr, pl.Expr]
"""Why a cell can't be held, where that is so, and what is left of it."""


def _leave(
    cells: pl.DataFrame, name: str, heading: str, bad: Iterable[_Bad], full: dict[str, pl.Series], left_out: list[pl.DataFrame]
) -> pl.DataFrame:
    """Take out of a column what the target can't hold, and list it; `full` keeps the column as it was."""
    for reason, where, kept in bad:
        holds = cells.select(where.fill_null(False)).to_series()
        if holds.any():
            left_out.append(_told(cells.filter(holds).select("key", pl.col(name).alias("value")), heading, f"{heading}: {reason}"))
            full.setdefault(name, cells[name])
            cells = cells.with_columns(pl.when(~holds).then(name).otherwise(kept).alias(name))
    return cells


def _misread(name: str, cell: Cell, target: MappedTarget) -> Iterator[_Bad]:
    if target.never and cell.value is None:
        yield "the target reads this text as something else", pl.col(name).is_in(list(target.never)), pl.lit(None, pl.String)


def _longer(name: str, target: MappedTarget) -> Iterator[_Bad]:
    if target.limits.cell:
        yield f"longer than {target.limits.cell} characters", length_of(pl.col(name), target) > target.limits.cell, pl.lit(None, pl.String)


def length_of(text: pl.Expr, target: MappedTarget) -> pl.Expr:
    """Characters of a text, as the target counts them."""
    more = text.str.count_matches(r"[\x{10000}-\x{10FFFF}]") if target.counts == "utf16" else pl.lit(0, pl.UInt32)
    return text.str.len_chars() + more


def _bad(name: str, cell: Cell, target: MappedTarget) -> Iterator[_Bad]:
    """What this cell can't hold, why, and what is left of it."""
    text, nothing = pl.col(name), pl.lit(None, pl.String)
    other = text.ne_missing(cell.empty) if cell.empty is not None else pl.lit(True)
    if cell.digits:
        yield "its extension has no place", text.str.contains(_EXTENSION), text.str.replace(_EXTENSION, "")
        yield "not one number in digits", ~text.str.contains(r"^\+?[\d\s().\-]*$") | ~text.str.count_matches(r"\d").is_between(1, 15), nothing
    if cell.length:
        yield f"longer than {cell.length} characters", length_of(text, target) > cell.length, nothing
    if cell.bytes:
        yield f"longer than {cell.bytes} bytes", text.str.len_bytes() > cell.bytes, nothing
    if cell.among:
        yield "not one of the target's words", other & ~text.is_in(list(cell.among)), nothing
    if cell.pattern:
        yield "not of the form the target takes", other & ~text.str.contains(cell.pattern), nothing


def _with_parents(cells: pl.DataFrame, records: pl.DataFrame, spec: MappedFile, parents: Callable[[str], pl.Series]) -> pl.DataFrame:
    """Lines whose parent is in no file wait, if they can't stand without; else they stand alone."""
    for n, (heading, cell) in enumerate(spec.columns.items()):
        if not cell.refers:
            continue
        named = records[cell.by] if cell.by else cells[f"{n}"]
        known = pl.concat([parents(f"{refers.partition('.')[0]}.{KEY}" if cell.by else refers) for refers in cell.refers])
        lost = pl.lit(cells[f"{n}"].is_not_null() & ~named.is_in(known.implode()).fill_null(False))
        files = " or ".join(refers.partition(".")[0] for refers in cell.refers)
        cells = cells.with_columns(pl.coalesce("reason", pl.when(lost).then(pl.lit(f"{heading}: its record is not in {files}"))).alias("reason"))
    return cells


def _alone(cells: pl.DataFrame, spec: MappedFile, taken: dict[str, pl.Series]) -> pl.DataFrame:
    """Where no two lines may have the same, the first keeps it and the others wait."""
    for n, (heading, cell) in enumerate(spec.columns.items()):
        if not cell.unique:
            continue
        text = cells[f"{n}"].str.to_lowercase().alias("t")
        live = cells["reason"].is_null() & text.is_not_null()
        before = taken.get(heading, pl.Series("t", [], dtype=pl.String))
        second = live & (text.is_in(before.implode()) | ~text.set(~live, None).is_first_distinct())
        said = pl.when(pl.lit(second)).then(pl.lit(f"{heading}: another line has the same"))
        cells = cells.with_columns(pl.coalesce("reason", said).alias("reason"))
        taken[heading] = pl.concat([before, text.filter(live & ~second)])
    return cells
