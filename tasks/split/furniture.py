"""Telling data from report furniture: titles, repeated headers, group headers, totals, footers, blank rows.

Every row of a sheet is exactly one of these, and the counts are kept: a row that is not data was still seen.
"""

from dataclasses import dataclass

import polars as pl

from caseferry.manifest import ControlTotal
from caseferry.mapping.headings import normal
from caseferry.mapping.names import company_pattern
from caseferry.mapping.profile import Profile
from caseferry.reading.grid import ROW, Grid
from caseferry.records import RECORDS, Type
from tasks.split.recognise import Fit

WHAT = "what"
FILLED = "filled"
GROUP = "group:"
_TOTAL = r"(?i)^(?:(?:grand|sub|report|overall|page|group|matter|client|staff)[\s-]*)?totals?\b"
_TOTAL_ALONE = r"(?i)^(?:(?:grand|sub|report|overall|page|group|matter|client|staff)[\s-]*)?totals?(?:[\s:]*[\d,. ]*|[^\d:]*:\s*[\d,.]+)$"
_TOTAL_BEHIND = r"(?i)\b(?:sub[\s-]*)?totals?\s*:?$"
_GRAND = r"(?i)^(?:grand|report|overall)"
_FIGURE = r"^[($£€\s-]*\d[\d,.\s]*(?:CR|DR)?\)?-?$|^-$"
_NUMBERS = {Type.MONEY, Type.HOURS, Type.MINUTES, Type.UNITS}


@dataclass(frozen=True)
class Sorted:
    """A grid whose rows are told apart."""

    data: pl.DataFrame
    """The data rows: `row`, every column as read, `filled`, and one `group:<field>` column per kind of group."""
    lines: dict[str, int]
    title: tuple[str, ...]
    totals: tuple[ControlTotal, ...]


def sort_rows(grid: Grid, fit: Fit, profile: Profile) -> Sorted:
    """Say of each row what it is, and keep the data."""
    spec = profile.tables[fit.kind]
    top, body = grid.cells.head(fit.header_row), grid.cells.slice(fit.header_row + fit.header_rows)
    title = tuple(" ".join(cell for cell in row[1:] if cell) for row in top.rows() if any(row[1:]))
    cells = _with_facts(body, grid, fit, profile)
    cells = cells.with_columns(_groups(cells, fit, profile))
    labels = {f for f in cells["group_field"].unique().to_list() if f}
    cells = cells.with_columns(
        pl.when(pl.col(WHAT) == "group", pl.col("group_field") == field).then("group_value").otherwise(None)
        .forward_fill().alias(GROUP + field)
        for field in sorted(labels)
    )  # fmt: skip
    totals = _control_totals(cells, grid, fit, profile)
    cells = _fill_down(cells, fit, tuple(spec.fill_down))
    lines = {key: int(count) for key, count in cells[WHAT].value_counts().iter_rows()}
    lines["title"] = len(title)
    lines["blank"] = lines.get("blank", 0) + top.height - len(title)
    lines["header"] = lines.get("header", 0) + fit.header_rows
    keep = [ROW, *grid.columns, FILLED, *(GROUP + field for field in sorted(labels))]
    return Sorted(cells.filter(pl.col(WHAT) == "data").select(keep), {k: v for k, v in lines.items() if v}, title, totals)


