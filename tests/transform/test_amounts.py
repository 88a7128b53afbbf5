"""Whether an amount is rate times hours is told by whole numbers, and is what exact products say."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from caseferry.mapping.money import MONEY
from tasks.transform.activities import _cents, _differ, product
from tasks.transform.sheet import Sheet

_MONEY = st.one_of(st.none(), st.sampled_from(["0", "0.005", "0.0049", "-0.005", "0.1", "1.5", "-1.5", "333.3333", "99999999999", "184467440737.10", "461168601"]).map(Decimal),
                   st.decimals(-(10**6), 10**6, places=4))  # fmt: skip
_ROWS = st.lists(st.tuples(_MONEY, _MONEY, _MONEY | st.just("as it is")), min_size=1, max_size=8)


def _sheet(rows: list[tuple[Any, Any, Any]]) -> tuple[Sheet, pl.DataFrame]:
    table = pl.DataFrame(rows, schema=dict.fromkeys(("price", "quantity", "amount"), MONEY), orient="row")
    return cast("Sheet", SimpleNamespace(made_of=lambda name, make: make(table[name]), empty=lambda name: table[name].null_count())), table


@given(_ROWS)
@example([(Decimal("0.05"), Decimal("0.1"), Decimal("0.01"))])  # half a cent, away from zero
@example([(Decimal("-0.05"), Decimal("0.1"), Decimal("-0.01"))])
@example([(Decimal("-0.05"), Decimal("-0.1"), Decimal("0.01"))])
@example([(Decimal("0.05"), Decimal("0.1"), Decimal("0.0049")), (Decimal(1), Decimal(1), Decimal("0.995"))])
@example([(Decimal(0), Decimal(1), Decimal("184467440737.10"))])  # its cents in the parts of a product would wrap round
@example([(Decimal(250), Decimal(2), Decimal("184467441237.10"))])
@example([(Decimal("99999999999"), Decimal("99999999999"), Decimal(1))])  # too large for whole numbers
def test_whole_numbers_say_what_exact_products_say(rows: list[tuple[Any, Any, Any]]) -> None:
    some = [(price, quantity, (price * quantity).quantize(Decimal("0.0001")) if price is not None and quantity is not None else None) if amount == "as it is" else (price, quantity, amount)
            for price, quantity, amount in rows]  # fmt: skip
    sheet, table = _sheet([(price, quantity, amount if amount is None or abs(amount) < 10**17 else None) for price, quantity, amount in some])
    told = _differ(sheet)
    if told is None:
        price, quantity, amount = (number or 0 for number in table.select(pl.all().abs().max()).row(0))
        assert max(price * quantity, amount) * 10**8 >= 1 << 62
        return
    exactly = table.select(pl.col("amount").is_not_null() & (product(pl.col("price"), pl.col("quantity")) != _cents(pl.col("amount")))).to_series()
    assert table.select(told.fill_null(False)).to_series().to_list() == exactly.fill_null(False).to_list()
