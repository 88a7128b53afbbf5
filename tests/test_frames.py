"""What goes without a plan comes to what Polars makes of it."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from caseferry.frames import kept, known, side_by_side, stacked, without

_ROWS = st.lists(st.tuples(st.none() | st.integers(0, 9), st.none() | st.text(max_size=20), st.none() | st.booleans()), max_size=30)
_SCHEMA = {"n": pl.Int64, "t": pl.String, "w": pl.Boolean}


def table(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


@given(_ROWS, _ROWS)
def test_rows_are_kept_as_by_a_filter(rows: list[tuple[object, ...]], more: list[tuple[object, ...]]) -> None:
    both = pl.concat([table(rows), table(more)])  # in two pieces, as tables mostly are
    assert_frame_equal(kept(both, both["w"]), both.filter(both["w"]))
    assert_frame_equal(kept(both, pl.col("n") > 4), both.filter(pl.col("n") > 4))


@given(st.lists(_ROWS, min_size=1, max_size=5))
def test_tables_are_stacked_as_by_a_concatenation(some: list[list[tuple[object, ...]]]) -> None:
    tables = [table(rows) for rows in some]
    assert_frame_equal(stacked(tables), pl.concat(tables))
    assert_frame_equal(tables[0], table(some[0]))  # and are what they were


def test_tables_of_two_schemas_are_not_stacked() -> None:
    with pytest.raises(pl.exceptions.PolarsError):
        stacked([table([]), table([]).drop("t")])


@given(_ROWS)
def test_columns_are_left_out_and_laid_beside_each_other(rows: list[tuple[object, ...]]) -> None:
    whole = table(rows)
    assert_frame_equal(without(whole, "t", "no such"), whole.drop("t"))
    assert_frame_equal(side_by_side(whole.get_columns()), whole)
    assert without(whole, "n", "t", "w").width == side_by_side([]).width == 0


@given(_ROWS)
def test_what_is_known_of_a_column_is_what_holds_something(rows: list[tuple[object, ...]]) -> None:
    for column in table(rows).iter_columns():
        assert known(column).equals(column.drop_nulls())


def test_one_answer_does_not_do_for_all_rows() -> None:
    with pytest.raises(ValueError, match="one answer for each"):
        kept(table([(1, "a", True), (2, "b", True)]), pl.lit(True))
