"""Telling data from report furniture: titles, repeated headers, group headers, totals, footers, blank rows.

Every row of a sheet is exactly one of these, and the counts are kept: a row that is not data was still seen.
"""

from collections.abc import Iterator
from itertools import islice

import polars as pl

from caseferry.frames import kept, side_by_side
from caseferry.manifest import ControlTotal
from caseferry.mapping.headings import normal
from caseferry.mapping.names import company_pattern
from caseferry.mapping.profile import Profile
from caseferry.reading.grid import ROW, Grid
from caseferry.reading.spooled import Spooled
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


class SaysMore(Exception):
    """A row that is not data says something of the rows below it."""


class Furniture:
    """What each row of a list is. Of what is not data the rows themselves are held; data is not.

    Most lists are gone through once, by `plainly`. Where rows say something of those below them, whoever wants the data
    goes through it again, by `data`.
    """

    def __init__(self, rows: Spooled, fit: Fit, profile: Profile) -> None:
        self._rows, self._fit, self._profile, self._spec = rows, fit, profile, profile.tables[fit.kind]
        self._first = fit.header_row + fit.header_rows
        self._top = rows.head.cells.head(fit.header_row)
        self.title = tuple(" ".join(cell for cell in row[1:] if cell) for row in self._top.rows() if any(row[1:]))
        self._odd = _nothing(rows.head)
        self._looked = list[pl.DataFrame]()
        """What was found of the first bodies when they were gone through plainly."""
        self._filling = [f"c{place}" for place, use in enumerate(fit.uses) if use in self._spec.fill_down]

    def plainly(self) -> Iterator[pl.DataFrame]:
        """The data rows, as they come: `row`, every column as read, and `filled`.

        Raises:
            SaysMore: a row says something of those below. What was given before is no good then.
        """
        self._odd = _nothing(self._rows.head)
        for body in self._bodies():
            odd = self._look(body)
            self._looked.append(odd)
            if self.labels or self._filled:
                raise SaysMore
            yield _FillDown([], odd).fill(_without(body, odd)).select(ROW, *self._rows.head.columns, FILLED)

    def data(self) -> Iterator[pl.DataFrame]:
        """The data rows: `row`, every column as read, `filled`, and one `group:<field>` column per kind of group."""
        self._odd = pl.concat([_nothing(self._rows.head), *self._looked])
        for body in islice(self._bodies(), len(self._looked), None):
            self._look(body)
        keep = [ROW, *self._rows.head.columns, FILLED, *(GROUP + field for field in self.labels)]
        groups = [self._groups(field) for field in self.labels]
        fill = _FillDown(self._filled, self._odd)
        for body in self._bodies():
            cells = fill.fill(_without(body, self._odd.filter(pl.col(ROW).is_between(body[ROW][0], body[ROW][-1]))))
            for marks in groups:
                cells = cells.join_asof(marks, on=ROW, strategy="backward", check_sortedness=False)
            yield cells.select(keep)

    def _look(self, body: pl.DataFrame) -> pl.DataFrame:
        """Those of some rows that are not data; they are held from now on."""
        odd = _odd_rows(body, self._rows.head, self._fit, self._profile)
        if odd.height:
            self._odd = pl.concat([self._odd, odd])
        return odd

    @property
    def labels(self) -> list[str]:
        """The fields that headers of groups tell."""
        return sorted({field for field in self._odd["group_field"].unique().to_list() if field})

    @property
    def _filled(self) -> list[str]:
        """The columns that are printed on the first row of a group only."""
        if not self._filling or self._odd.is_empty():
            return []
        kinds = self._odd[WHAT]
        subtotals = int((kinds == "subtotal").sum())
        bounded = bool((kinds == "group").any()) or subtotals > 1 or (subtotals > 0 and bool((kinds == "total").any()))
        return self._filling if bounded else []

    @property
    def lines(self) -> dict[str, int]:
        """How many rows are what, when all of them were gone through."""
        told = {str(key): int(count) for key, count in self._odd[WHAT].value_counts().iter_rows()}
        told["data"] = max(0, self._rows.height - self._first) - self._odd.height
        told["title"] = len(self.title)
        told["blank"] = told.get("blank", 0) + self._top.height - len(self.title)
        told["header"] = told.get("header", 0) + self._fit.header_rows
        return {key: count for key, count in told.items() if count}

    def _bodies(self) -> Iterator[pl.DataFrame]:
        """The rows below the header."""
        skip = self._first
        for piece in self._rows.pieces():
            if skip < piece.height:
                yield piece.slice(skip)
            skip = max(0, skip - piece.height)

    def _groups(self, field: str) -> pl.DataFrame:
        """Where each group begins that says this of its rows, and what."""
        return self._odd.filter(pl.col("group_field") == field).select(ROW, pl.col("group_value").alias(GROUP + field))

    def control_totals(self) -> tuple[ControlTotal, ...]:
        """The sums the report prints itself, to be held against ours."""
        record = RECORDS[self._spec.record]
        numbers = [
            (place, use) for place, use in enumerate(self._fit.uses)
            if use and ":" not in use and record[use].type in _NUMBERS
        ]  # fmt: skip
        bounds = kept(self._odd, pl.col(WHAT).is_in(["group", "subtotal", "total"]))
        if bounds.is_empty() or not numbers:
            return ()
        found: list[ControlTotal] = []
        start = first = self._first + 1
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