def _with_facts(body: pl.DataFrame, grid: Grid, fit: Fit, profile: Profile) -> pl.DataFrame:
    """Each row with its kind, as far as it shows by itself. What can only be data is not looked at closely."""
    columns = grid.columns
    cells = body.with_columns(
        count=pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.UInt16) for name in columns),
        first=pl.coalesce(columns).str.strip_chars(),
    )
    least = max(2, int(0.8 * fit.named))
    odd = (pl.col("count") <= 1) | pl.col("first").str.to_lowercase().str.contains("total", literal=True) | _may_be_header(fit, columns, least)
    places = cells.select(odd.fill_null(False).arg_true()).to_series()
    close = cells[places]
    figures = pl.sum_horizontal(pl.col(name).str.strip_chars().str.contains(_FIGURE).fill_null(False).cast(pl.UInt16) for name in columns)
    header = [
        (pl.col(name).str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ") == heading.casefold())
        .fill_null(False).cast(pl.UInt16)
        for name, heading in zip(columns, fit.headings, strict=True) if heading
    ]  # fmt: skip
    first, count = pl.col("first"), pl.col("count")
    footer = pl.any_horizontal(first.str.contains("(?i)" + pattern) for pattern in profile.footers)
    labelled = (first.str.contains(_TOTAL) | first.str.contains(_TOTAL_BEHIND)) & ~first.str.contains(company_pattern(profile.company_words))
    total = (labelled & (figures >= 1) & (count - figures <= 1)) | ((count == 1) & first.str.contains(_TOTAL_ALONE))
    told = close.select(
        pl.when(count == 0).then(pl.lit("blank"))
        .when(pl.sum_horizontal(header) >= least).then(pl.lit("header"))
        .when(footer & (count == 1)).then(pl.lit("footer"))
        .when(total & first.str.contains(_GRAND)).then(pl.lit("total"))
        .when(total).then(pl.lit("subtotal"))
        .otherwise(pl.lit("data")).alias(WHAT)
    ).to_series()  # fmt: skip
    what = pl.repeat("data", cells.height, eager=True, dtype=pl.String).alias(WHAT)
    return cells.with_columns(what.scatter(places, told) if places.len() else what)


def _may_be_header(fit: Fit, columns: list[str], least: int) -> pl.Expr:
    """True for every row that could repeat the header: of any few columns one must then hold a word of its heading."""
    named = [(name, heading.casefold().split()[0]) for name, heading in zip(columns, fit.headings, strict=True) if heading.split()]
    few = named[: max(1, len(named) - least + 1)]
    return pl.any_horizontal(pl.lit(False), *(pl.col(name).str.to_lowercase().str.contains(word, literal=True).fill_null(False) for name, word in few))


def _groups(cells: pl.DataFrame, fit: Fit, profile: Profile) -> list[pl.Expr]:
    """Rows that head a group: a label and a value, or one lone cell where the table is known to be grouped."""
    spec = profile.tables[fit.kind]
    fields = RECORDS[spec.record].names()
    labels = {label: field for label, field in profile.group_label_fields.items() if field in fields}
    nothing = [pl.lit(None, pl.String).alias("group_field"), pl.lit(None, pl.String).alias("group_value")]
    lone = cells.filter(pl.col(WHAT) == "data", pl.col("count") <= 2).select(ROW, "count", "first", *_columns(cells))
    if lone.is_empty() or not spec.group:
        return nothing
    found: dict[int, tuple[str, str]] = {}
    key = next((place for place, use in enumerate(fit.uses) if use in {"number", "matter"}), -1)
    for row, count, first, *rest in lone.rows():
        label, _, value = str(first).partition(":")
        texts = [str(cell).strip() for cell in rest if cell]
        if normal(label) in labels and value.strip() and count == 1:
            found[row] = (labels[normal(label)], value.strip())
        elif count == 2 and normal(texts[0].rstrip(":")) in labels:
            found[row] = (labels[normal(texts[0].rstrip(":"))], texts[1])
        elif count == 1 and _may_head(texts[0], rest, key, spec.group):
            found[row] = _heads(texts[0], spec.group, profile, fields)
    if not found:
        return nothing
    rows = pl.Series(list(found), dtype=cells[ROW].dtype)
    field = pl.col(ROW).replace_strict(rows, pl.Series([v[0] for v in found.values()]), default=None)
    shown = pl.col(ROW).replace_strict(rows, pl.Series([v[1] for v in found.values()]), default=None)
    heads = pl.col(ROW).is_in(rows.to_list())
    return [field.alias("group_field"), shown.alias("group_value"), pl.when(heads).then(pl.lit("group")).otherwise(WHAT).alias(WHAT)]


def _may_head(text: str, cells: list[str | None], key: int, group: str) -> bool:
    """A lone cell heads a group unless it could be a row's key, or the rest of the text in the row above."""
    place = next(place for place, cell in enumerate(cells) if cell)
    if place not in {0, key}:
        return False
    in_key = key >= 0 and cells[key] is not None
    return not (in_key and any(char.isdigit() for char in text) and group in {"responsible", "client", "staff"})


def _heads(text: str, group: str, profile: Profile, fields: set[str]) -> tuple[str, str]:
    """What a lone cell says of the rows below it: whose they are, which matter's, or only which section begins."""
    words = set(normal(text).split())
    for field, marks in profile.sections.items():
        if words & set(marks) and group == "responsible":
            return (field, "Yes") if field in fields else ("", text)
    has_number = any(char.isdigit() for char in text.split()[0])
    if group == "matter" and not has_number and "staff" in fields:
        return ("staff", text)
    if group == "client" and has_number and "matter" in fields:
        return ("matter", text)
    return (group, text)


def _columns(cells: pl.DataFrame) -> list[str]:
    return [name for name in cells.columns if name[0] == "c" and name[1:].isdigit()]


def _control_totals(cells: pl.DataFrame, grid: Grid, fit: Fit, profile: Profile) -> tuple[ControlTotal, ...]:
    """The sums the report prints itself, to be held against ours."""
    record = RECORDS[profile.tables[fit.kind].record]
    numbers = [
        (place, use) for place, use in enumerate(fit.uses)
        if use and ":" not in use and record[use].type in _NUMBERS
    ]  # fmt: skip
    bounds = cells.filter(pl.col(WHAT).is_in(["group", "subtotal", "total"]))
    if bounds.is_empty() or not numbers:
        return ()
    found: list[ControlTotal] = []
    start = first = int(cells[ROW][0])
    several = bounds.filter(pl.col(WHAT) == "subtotal").height > 1
    last_row = int(bounds[ROW][-1])
    for line in bounds.iter_rows(named=True):
        if line[WHAT] == "group":
            start = line[ROW]
            continue
        plain_last = line[ROW] == last_row and line["first"].strip().casefold().rstrip(":") in {"total", "totals"}
        whole = line[WHAT] == "total" or (plain_last and (several or bounds.height == 1))
        for place, use in numbers:
            if value := line[f"c{place}"]:
                found.append(
                    ControlTotal(
                        row=line[ROW], scope="total" if whole else "subtotal", field=use, value=value,
                        first_row=first if whole else start,
                    )  # fmt: skip
                )
        if not whole:
            start = line[ROW] + 1
    return tuple(found)


def _fill_down(cells: pl.DataFrame, fit: Fit, fields: tuple[str, ...]) -> pl.DataFrame:
    """Fill keys that a report prints on the first row of a group only, never across a group's edge."""
    places = [f"c{place}" for place, use in enumerate(fit.uses) if use in fields]
    kinds = cells[WHAT]
    bounded = (kinds == "group").any() or (kinds == "subtotal").sum() > 1 or ((kinds == "subtotal").any() and (kinds == "total").any())
    if not places or not bounded:
        return cells.with_columns(pl.lit(False).alias(FILLED))
    block = pl.col(WHAT).is_in(["group", "subtotal", "total", "blank"]).cum_sum()
    empty = pl.all_horizontal(pl.col(name).is_null() for name in places) & (pl.col(WHAT) == "data")
    cells = cells.with_columns(block.alias("block"), empty.alias(FILLED))
    filled = [
        pl.when(FILLED)
        .then(pl.when(pl.col(WHAT) == "data").then(name).forward_fill().over("block"))
        .otherwise(name)
        .alias(name)
        for name in places
    ]
    cells = cells.with_columns(filled)
    got = pl.any_horizontal(pl.col(name).is_not_null() for name in places)
    return cells.with_columns((pl.col(FILLED) & got).alias(FILLED))
