"""Each type of field: how its text is read, and what is odd about it."""

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from caseferry.coded import Coded
from caseferry.errors import BrokenPromise
from caseferry.frames import kept, known, without
from caseferry.mapping import dates, money
from caseferry.mapping.contact_points import is_email, is_phone
from caseferry.records import Field, Type
from tasks.transform.sheet import Outcome, Sheet

_DAYS = {Type.DATE, Type.BIRTH, Type.MOMENT}
_DURATION: dict[Type, money.Unit] = {
    Type.HOURS: "hours", Type.UNITS: "units", Type.MINUTES: "minutes", Type.SECONDS: "seconds",
}  # fmt: skip
_WORDS = {Type.TEXT, Type.KEY, Type.NAME, Type.EMAIL, Type.PERSON}
_FORMULA = r"^(?:[=@|%\t\r]|[+-]\S)"
TWO_DIGIT_AHEAD = 20
"""Two-digit years of deadlines and the like lie at most this many years ahead; births never do."""


def read_fields(sheet: Sheet) -> None:
    """Give the sheet a column for every field its table maps, and for every custom field (`x:<name>`)."""
    for spec in sheet.job.record.fields:
        places = [c.place for c in sheet.job.table.columns if c.field == spec.name and c.use == "mapped"]
        if spec.name in sheet.job.table.joined:
            _join(sheet, spec.name)
            formula_like(sheet, spec.name)
            places = []
        for number, place in enumerate(places, 1):
            name = f"{spec.name}#{number}" if spec.many else spec.name
            _take(sheet, name, place)
            if spec.type in _WORDS:
                formula_like(sheet, name)
            _read(sheet, name, spec)
        if f"group:{spec.name}" in sheet.given.columns:
            _from_group(sheet, spec)
    for column in sheet.job.table.columns:
        if column.use == "custom_field":
            name = f"x:{column.field}"
            _take(sheet, name, column.place)
            formula_like(sheet, name)
            own = sheet.job.spec.custom.get(column.field)
            if own is not None and own.type == "date":
                _read_day(sheet, name, Type.DATE)
            elif own is not None and own.type == "currency":
                _read_money(sheet, name, is_text=True)


def formula_like(sheet: Sheet, name: str) -> None:
    """A spreadsheet would run what begins like this. The cell goes to the target to the letter, and is listed."""
    known_text = sheet.texts.get(name)
    if known_text:
        odd = known_text.words.str.contains(_FORMULA)
        if odd.any():
            sheet.find(pl.lit(known_text.each(odd)), name, "formula_like", "carried", pl.col(name))
        return
    text = sheet.column(name)
    # Most cells begin with a letter or a digit: it takes a fifth of the time to see that none of them needs a closer look,
    # and half of that where the first and the last in order say so of all.
    first, last = str(text.min() or ""), str(text.max() or "")
    if any(begin <= first and last < end for begin, end in (("0", ":"), ("A", "{"))):
        return
    odd = ~(((text >= "0") & (text < ":")) | ((text >= "A") & (text < "{")))
    if odd.any():
        sheet.find(pl.lit(odd) & pl.col(name).str.contains(_FORMULA), name, "formula_like", "carried", pl.col(name))


def says(sheet: Sheet, name: str, words: Iterable[str]) -> pl.Expr:
    """True where a cell is one of some words, whatever its case and the blanks round it."""
    return saying(sheet, name)(words)


def saying(sheet: Sheet, name: str) -> Callable[[Iterable[str]], pl.Expr]:
    """`says` of one column, to be asked more than once. Distinct texts are looked at, not rows."""
    texts = sheet.by_number(name)
    plain = texts.words.str.strip_chars().str.to_lowercase()

    def says_one_of(words: Iterable[str]) -> pl.Expr:
        is_meant = plain.is_in([word.casefold() for word in words])
        return pl.lit(texts.each(is_meant).fill_null(False)) if is_meant.any() else pl.lit(False)

    return says_one_of


def is_placeholder(sheet: Sheet, text: pl.Expr) -> pl.Expr:
    words = list(sheet.job.profile.placeholders)
    return text.str.strip_chars().str.to_lowercase().is_in(words).fill_null(False)


def join_pieces(sheet: Sheet, field: str) -> None:
    """One text out of the columns that feed a field: what is filled, each once, joined by a dash."""
    names = sorted(name for name in sheet.columns if name.startswith(f"{field}#"))
    if not names:
        sheet.put(pl.lit(None, pl.String).alias(field))
        return
    if len(names) == 1:
        sheet.put_as(field, names[0])
        return
    pieces = pl.concat_list(names).list.drop_nulls().list.unique(maintain_order=True)
    sheet.put(pl.when(pieces.list.len() > 0).then(pieces.list.join(" - ")).alias(field))
    sheet.change(pieces.list.len() > 1, names[0], "descriptions_joined", pl.col(names[0]), pl.col(field))


