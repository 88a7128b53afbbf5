"""Each type of field: how its text is read, and what is odd about it."""

from typing import Literal

import polars as pl

from caseferry.mapping import dates, money
from caseferry.mapping.contact_points import is_email, is_phone
from caseferry.records import Field, Type
from tasks.transform.sheet import Sheet

_DAYS = {Type.DATE, Type.BIRTH, Type.MOMENT}
_DURATION: dict[Type, Literal["hours", "units", "minutes"]] = {
    Type.HOURS: "hours", Type.UNITS: "units", Type.MINUTES: "minutes",
}  # fmt: skip
_WORDS = {Type.TEXT, Type.KEY, Type.NAME, Type.EMAIL, Type.PERSON}
_FORMULA = r"^(?:[=@|%\t\r]|[+-]\S)"
TWO_DIGIT_AHEAD = 20
"""Two-digit years of deadlines and the like lie at most this many years ahead; births never do."""


def read_fields(sheet: Sheet) -> None:
    """Give the sheet a column for every field its table maps, and for every custom field (`x:<name>`)."""
    for spec in sheet.job.record.fields:
        places = [c.place for c in sheet.job.table.columns if c.field == spec.name and c.use == "mapped"]
        for number, place in enumerate(places, 1):
            name = f"{spec.name}#{number}" if spec.many else spec.name
            _take(sheet, name, place)
            if spec.type in _WORDS:
                formula_like(sheet, name)
            _read(sheet, name, spec)
        if f"group:{spec.name}" in sheet.raw.columns:
            _from_group(sheet, spec)
    for column in sheet.job.table.columns:
        if column.use == "custom_field":
            name = f"x:{column.field}"
            _take(sheet, name, column.place)
            formula_like(sheet, name)
            if sheet.job.spec.custom[column.field].type == "date":
                _read_day(sheet, name, Type.DATE)


def formula_like(sheet: Sheet, name: str) -> None:
    """A spreadsheet would run what begins like this. The cell goes to the target to the letter, and is listed."""
    sheet.find(pl.col(name).str.contains(_FORMULA), name, "formula_like", "carried", pl.col(name))


def is_placeholder(sheet: Sheet, text: pl.Expr) -> pl.Expr:
    words = list(sheet.job.profile.placeholders)
    return text.str.strip_chars().str.to_lowercase().is_in(words).fill_null(False)


def join_pieces(sheet: Sheet, field: str) -> None:
    """One text out of the columns that feed a field: what is filled, each once, joined by a dash."""
    names = sorted(name for name in sheet.frame.columns if name.startswith(f"{field}#"))
    if not names:
        sheet.frame = sheet.frame.with_columns(pl.lit(None, pl.String).alias(field))
        return
    if len(names) == 1:
        sheet.frame = sheet.frame.with_columns(pl.col(names[0]).alias(field))
        return
    pieces = pl.concat_list(names).list.drop_nulls().list.unique(maintain_order=True)
    sheet.frame = sheet.frame.with_columns(pl.when(pieces.list.len() > 0).then(pieces.list.join(" - ")).alias(field))
    sheet.change(pieces.list.len() > 1, names[0], "descriptions_joined", pl.col(names[0]), pl.col(field))


def _take(sheet: Sheet, name: str, place: int) -> None:
    sheet.frame = sheet.frame.with_columns(sheet.raw[f"c{place}"].alias(name))
    if sheet.raw["filled"].any() and name.split("#")[0] in sheet.job.spec.fill_down:
        filled = sheet.raw["filled"]
        sheet.change(pl.lit(filled) & pl.col(name).is_not_null(), name, "fill_down", pl.lit(None), pl.col(name))


def _from_group(sheet: Sheet, spec: Field) -> None:
    """What a group's header row says holds for the rows under it that do not say it themselves."""
    above = sheet.raw[f"group:{spec.name}"]
    if spec.name == "matter":  # "24-0012 – Smith v Jones": the number stands first
        above = above.str.extract(r"^\s*([^\s:]*\d[^\s:]*)").alias("above")
    sheet.frame = sheet.frame.with_columns(above.alias("above"))
    own = pl.col(spec.name) if sheet.has(spec.name) else pl.lit(None, pl.String)
    taken = own.is_null() & pl.col("above").is_not_null()
    sheet.change(taken, spec.name, "group_header", pl.lit(None), pl.col("above"))
    sheet.frame = sheet.frame.with_columns(pl.coalesce(own, "above").alias(spec.name)).drop("above")