def _without(body: pl.DataFrame, odd: pl.DataFrame) -> pl.DataFrame:
    return body.join(odd, on=ROW, how="anti", maintain_order="left") if odd.height else body


_TOLD = {WHAT: pl.String, "first": pl.String, "group_field": pl.String, "group_value": pl.String}


def _nothing(head: Grid) -> pl.DataFrame:
    return pl.DataFrame(schema={ROW: pl.UInt32, **dict.fromkeys(head.columns, pl.String), **_TOLD})


def _odd_rows(body: pl.DataFrame, head: Grid, fit: Fit, profile: Profile) -> pl.DataFrame:
    """Of some rows those that are not data, with what each is; what can only be data is not looked at closely."""
    columns = head.columns
    least = max(2, int(0.8 * fit.named))
    count = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.UInt16) for name in columns)
    first = pl.coalesce(columns).str.strip_chars()
    odd = _holds(pl.coalesce(columns), "total") | _may_be_header(fit, columns, least)
    few = 2 if profile.tables[fit.kind].group else 1  # a label and a value
    if sum(not body[name].null_count() for name in columns) <= few:
        odd |= count <= few
    close = kept(body, odd)
    if close.is_empty():
        return _nothing(head)
    close = close.with_columns(count=count, first=first).with_columns(_what(fit, profile, columns, least))
    close = close.with_columns(_groups(close, fit, profile))
    return kept(close, close[WHAT] != "data").select(ROW, *columns, *_TOLD)


def _what(fit: Fit, profile: Profile, columns: list[str], least: int) -> pl.Expr:
    """What a row is, as far as it shows by itself."""
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
    return (
        pl.when(count == 0).then(pl.lit("blank"))
        .when(pl.sum_horizontal(header) >= least).then(pl.lit("header"))
        .when(footer & (count == 1)).then(pl.lit("footer"))
        .when(total & first.str.contains(_GRAND)).then(pl.lit("total"))
        .when(total).then(pl.lit("subtotal"))
        .otherwise(pl.lit("data")).alias(WHAT)
    )  # fmt: skip


def _may_be_header(fit: Fit, columns: list[str], least: int) -> pl.Expr:
    """True for every row that could repeat the header: of any few columns one must then hold a word of its heading."""
    named = [(name, heading.casefold().split()[0]) for name, heading in zip(columns, fit.headings, strict=True) if heading.split()]
    few = named[: max(1, len(named) - least + 1)]
    return pl.any_horizontal(pl.lit(False), *(_holds(pl.col(name), word).fill_null(False) for name, word in few))


def _holds(text: pl.Expr, word: str) -> pl.Expr:
    """True where a word in small letters is in the text, whatever its case."""
    return text.str.contains_any([word], ascii_case_insensitive=True) if word.isascii() else text.str.to_lowercase().str.contains(word, literal=True)


def _groups(cells: pl.DataFrame, fit: Fit, profile: Profile) -> list[pl.Expr]:
    """Rows that head a group: a label and a value, or one lone cell where the table is known to be grouped."""
    spec = profile.tables[fit.kind]
    fields = RECORDS[spec.record].names()
    labels = {label: field for label, field in profile.group_label_fields.items() if field in fields}
    nothing = [pl.lit(None, pl.String).alias("group_field"), pl.lit(None, pl.String).alias("group_value")]
    lone = kept(cells, (pl.col(WHAT) == "data") & (pl.col("count") <= 2)).select(ROW, "count", "first", *_columns(cells))
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


class _FillDown:
    """Fills keys that a report prints on the first row of a group only, never across a group's edge.

    Args:
        places: the columns to fill; none where the report has no groups.
        odd: the rows that are not data.
    """

    def __init__(self, places: list[str], odd: pl.DataFrame) -> None:
        self._places = places
        edges = kept(odd, pl.col(WHAT).is_in(["group", "subtotal", "total", "blank"]))[ROW]
        self._edges = side_by_side([edges, edges.alias("block")])
        self._before = pl.DataFrame()
        """What stood last in each column, and the block it stood in."""

    def fill(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Data rows that follow those filled before, with `filled`."""
        if not self._places or cells.is_empty():
            return cells.with_columns(pl.lit(False).alias(FILLED))
        empty = pl.all_horizontal(pl.col(name).is_null() for name in self._places)
        cells = cells.join_asof(self._edges, on=ROW, strategy="backward", check_sortedness=False).with_columns(empty.alias(FILLED), pl.col("block").fill_null(0))
        every = pl.concat([self._before, cells.select("block", *self._places)]) if self._before.width else cells.select("block", *self._places)
        every = every.with_columns(pl.col(name).forward_fill().over("block") for name in self._places)
        self._before = every.tail(1)
        known = every.tail(cells.height).select(pl.col(name).alias(f"{name}^") for name in self._places)
        cells = cells.hstack(known).with_columns(pl.when(FILLED).then(f"{name}^").otherwise(name).alias(name) for name in self._places)
        got = pl.any_horizontal(pl.col(name).is_not_null() for name in self._places)
        return cells.with_columns((pl.col(FILLED) & got).alias(FILLED))
