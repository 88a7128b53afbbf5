"""Days and telephone numbers, a hundred thousand of each, held against the libraries the field goes by."""

import random
from datetime import date, datetime, timedelta
from typing import Any

import phonenumbers
import polars as pl
import pytest
from dateutil import parser

from caseferry.mapping import dates
from caseferry.mapping.contact_points import is_phone, phone_key

COUNT = 100_000
_DMY = ("%d/%m/%Y", "%-d/%-m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d/%m/%Y %H:%M", "%d/%m/%Y %I:%M %p")
_MDY = ("%m/%d/%Y", "%-m/%-d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p")
_ANY = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d-%b-%Y", "%-d %B %Y", "%b %d, %Y", "%B %-d, %Y", "%d %b %Y", "%A, %d %B %Y")


@pytest.mark.parametrize(("order", "shapes"), [("dmy", _DMY + _ANY), ("mdy", _MDY + _ANY)])
def test_days_are_those_that_dateutil_reads_once_the_order_is_fixed(order: Any, shapes: tuple[str, ...]) -> None:
    dice = random.Random(11)
    start = datetime(1990, 1, 1)
    texts = list({
        (start + timedelta(minutes=dice.randrange(40 * 365 * 1440))).strftime(shape)
        for shape in shapes for _ in range(COUNT // len(shapes) * 2)
    })  # fmt: skip
    dice.shuffle(texts)
    texts = texts[:COUNT]
    assert len(texts) == COUNT
    told = dates.parse(pl.Series(texts), order, date(2040, 1, 1))
    assert told["shape"].eq("unread").sum() == 0  # none is handed to anybody
    for text, day, time in told.select("text", "day", "time").iter_rows():
        moment = parser.parse(text, dayfirst=order == "dmy" and not text[:4].isdigit())
        assert day == moment.date(), text
        assert time is None or time == moment.strftime("%H:%M:%S"), text


_SHAPES = {
    "US": ("({a}) {b}-{c}", "{a}-{b}-{c}", "{a}.{b}.{c}", "+1 {a} {b} {c}", "1-{a}-{b}-{c}", "{a}{b}{c}", "{a} {b} {c}", "({a}) {b}-{c} ext 12", "{a}-{b}-{c} x7"),
    "AU": ("04{x} {y} {z}", "+61 4{x} {y} {z}", "(02) 9{x}{y4} {z4}", "02 9{x}{y4}{z4}", "+61 2 9{x}{y4} {z4}"),
    "GB": ("020 7{y} {z4}", "+44 20 7{y} {z4}", "(020) 7{y} {z4}", "077{x} {y}{z}", "+44 77{x} {y}{z}"),
}


def test_what_the_library_reads_as_a_number_is_one_to_us_digit_for_digit() -> None:
    dice = random.Random(13)
    made = []
    for _ in range(COUNT):
        region = dice.choice(list(_SHAPES))
        digits = {"a": dice.randint(201, 989), "b": dice.randint(200, 999), "c": f"{dice.randint(0, 9999):04d}",
                  "x": f"{dice.randint(0, 99):02d}", "y": f"{dice.randint(0, 999):03d}", "z": f"{dice.randint(0, 999):03d}",
                  "y4": dice.randint(0, 9), "z4": f"{dice.randint(0, 9999):04d}"}  # fmt: skip
        made.append((region, dice.choice(_SHAPES[region]).format(**digits)))
    told = pl.DataFrame(made, schema=["region", "text"], orient="row").with_columns(is_phone(pl.col("text")).alias("is"), phone_key(pl.col("text")).alias("key"))
    read = 0
    for region, text, ours, key in told.iter_rows():
        number = phonenumbers.parse(text, region)
        if phonenumbers.is_possible_number(number):
            read += 1
            assert ours, text
            assert key.removesuffix(number.extension or "").endswith(str(number.national_number)), text
    assert read > 0.9 * COUNT
    assert int(told["is"].sum()) - read < 0.1 * COUNT, "too many that the library does not know"