def _read(sheet: Sheet, name: str, spec: Field) -> None:
    text = pl.col(name)
    if spec.type in _DAYS:
        _read_day(sheet, name, spec.type)
    elif spec.type is Type.MONEY:
        _read_money(sheet, name)
    elif spec.type in _DURATION:
        _read_hours(sheet, name, _DURATION[spec.type])
    elif spec.type is Type.TIME:
        _read_time(sheet, name)
    elif spec.type is Type.EMAIL and spec.many:
        blank = is_placeholder(sheet, text)
        sheet.find(blank, name, "placeholder", "emptied", text)
        sheet.frame = sheet.frame.with_columns(pl.when(~blank).then(text).alias(name))
    elif spec.type is Type.EMAIL:
        sheet.find(text.is_not_null() & ~text.str.contains("@"), name, "email_format", "carried", text)
    elif spec.type is Type.PHONE:
        sheet.find(is_email(text), name, "email_in_phone", "carried", text, "move it to the e-mail address")
        sheet.find(text.is_not_null() & ~is_phone(text) & ~is_email(text), name, "phone_format", "carried", text)


def _join(sheet: Sheet, name: str, parsed: pl.DataFrame) -> None:
    """Replace a column of text by what its distinct texts were parsed to; the text stays as `<name>~`."""
    frame = sheet.frame.rename({name: f"{name}~"})
    sheet.frame = frame.join(parsed, left_on=f"{name}~", right_on="text", how="left", maintain_order="left")


def _read_day(sheet: Sheet, name: str, kind: Type) -> None:
    field = name.removeprefix("x:").split("#")[0]
    text = sheet.frame[name]
    ahead = 0 if kind is Type.BIRTH else TWO_DIGIT_AHEAD
    latest = sheet.job.received_on.replace(year=sheet.job.received_on.year + ahead, day=1)
    order = sheet.job.table.date_orders.get(field)
    parsed = dates.parse(text, order, latest, sheet.job.table.epoch_1904)
    _join(sheet, name, parsed.rename({"day": name, "time": f"{name}@", "shape": f"{name}?"}))
    before, shape = pl.col(f"{name}~"), pl.col(f"{name}?")
    never = is_placeholder(sheet, before) & pl.col(name).is_not_null()  # 01/01/1900 and its like
    sheet.find(never, name, "placeholder", "emptied", before)
    sheet.frame = sheet.frame.with_columns(pl.when(~never).then(name).alias(name))
    if kind is Type.BIRTH:
        future = pl.col(name) > sheet.job.received_on
        sheet.find(future, name, "birth_in_future", "emptied", before)
        sheet.frame = sheet.frame.with_columns(pl.when(~future.fill_null(False)).then(name).alias(name))
    blank = is_placeholder(sheet, before)
    sheet.find((shape == "unread") & blank, name, "placeholder", "emptied", before)
    sheet.find((shape == "unread") & ~blank, name, "date_unreadable", "emptied", before)
    after = pl.col(name).cast(pl.String)
    if kind is Type.MOMENT:
        after = pl.when(pl.col(f"{name}@").is_null()).then(after).otherwise(after + " " + pl.col(f"{name}@"))
    rule = (
        pl.when(shape == "serial").then(pl.lit("excel_serial"))
        .when(shape == "two_digit_year").then(pl.lit("two_digit_year")).otherwise(pl.lit("date_read"))
    )  # fmt: skip
    sheet.change(pl.col(name).is_not_null() & (before != after), name, rule, before, after)


def _read_money(sheet: Sheet, name: str) -> None:
    comma = name in sheet.job.table.decimal_comma
    parsed = money.parse(sheet.frame[name], sheet.job.spec.credit, comma)
    _join(sheet, name, parsed.rename({"amount": name}))
    before = pl.col(f"{name}~")
    unread = before.is_not_null() & pl.col(name).is_null()
    blank = unread & is_placeholder(sheet, before)
    sheet.find(blank, name, "placeholder", "emptied", before)
    counts = name in sheet.job.record.money
    sheet.find(unread & ~blank, name, "amount_unreadable", "quarantined" if counts else "emptied", before)
    sheet.change(pl.col(name).is_not_null() & (before != money.plain(name)), name, "amount_read", before, money.plain(name))


def _read_hours(sheet: Sheet, name: str, unit: Literal["hours", "units", "minutes"]) -> None:
    _join(sheet, name, money.parse_hours(sheet.frame[name], unit).rename({"hours": name}))
    before = pl.col(f"{name}~")
    unread = before.is_not_null() & pl.col(name).is_null()
    sheet.find(unread, name, "duration_unreadable", "emptied", before)
    after = money.plain_hours(name)
    sheet.change(pl.col(name).is_not_null() & (before != after), name, f"{unit}_read", before, after)


def _read_time(sheet: Sheet, name: str) -> None:
    text = pl.col(name)
    # A time of day may come as a moment: a spreadsheet gives both.
    clock = dates.time_of(text.str.replace(r"^\d{4}-\d\d-\d\d[ T]", ""))
    sheet.frame = sheet.frame.with_columns(text.alias(f"{name}~"), clock.alias(name))
    before = pl.col(f"{name}~")
    sheet.find(before.is_not_null() & pl.col(name).is_null(), name, "time_unreadable", "emptied", before)
    sheet.change(pl.col(name).is_not_null() & (before != pl.col(name)), name, "time_read", before, pl.col(name))