def _take(sheet: Sheet, name: str, place: int) -> None:
    cell = f"c{place}"
    if cell in sheet.cells:
        sheet.put_by_number({name: sheet.cells[cell]})
    else:
        sheet.put(sheet.given[cell].alias(name))
    if sheet.given["filled"].any() and name.split("#")[0] in sheet.job.spec.fill_down:
        filled = sheet.given["filled"]
        sheet.change(pl.lit(filled) & pl.col(name).is_not_null(), name, "fill_down", pl.lit(None), pl.col(name))


def _join(sheet: Sheet, name: str) -> None:
    """One field out of several columns; nothing where one of them is empty."""
    joined = sheet.job.table.joined[name]
    cells = [sheet.cell(f"c{place}").alias(f"piece{place}") for place in joined.places]
    whole = pl.concat_str([cell.name for cell in cells], separator=joined.between)
    sheet.put(*cells)
    sheet.put(whole.alias(name))
    last = pl.col(cells[-1].name)
    sheet.change(pl.col(name).is_not_null(), name, "columns_joined", last, pl.col(name))
    sheet.find(pl.any_horizontal(pl.col(cell.name).is_not_null() for cell in cells) & pl.col(name).is_null(), name, "half_a_number", "carried", last)
    sheet.drop(*(cell.name for cell in cells))


def _from_group(sheet: Sheet, spec: Field) -> None:
    """What a group's header row says holds for the rows under it that do not say it themselves."""
    above = sheet.cell(f"group:{spec.name}")
    if spec.name == "matter":  # "24-0012 – Smith v Jones": the number stands first
        above = above.str.extract(r"^\s*([^\s:]*\d[^\s:]*)").alias("above")
    sheet.put(above.alias("above"))
    own = pl.col(spec.name) if sheet.has(spec.name) else pl.lit(None, pl.String)
    taken = own.is_null() & pl.col("above").is_not_null()
    sheet.change(taken, spec.name, "group_header", pl.lit(None), pl.col("above"))
    sheet.put(pl.coalesce(own, "above").alias(spec.name))
    sheet.drop("above")


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
        blank = says(sheet, name, sheet.job.profile.placeholders)
        sheet.find(blank, name, "placeholder", "emptied", text)
        sheet.put(pl.when(~blank).then(text).alias(name))
    elif spec.type is Type.EMAIL:
        sheet.find(text.is_not_null() & ~text.str.contains("@"), name, "email_format", "carried", text)
    elif spec.type is Type.PHONE:
        odd = sheet.ask(text.is_not_null() & ~is_phone(text)).to_series()
        if odd.any():
            sheet.find(pl.lit(odd) & is_email(text), name, "email_in_phone", "carried", text, "move it to the e-mail address")
            sheet.find(pl.lit(odd) & ~is_email(text), name, "phone_format", "carried", text)


def _take_as_read(sheet: Sheet, name: str, texts: Coded, told: pl.DataFrame, outcomes: Mapping[str, Outcome]) -> None:
    """Put what each distinct text was read as in the place of the text, which stays as `<name>~`.

    Args:
        texts: the field as it was written.
        told: in the order of its words. `text`; `<name>`, what it was read as, and further columns of the field; `found`, the rule that says what is
            odd about it; `rule` and `after`, how it is written otherwise.
        outcomes: what becomes of a row, by the rule that found it odd.
    """
    if not told["text"].equals(texts.words):
        raise BrokenPromise("what was told of texts is not in their order")
    sheet.rename(name, f"{name}~")
    sheet.put_by_number({one: Coded(texts.numbers, told[one]) for one in told.columns if one not in {"text", "rule", "after", "found"}})
    if told["found"].null_count() < told.height:
        found = set(known(told["found"]))
        for rule in outcomes:
            if rule in found:
                sheet.find(pl.lit(texts.each(told["found"] == rule)), name, rule, outcomes[rule], pl.col(f"{name}~"))
    if told["rule"].null_count() < told.height:
        told = told.select("rule", pl.col("text").alias("before"), "after", pl.int_range(pl.len(), dtype=pl.UInt32).alias("was"))
        otherwise = kept(told, told["rule"].is_not_null()).sort("rule", "before")
        said = pl.repeat(None, told.height, dtype=pl.UInt32, eager=True).scatter(otherwise["was"], pl.int_range(otherwise.height, dtype=pl.UInt32, eager=True))
        sheet.change_as(texts.each(said), name, without(otherwise, "was"))


