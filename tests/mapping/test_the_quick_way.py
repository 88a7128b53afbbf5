"""What is told quickly of the commonest texts is what the close look says of them."""

from datetime import date
from typing import cast

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry.mapping import dates, money
from caseferry.mapping.distinct import Counted

LATEST = date(2046, 1, 1)
_MONTHS = st.sampled_from(["Jan", "FEB", "march", "Sept", "June", "Augus", "December", "Mai"])
_DAYS = st.one_of(
    st.builds("{:04d}-{:02d}-{:02d}".format, st.integers(0, 2100), st.integers(0, 13), st.integers(0, 32)),
    st.builds("{}{}{}{}{:04d}".format, st.integers(0, 32), st.sampled_from("- "), _MONTHS, st.sampled_from("- "), st.integers(0, 2100)),
    st.builds("{:02d}/{}/{:04d}".format, st.integers(0, 32), st.integers(0, 32), st.integers(0, 2100)),
    st.integers(9_000, 74_000).map(str),
    st.text("0123456789-/ .*Jan\u0662", max_size=11),
)
_AMOUNTS = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(["", "$", "-", "US$", "€", "(", "$$"]), st.integers(0, 10**17), st.sampled_from(["", ".5", ".50", ".500", ".5000", ")"])),
    st.builds("{}{:,}{}".format, st.sampled_from(["", "$", "-"]), st.integers(0, 10**17), st.sampled_from(["", ".5", ".50", ".500"])),
    st.text("0123456789$.,-( )CRUSD€\u0662", max_size=9),
)
_HOURS = st.one_of(st.decimals(0, 10**7, places=2).map(str), st.text("0123456789.:hm ,\u0662", max_size=8))


@given(st.lists(_DAYS, min_size=1), st.sampled_from([None, "dmy", "mdy", "ymd", "seconds"]), st.booleans())
def test_days(texts: list[str], order: dates.Order | None, epoch_1904: bool) -> None:
    start = date(1904, 1, 1) if epoch_1904 else date(1899, 12, 30)
    closely = dates._closely(pl.DataFrame({"text": sorted(set(texts))}), order, LATEST, start)
    assert dates.parse(pl.Series(texts), order, LATEST, epoch_1904).sort("text").equals(closely.sort("text"))


@given(st.lists(_AMOUNTS, min_size=1), st.booleans(), st.sampled_from(["", "USD", "AUD", "GBP"]))
def test_amounts(texts: list[str], comma: bool, currency: str) -> None:
    closely = money._closely(pl.DataFrame({"text": sorted(set(texts))}), "negative", comma, currency)
    assert money.parse(pl.Series(texts), "negative", comma, currency).sort("text").equals(closely.sort("text"))


@given(st.lists(_HOURS, min_size=1), st.sampled_from(["hours", "units", "minutes", "seconds"]))
def test_durations(texts: list[str], unit: str) -> None:
    closely = money._hours_closely(pl.DataFrame({"text": sorted(set(texts))}), cast("money.Unit", unit))
    assert money.parse_hours(pl.Series(texts), cast("money.Unit", unit)).sort("text").equals(closely.sort("text"))


@pytest.mark.parametrize("text", ["\u0662\u0660\u0662\u0663-01-05", "\u0661/\u0662/2023", "\u0665-Jan-2023"])
def test_figures_of_another_script_are_no_day_and_no_fault(text: str) -> None:
    assert dates.parse(pl.Series([text]), "dmy", LATEST)["shape"].to_list() == ["unread"]
    assert dates.evidence(pl.Series([text])) == dates.Evidence(others=1)


@given(st.lists(st.lists(st.one_of(st.none(), st.sampled_from("abc")))))
def test_distinct_texts_are_counted_over_all_pieces(pieces: list[list[str | None]]) -> None:
    seen: list[dict[str, int]] = []
    counted = Counted([lambda counts: seen.append(dict(counts.iter_rows()))])
    for piece in pieces:
        counted.see(pl.Series(piece, dtype=pl.String))
    counted.told()
    texts = [text for piece in pieces for text in piece if text]
    assert len(seen) <= 1
    assert {text: count for some in seen for text, count in some.items()} == {text: texts.count(text) for text in texts}
