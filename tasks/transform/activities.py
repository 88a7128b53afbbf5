"""Time, expenses, receivables and trust: what counts, what was billed already, what is odd about an amount."""

import polars as pl

from caseferry.mapping import money
from caseferry.mapping.money import MONEY
from tasks.transform.fields import join_pieces, saying, says
from tasks.transform.sheet import Sheet

EXACT = pl.Decimal(38, 8)
_SETTLED = ("hours", "units", "minutes", "seconds", "rate", "billed", "billable", "entry_type", "invoice")
"""What `quantity`, `price`, `type` and the place of the row were made of: nobody asks for it again."""
_TEXTS = ("matter", "staff", "description", "category", "entry_type", "billed", "invoice", "billable", "non_billable")


def finish_time(sheet: Sheet) -> None:
    join_pieces(sheet, "description")
    _ensure(sheet, _TEXTS, pl.String)
    _ensure(sheet, ("hours", "units", "minutes", "seconds", "rate", "amount"), MONEY)
    _ensure(sheet, ("performed_on",), pl.Date)
    expense_table = sheet.job.spec.exclusion == "unbilled_expenses"
    profile, takes_expenses = sheet.job.profile, sheet.job.migration.options.expenses
    expense = says(sheet, "entry_type", profile.expense_types) | pl.lit(expense_table)
    sheet.put(pl.when(expense).then(pl.lit("ExpenseEntry")).alias("type"))
    durations = [name for name in ("hours", "units", "minutes", "seconds") if sheet.empty(name) < sheet.height]
    if len(durations) == 1:
        sheet.put_as("hours", durations[0])
    else:
        sheet.put(pl.coalesce("hours", "units", "minutes", "seconds").alias("hours"))
    said, invoice, billed_says = pl.col("billed"), pl.col("invoice"), saying(sheet, "billed")
    numbered = invoice.is_not_null() & ~says(sheet, "invoice", (*profile.placeholders, *profile.not_billed))
    billed = billed_says(profile.billed) | numbered
    is_expense = pl.col("type").is_not_null()
    if not takes_expenses and not expense_table:
        sheet.find(is_expense, "entry_type", "unbilled_expenses", "excluded")
    sheet.find(billed, "billed", "billed_time_entries", "excluded")
    unclear = said.is_not_null() & ~billed & ~billed_says((*profile.not_billed, *profile.placeholders))
    sheet.find(unclear, "billed", "billed_unclear", "quarantined", said)
    ahead = sheet.made_of("performed_on", lambda days: days > sheet.job.received_on)
    sheet.find(pl.lit(ahead), "performed_on", "work_in_the_future", "quarantined", pl.col("performed_on"))
    not_billable = says(sheet, "billable", profile.not_billable) | says(sheet, "non_billable", profile.true_words)
    sheet.put(pl.when(not_billable).then(pl.lit("yes")).alias("non_billable"))
    sheet.find(sheet.nothing("matter"), "matter", "no_matter", "quarantined")
    sheet.find(sheet.nothing("performed_on"), "performed_on", "no_date", "quarantined", _raw(sheet, "performed_on"))
    sheet.find(sheet.nothing("staff") & ~is_expense, "staff", "no_user", "quarantined")
    _price(sheet, is_expense)
    pieces = [name for name in sheet.columns if name.startswith("description#")]
    sheet.drop(*_SETTLED, *(f"{name}~" for name in _SETTLED), *pieces)


def _price(sheet: Sheet, is_expense: pl.Expr) -> None:
    """Price and quantity whose product is the entry's amount, to the cent, or a finding that says it is not."""
    rate, amount, hours = pl.col("rate"), pl.col("amount"), pl.col("hours")
    flat = (is_expense | (sheet.nothing("hours") & sheet.nothing("rate"))) & ~sheet.nothing("amount")
    derived, exact = rate, pl.lit(False)
    if sheet.empty("rate"):  # a million divisions for nothing are not free
        derived = _cents(amount / pl.when(hours != 0).then(hours)).cast(MONEY)  # one hour of none would end the part
        exact = rate.is_null() & hours.is_not_null() & (hours > 0) & (product(derived, hours) == _cents(amount))
    price = pl.when(flat).then(amount).when(exact).then(derived).otherwise(rate)
    quantity = pl.when(flat).then(pl.lit("1").cast(MONEY)).otherwise(hours)
    if sheet.ask((flat | exact).any()).item():
        sheet.put(price.cast(MONEY).alias("price"), quantity.cast(MONEY).alias("quantity"))
    else:
        sheet.put_as("price", "rate")
        sheet.put_as("quantity", "hours")
    before = pl.lit(None, pl.String)
    sheet.change(flat & ~is_expense, "hours", "flat_fee_as_one_unit", before, pl.lit("1"))
    sheet.change(exact, "rate", "rate_from_amount", before, money.plain("price"))
    sheet.find(sheet.nothing("quantity"), "hours", "no_quantity", "quarantined", _raw(sheet, "hours"))
    sheet.find(sheet.nothing("price"), "rate", "no_rate", "quarantined", _raw(sheet, "rate"))
    total = product(pl.col("price"), pl.col("quantity"))
    differs = _differ(sheet)
    differs = amount.is_not_null() & (total != _cents(amount)) if differs is None else differs
    sheet.find(differs, "amount", "amount_is_not_rate_times_hours", "carried", money.plain("amount"))
    if sheet.empty("amount"):
        sheet.put(pl.coalesce("amount", total).cast(MONEY).alias("amount"))