def _read_day(sheet: Sheet, name: str, kind: Type) -> None:
    field = name.removeprefix("x:").split("#")[0]
    ahead = 0 if kind is Type.BIRTH else TWO_DIGIT_AHEAD
    latest = sheet.job.received_on.replace(year=sheet.job.received_on.year + ahead, day=1)
    order = sheet.job.table.date_orders.get(field)
    texts = sheet.by_number(name)
    parsed = dates.parse(texts.words, order, latest, sheet.job.table.epoch_1904)
    text, day, time, shape = pl.col("text"), pl.col("day"), pl.col("time"), pl.col("shape")
    blank = is_placeholder(sheet, text)
    never = blank & day.is_not_null()  # 01/01/1900 and its like
    future = (day > sheet.job.received_on).fill_null(False) if kind is Type.BIRTH else pl.lit(False)
    parsed = parsed.with_columns(
        pl.when(never | ((shape == "unread") & blank)).then(pl.lit("placeholder")).when(future).then(pl.lit("birth_in_future"))
        .when(shape == "unread").then(pl.lit("date_unreadable")).alias("found"),
        pl.when(~never & ~future).then(day).alias("day"),
    )  # fmt: skip
    after = day.cast(pl.String)
    if kind is Type.MOMENT:
        after = pl.when(time.is_null()).then(after).otherwise(after + " " + time)
    rule = (
        pl.when(shape == "serial").then(pl.lit("excel_serial")).when(shape == "since_1970").then(pl.lit("since_1970"))
        .when(shape == "two_digit_year").then(pl.lit("two_digit_year")).otherwise(pl.lit("date_read"))
    )  # fmt: skip
    told = parsed.select(
        "text", day.alias(name), time.alias(f"{name}@"), "found", pl.when(day.is_not_null() & (text != after)).then(rule).alias("rule"), after.alias("after"),
    )  # fmt: skip
    _take_as_read(sheet, name, texts, told, {"placeholder": "emptied", "birth_in_future": "emptied", "date_unreadable": "emptied"})


def _read_money(sheet: Sheet, name: str, is_text: bool = False) -> None:
    """Read a column of amounts.

    Args:
        is_text: what is no amount stays as it is written, in a column of text.
    """
    texts = sheet.by_number(name)
    parsed = money.parse(texts.words, sheet.job.spec.credit, name.removeprefix("x:") in sheet.job.table.decimal_comma, sheet.job.migration.currency).with_columns(money.plain("amount").alias("after"))
    text, amount, after = pl.col("text"), pl.col("amount"), pl.col("after")
    found = (
        pl.when(pl.col("is_foreign")).then(pl.lit("other_currency")).when(amount.is_null() & is_placeholder(sheet, text)).then(pl.lit("placeholder"))
        .when(amount.is_null()).then(pl.lit("amount_unreadable"))
    )  # fmt: skip
    read = pl.when(amount.is_not_null()).then(after).when(found.ne_missing("placeholder")).then(text) if is_text else amount
    told = parsed.select(
        "text", read.alias(name), found.alias("found"),
        pl.when(amount.is_not_null() & (text != after)).then(pl.lit("amount_read")).alias("rule"), "after",
    )  # fmt: skip
    lost: Outcome = "carried" if is_text else "quarantined" if name in sheet.job.record.money else "emptied"
    _take_as_read(sheet, name, texts, told, {"placeholder": "emptied", "other_currency": lost, "amount_unreadable": lost})


def _read_hours(sheet: Sheet, name: str, unit: money.Unit) -> None:
    texts = sheet.by_number(name)
    parsed = money.parse_hours(texts.words, unit).with_columns(money.plain_hours("hours").alias("after"))
    text, hours, after = pl.col("text"), pl.col("hours"), pl.col("after")
    told = parsed.select(
        "text", hours.alias(name), pl.when(hours.is_null()).then(pl.lit("duration_unreadable")).alias("found"),
        pl.when(hours.is_not_null() & (text != after)).then(pl.lit(f"{unit}_read")).alias("rule"), "after",
    )  # fmt: skip
    _take_as_read(sheet, name, texts, told, {"duration_unreadable": "emptied"})


def _read_time(sheet: Sheet, name: str) -> None:
    texts = sheet.by_number(name)
    parsed = texts.words.to_frame("text")
    # A time of day may come as a moment: a spreadsheet gives both.
    parsed = parsed.with_columns(dates.time_of(pl.col("text").str.replace(r"^\d{4}-\d\d-\d\d[ T]", "")).alias("clock"))
    text, clock = pl.col("text"), pl.col("clock")
    told = parsed.select(
        "text", clock.alias(name), pl.when(clock.is_null()).then(pl.lit("time_unreadable")).alias("found"),
        pl.when(clock.is_not_null() & (text != clock)).then(pl.lit("time_read")).alias("rule"), clock.alias("after"),
    )  # fmt: skip
    _take_as_read(sheet, name, texts, told, {"time_unreadable": "emptied"})
