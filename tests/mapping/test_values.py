import re
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry.mapping import dates, money, names
from caseferry.mapping.contact_points import is_email, is_phone, split_emails
from caseferry.mapping.headings import normal, system_of
from caseferry.mapping.names import key_of, several_people

TODAY = date(2024, 6, 3)


def day(text: str, order: dates.Order | None = "dmy", epoch_1904: bool = False) -> date | None:
    found: date | None = dates.parse(pl.Series([text]), order, TODAY, epoch_1904)["day"][0]
    return found


@given(st.dates(date(1930, 1, 1), date(2060, 12, 31)), st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%d-%b-%Y", "%d %B %Y", "%B %d, %Y", "%d.%m.%Y"]))
def test_a_day_written_in_any_known_shape_is_that_day(when: date, style: str) -> None:
    assert day(when.strftime(style)) == when


@given(st.dates(date(1930, 1, 1), date(2099, 12, 31)))
def test_month_first_is_read_month_first(when: date) -> None:
    assert day(when.strftime("%m/%d/%Y"), "mdy") == when


@pytest.mark.parametrize("text", ["31/02/2024", "00/00/0000", "13/13/2024", "2024-13-01", "tomorrow", "1/2/2024 and more", "99999"])
def test_a_day_that_does_not_exist_is_no_day(text: str) -> None:
    assert day(text) is None


def test_two_digit_years_never_become_the_first_century() -> None:
    assert day("3/11/21") == date(2021, 11, 3)
    assert day("01/02/45") == date(1945, 2, 1)


def test_day_numbers_of_spreadsheets_count_from_their_epoch() -> None:
    assert day("45443") == date(2024, 5, 31)
    assert day("43981", epoch_1904=True) == date(2024, 5, 31)
    assert dates.parse(pl.Series(["45443.75"]), None, TODAY)["time"][0] == "18:00:00"


def test_only_days_that_exist_say_which_order_a_column_has() -> None:
    assert dates.evidence(pl.Series(["31/12/2024", "01/02/2024"])).order == "dmy"
    assert dates.evidence(pl.Series(["12/31/2024", "01/02/2024"])).order == "mdy"
    both = dates.evidence(pl.Series(["31/12/2024", "12/31/2024", "01/02/2024"]))
    assert both.order is None and both.must_ask
    assert dates.evidence(pl.Series(["02/30/2024", "01/02/2024"])).must_ask  # 30 February proves nothing
    assert dates.evidence(pl.Series(["13.02.2022", "3/4/2024"])).must_ask  # somebody else wrote it
    assert dates.evidence(pl.Series(["13.02.2022", "3/4/2024"])) + dates.evidence(pl.Series(["31/4/2024", "30/4/2024"])) == dates.evidence(pl.Series(["13.02.2022", "3/4/2024", "31/4/2024", "30/4/2024"]))
    assert (dates.evidence(pl.Series(["13.02.2022", "3/4/2024"])) + dates.evidence(pl.Series(["30/4/2024"]))).order == "dmy"
    assert not dates.evidence(pl.Series(["05/05/2024", "2024-05-06", "6 May 2024"])).must_ask


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_an_amount_is_read_to_the_cent_in_every_way_it_is_written(value: Decimal) -> None:
    size = abs(value)
    ways = [f"{value}", f"${value}", f" {value:,} ", f"USD {value:,}"]
    if value < 0:
        ways += [f"({size:,})", f"{size:,}-", f"{size:,} CR"]
    for text in ways:
        assert money.parse(pl.Series([text]))["amount"][0] == value, text


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_nothing(text: str) -> None:
    found = money.parse(pl.Series([text]))["amount"][0]
    assert found is None or isinstance(found, Decimal)


@pytest.mark.parametrize("text", ["1.23456", "abc", "12,34", "(5) CR", "1 2x"])
def test_what_is_not_exactly_an_amount_is_none(text: str) -> None:
    assert money.parse(pl.Series([text]))["amount"][0] is None


def test_credit_means_what_the_report_says() -> None:
    assert money.parse(pl.Series(["5 CR"]), "positive")["amount"][0] == 5
    assert money.parse(pl.Series(["5 DR"]), "positive")["amount"][0] == -5


def test_decimal_commas_are_decided_by_the_column() -> None:
    assert money.decimals(pl.Series(["1.234,50", "7,5"])).are_behind_comma
    assert not (money.decimals(pl.Series(["1,234"])) + money.decimals(pl.Series(["7,50"]))).are_behind_comma


@pytest.mark.parametrize(("text", "hours"), [("1.5", "1.5"), (".5", "0.5"), ("0:30", "0.5"), ("1h 30m", "1.5"), ("90 min", "1.5"), ("2 hrs", "2")])
def test_hours_are_read_as_people_write_them(text: str, hours: str) -> None:
    assert money.parse_hours(pl.Series([text]), "hours")["hours"][0] == Decimal(hours)


def test_units_are_tenths_and_minutes_sixtieths() -> None:
    assert money.parse_hours(pl.Series(["3"]), "units")["hours"][0] == Decimal("0.3")
    assert money.parse_hours(pl.Series(["90"]), "minutes")["hours"][0] == Decimal("1.5")


def test_addresses_and_numbers_are_told() -> None:
    table = pl.DataFrame({"t": ["a@x.com", "a@x", "call after 5", "0412 345 678", "+44 (0)20 7946 0000", "(603) 555-0100 ext 4", "12345", None]})
    shown = table.select(e=is_email(pl.col("t")), p=is_phone(pl.col("t")))
    assert shown["e"].to_list() == [True] + [False] * 7
    assert shown["p"].to_list() == [False, False, False, True, True, True, False, False]


def test_several_addresses_are_split_and_odd_text_is_left_whole() -> None:
    table = pl.DataFrame({"t": ["a@x.com; b@y.org", "John <j@x.com>", None]})
    assert table.select(split_emails(pl.col("t"))).to_series().to_list() == [["a@x.com", "b@y.org"], ["John <j@x.com>"], []]


def test_names_are_joined_by_their_normal_form() -> None:
    assert key_of("Smith,  John") == key_of("john smith") == "john smith"
    assert several_people("John and Mary Smith") == ["John Smith", "Mary Smith"]
    assert several_people("Smith, John; Smith, Mary") == ["Smith, John", "Smith, Mary"]
    assert several_people("Acme Pty Ltd") == ["Acme Pty Ltd"]


def test_headings_are_compared_without_case_and_punctuation() -> None:
    assert normal("Matter  No.:") == normal("matter no") == normal("MATTER #")


@given(st.lists(st.text(st.one_of(st.sampled_from(" .,`'-&aZ9é\u00a0’ŁıİĿſÀ×"), st.characters(codec="utf-8")), max_size=12) | st.none(), max_size=20))
def test_the_short_way_to_a_normal_form_says_what_the_long_one_does(texts: list[str | None]) -> None:
    column = pl.DataFrame({"t": texts}, schema={"t": pl.String})
    for quick, careful in ((names.key, names._name_key), (names.number_key, names._number_key)):
        long = column.select(careful(pl.col("t")).replace({"": None}))
        assert column.select(quick(pl.col("t"))).to_series().to_list() == long.to_series().to_list()


def test_each_letter_that_is_called_plain_has_the_form_the_long_way_gives_it() -> None:
    letters = [chr(number) for number in range(32, 0x3000) if re.fullmatch(rf"[ -~{names._PLAIN}]", chr(number))]
    assert {"é", "Ł", "’", "İ"} < set(letters) and not {"\u00b4", "ŉ", "ĳ", "ſ", "×", "ŀ"} & set(letters)
    column = pl.DataFrame({"t": [text for letter in letters for text in (f"A{letter}b", f"{letter}, {letter}B")]})
    long = column.select(names._name_key(pl.col("t"))).to_series()
    assert column.select(names.key(pl.col("t"))).to_series().to_list() == long.to_list()


@pytest.mark.requirement("E17", "E61")
@pytest.mark.parametrize(
    ("heading", "system"),
    [
        ("Orion Household ID", "orion"), ("QuickBooksID", "quickbooks"), ("quickbooks_list_id", "quickbooks"), ("E-Money ID", "emoney"), ("Tamarac #", "tamarac"),
        ("Square Customer Ref", "square"), ("Fee Money", ""), ("Square Feet", ""), ("Historionics", ""), ("", ""),
    ],
)  # fmt: skip
def test_another_system_is_told_by_words_and_not_by_letters(heading: str, system: str) -> None:
    connected = {"orion": "orion", "emoney": "emoney", "quickbooks": "quickbooks", "tamarac": "tamarac", "square customer": "square"}
    assert system_of(heading, connected) == system
