"""A column by number is the column, whichever way it was numbered, and stays what it says of itself while rules rewrite it."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry import coded as rooms
from caseferry.coded import are_few, coded

_CELLS = st.lists(st.none() | st.sampled_from(["", " ", "a", "A", "é", "e\u0301", "\x00", "a/b", "7.5"]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5))


@given(_CELLS, st.booleans())
def test_a_column_by_number_is_the_column(cells: list[str | None], one_by_one: bool) -> None:
    column = pl.Series("c", cells, dtype=pl.String)
    with pytest.MonkeyPatch.context() as patch:
        if one_by_one:
            patch.setattr(rooms, "are_few", lambda _: False)
        text = coded(column)
    assert text.each(text.words).to_list() == cells
    assert text.words.to_list() == list(dict.fromkeys(cell for cell in cells if cell is not None))
    assert text.numbers.dtype == pl.UInt32


def test_whether_a_column_says_the_same_again_and_again_is_seen_wherever_equal_cells_stand() -> None:
    scattered = pl.Series([f"{n * 7919 % 5_000}" for n in range(100_000)])
    together = pl.Series([f"{n // 20}" for n in range(100_000)])
    own = pl.Series([f"{n}" for n in range(100_000)])
    assert (are_few(scattered), are_few(together), are_few(own), are_few(own.head(9))) == (True, True, False, True)


def test_columns_that_are_numbered_at_once_know_nothing_of_each_other() -> None:
    first, second = coded(pl.Series(["x", "y", None])), coded(pl.Series(["z", "y"]))
    assert (first.words.to_list(), second.words.to_list()) == (["x", "y"], ["z", "y"])


def test_what_is_said_of_a_word_is_said_of_its_cells() -> None:
    text = coded(pl.Series(["1 May", None, "2 May", "1 May"]))
    days = pl.Series([date(2024, 5, 1), None])
    assert text.each(days).to_list() == [date(2024, 5, 1), None, None, date(2024, 5, 1)]


def test_cells_get_a_word_of_their_own_and_the_column_they_were_taken_from_stays() -> None:
    text = coded(pl.Series(["a", "b", None]))
    once = text.with_word(pl.Series([True, False, True]), "c")
    again = once.with_word(pl.Series([False, True, False]), "c").with_word(pl.Series([True, False, False]), "a")
    assert (text.full("t").to_list(), once.full("t").to_list(), again.full("t").to_list()) == (["a", "b", None], ["c", "b", "c"], ["a", "c", "c"])
    assert (text.words.to_list(), again.words.to_list()) == (["a", "b"], ["a", "b", "c"])
