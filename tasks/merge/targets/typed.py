"""Custom fields that are days, amounts, numbers, or yes and no: read once, and written as each target declares its types."""

from collections.abc import Sequence

import polars as pl

from caseferry.mapping import money
from caseferry.mapping.mapped import CustomTypes, Limits
from caseferry.mapping.money import MONEY
from caseferry.reading.grid import ROW
from tasks.merge.desk import Desk
from tasks.merge.targets.headings import headings_of
from tasks.merge.targets.shape import LEFT_OUT

_YES, _NO = ("yes", "y", "true", "1", "x", "checked", "on"), ("no", "n", "false", "0", "unchecked", "off")
_A = {"date": "a day", "currency": "an amount of the account's currency", "numeric": "a number", "checkbox": "yes or no"}


def as_read(custom: pl.DataFrame, desk: Desk) -> pl.DataFrame:
    """With what the texts of typed fields mean: `number` and `flag`; `day` is there already.

    Whether an amount has its decimals behind a comma, all values of its field say together.
    """
    read = [pl.DataFrame(schema={"field": pl.String, "value": pl.String, "number": MONEY})]
    for (field, kind), some in custom.filter(pl.col("type").is_in(["currency", "numeric"])).partition_by("field", "type", as_dict=True, maintain_order=True).items():
        comma = money.decimals(some["value"]).are_behind_comma
        told = money.parse(some["value"], comma=comma, currency=desk.migration.currency if kind == "currency" else "")
        read.append(told.select(pl.lit(str(field)).alias("field"), pl.col("text").alias("value"), pl.col("amount").alias("number")))
    word = pl.col("value").str.strip_chars().str.to_lowercase()
    is_flag = pl.col("type") == "checkbox"
    flag = pl.when(is_flag & word.is_in(list(_YES))).then(True).when(is_flag & word.is_in(list(_NO))).then(False)
    return custom.join(pl.concat(read), on=["field", "value"], how="left", maintain_order="left").with_columns(flag.alias("flag"))


def as_written(values: pl.DataFrame, types: CustomTypes, heading: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One field's values as a target's column has them: `table`, `row`, `text`; and those that are not of its type, which are left out."""
    kind = str(values["type"][0]) if values.height else ""
    yes, _, no = types.checkbox.partition("/")
    forms = {
        "date": pl.col("day").dt.strftime(types.date or "%Y-%m-%d"), "currency": money.plain("number"), "numeric": money.plain_hours("number"),
        "checkbox": pl.when("flag").then(pl.lit(yes)).when(~pl.col("flag")).then(pl.lit(no)),
    }  # fmt: skip
    if kind not in forms or not getattr(types, kind):
        return values.select("table", ROW, pl.col("value").alias("text")), pl.DataFrame(schema=LEFT_OUT)
    made = values.with_columns(forms[kind].alias("text"))
    odd = made.filter(pl.col("text").is_null()).select("key", pl.lit(heading).alias("column"), pl.lit(f"{heading}: not {_A[kind]}").alias("reason"), "value")
    return made.select("table", ROW, "text"), odd.cast(LEFT_OUT)  # type: ignore[arg-type]


def fitting(fields: list[str], form: str, own: Sequence[str], limits: Limits) -> list[str]:
    """The custom fields that have room behind a file's own columns; the values of the others lie in the list beside."""
    kept = fields[: max(limits.columns - len(own), 0)] if limits.columns else fields
    while limits.header and kept and sum(len(heading) + 3 for heading in (*own, *headings_of(form, kept, own))) > limits.header:
        kept = kept[:-1]
    return kept
