"""Days in bare figures, durations without a word for minutes, thousands behind an apostrophe: read where they can be nothing else."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseferry.mapping import dates, money

LATEST = date(2068, 1, 1)


def text(*cells: str) -> pl.Series:
    return pl.Series("c", list(cells), dtype=pl.String)


def days(*cells: str) -> list[str]:
    order = dates.evidence(text(*cells)).order
    read = dates.parse(text(*cells), order, LATEST).sort("text")
    return [f"{day} {time or ''}".strip() if day else "?" for day, time in read.select("day", "time").iter_rows()]


def test_eight_figures_are_days_where_the_whole_column_is() -> None:
    assert days("20240301", "19581231") == ["1958-12-31", "2024-03-01"]
    assert days("00000000", "20240301", "0") == ["?", "?", "2024-03-01"], "noughts are no day, and prove nothing"


@pytest.mark.parametrize("other", ["31122024", "2024-03-01", "20241301", "12345", "20240301x", "3/4/2024"])
def test_one_cell_that_is_none_leaves_eight_figures_unread(other: str) -> None:
    cells = text("20240301", other)
    read = dict(dates.parse(cells, dates.evidence(cells).order, LATEST).select("text", "day").iter_rows())
    assert read["20240301"] is None


def test_what_has_gone_by_since_1970_is_a_moment_where_the_whole_column_is() -> None:
    assert days("1709287200", "1677663000") == ["2023-03-01 09:30:00", "2024-03-01 10:00:00"]
    assert days("1709287200000", "1677663000000") == ["2023-03-01 09:30:00", "2024-03-01 10:00:00"]
    assert days("1709287200", "12") == ["?", "?"]
    assert days("1709287200", "20240301") == ["?", "?"], "two ways of writing prove neither"


def test_serial_numbers_of_a_sheet_are_read_as_before() -> None:
    assert days("45292", "45293") == ["2024-01-01", "2024-01-02"]


@settings(deadline=None)
@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_every_day_in_figures_comes_back(day: date) -> None:
    assert days(day.strftime("%Y%m%d")) == [day.isoformat()]


@pytest.mark.parametrize(("cell", "hours"), [("1h30", "1.5"), ("0h05", "0.0833"), ("1 h 30", "1.5"), ("2H15", "2.25"), ("1h30m", "1.5"), ("1h", "1"), ("1h75", None), ("1h5", None), ("h30", None)])
def test_hours_and_minutes_may_stand_round_an_h(cell: str, hours: str | None) -> None:
    read = money.parse_hours(text(cell), "hours")["hours"][0]
    assert read == (Decimal(hours) if hours else None)


def test_seconds_are_hours_in_3600_parts() -> None:
    assert money.parse_hours(text("5400", "900"), "seconds").sort("text")["hours"].to_list() == [Decimal("1.5"), Decimal("0.25")]


def test_a_blank_between_thousands_hides_no_decimal_comma() -> None:
    assert money.decimals(text("1 000,00", "12,50")).are_behind_comma
    assert not money.decimals(text("1 000.00", "1,250.00")).are_behind_comma


@pytest.mark.parametrize(("cell", "amount"), [("CHF 1'127.00", "1127"), ("12’345’678.05", "12345678.05"), ("1'000", "1000"), ("1'00.00", None), ("'12.00", None), ("1'0000", None)])
def test_an_apostrophe_stands_between_thousands_and_nowhere_else(cell: str, amount: str | None) -> None:
    read = money.parse(text(cell), currency="CHF")["amount"][0]
    assert read == (Decimal(amount) if amount else None)