def _differ(sheet: Sheet) -> pl.Expr | None:
    """True where there is an amount and price times quantity is another, told by whole numbers, which takes a tenth of the
    time; None where they are too large for that.
    """
    names = ("price", "quantity", "amount")
    price, quantity, amount = (sheet.made_of(name, _as_whole) for name in names)
    if any(part.null_count() != sheet.empty(name) for name, part in zip(names, (price, quantity, amount), strict=True)):
        return None
    if _largest(price) * _largest(quantity) >= _TOO_LARGE or _largest(amount) * _PARTS**2 >= _TOO_LARGE:
        return None
    total, cents = price * quantity, sheet.made_of("amount", lambda amounts: _rounded(_as_whole(amounts), _PARTS))
    if int(price.min() or 0) < 0 or int(quantity.min() or 0) < 0:  # type: ignore[arg-type]
        return pl.lit(_rounded(total, _PARTS**3) != cents)
    beyond, half = total - cents * _PARTS**3, _PARTS**3 // 2
    return pl.lit((beyond < -half) | (beyond >= half))


_PARTS, _TOO_LARGE = 100, 1 << 62
"""Of a cent in an amount as a whole number; a product of two such has this to the third in a cent."""


def _largest(number: pl.Series) -> int:
    return max(int(number.max() or 0), -int(number.min() or 0))  # type: ignore[arg-type]


def _as_whole(amounts: pl.Series) -> pl.Series:
    return amounts.cast(MONEY).to_physical().cast(pl.Int64, strict=False)


def _rounded(number: pl.Series, to: int) -> pl.Series:
    """In how many whole ones of these, half a one away from zero."""
    whole = (number.abs() + to // 2) // to
    return whole * number.sign() if (number.min() or 0) < 0 else whole  # type: ignore[operator]


def product(price: pl.Expr, quantity: pl.Expr) -> pl.Expr:
    """Price times quantity, exact to eight places and rounded once, half a cent away from zero."""
    return _cents(price.cast(EXACT) * quantity.cast(EXACT))


def _cents(amount: pl.Expr) -> pl.Expr:
    return amount.cast(EXACT).round(2, mode="half_away_from_zero")


def finish_receivables(sheet: Sheet) -> None:
    _ensure(sheet, ("matter", "client", "invoice"), pl.String)
    _ensure(sheet, ("outstanding",), MONEY)
    _ensure(sheet, ("invoiced_on",), pl.Date)
    sheet.find(pl.col("outstanding").is_null(), "outstanding", "no_amount", "quarantined", _raw(sheet, "outstanding"))
    sheet.find(pl.col("matter").is_null(), "matter", "no_matter", "quarantined")
    sheet.find(pl.col("outstanding") < 0, "outstanding", "credit_balance", "carried", money.plain("outstanding"))


def finish_trust(sheet: Sheet) -> None:
    _ensure(sheet, ("matter", "client", "account"), pl.String)
    _ensure(sheet, ("balance",), MONEY)
    sheet.find(pl.col("balance").is_null(), "balance", "no_amount", "quarantined", _raw(sheet, "balance"))
    sheet.find(pl.col("matter").is_null() & pl.col("client").is_null(), "matter", "no_owner", "quarantined")
    sheet.find(pl.col("balance") < 0, "balance", "trust_overdrawn", "carried", money.plain("balance"))


def finish_excluded(sheet: Sheet) -> None:
    """Types the target does not take: counted and totalled, never carried."""
    _ensure(sheet, ("matter",), pl.String)
    _ensure(sheet, ("amount",), MONEY)


def _ensure(sheet: Sheet, names: tuple[str, ...], dtype: pl.DataType | type[pl.DataType]) -> None:
    missing = [pl.lit(None, dtype).alias(name) for name in names if not sheet.has(name)]
    sheet.put(*missing)


def _raw(sheet: Sheet, name: str) -> pl.Expr | None:
    return pl.col(f"{name}~") if sheet.has(f"{name}~") else None
