"""Cells that name a client and one of their matters at once: `Smith, John:24-0012`."""

import polars as pl

from tasks.transform.sheet import JOB, JOB_OF, Sheet


def take_apart(sheet: Sheet) -> None:
    """Give matter and client each its own part. In a list of clients such a row is a matter, and no client of that name: the merge
    brings it together with the list of matters.
    """
    sign = sheet.job.profile.parted_by
    if not sign:
        return
    if sheet.job.spec.record == "contact":
        if sheet.has("display_name"):
            head = _head(sign, "display_name")
            sheet.put(head.alias(JOB_OF), pl.when(head.is_not_null()).then(_tail(sign, "display_name")).alias(JOB))
        return
    if sheet.has("client"):
        if not sheet.has("matter"):
            sheet.put(pl.lit(None, pl.String).alias("matter"))
        _part(sheet, sign, "client", pl.col("matter").is_null())
    elif sheet.has("matter"):
        _part(sheet, sign, "matter", pl.lit(True))


def _part(sheet: Sheet, sign: str, name: str, when: pl.Expr) -> None:
    whole, head = pl.col(name), _head(sign, name)
    tail = _tail(sign, name)
    joined = when & head.is_not_null()
    sheet.change(joined, "matter", "client_and_matter_apart", whole, tail)
    parts = [pl.when(joined).then(tail).otherwise("matter").alias("matter")]
    if name == "client":
        sheet.change(joined, "client", "client_and_matter_apart", whole, head)
        parts.append(pl.when(joined).then(head).otherwise("client").alias("client"))
    sheet.put(*parts)


def _tail(sign: str, name: str) -> pl.Expr:
    whole = pl.col(name)
    return whole.str.slice(whole.str.split(sign).list.first().str.len_chars() + len(sign)).str.strip_chars()


def _head(sign: str, name: str) -> pl.Expr:
    """What stands before the sign, where something stands behind it too; nothing for most."""
    pieces = pl.col(name).str.splitn(sign, 2)
    first, rest = pieces.struct.field("field_0").str.strip_chars(), pieces.struct.field("field_1").str.strip_chars()
    return pl.when((first != "") & (rest != "")).then(first)
