"""Cells that name a client and one of their matters at once: `Smith, John:24-0012`."""

import polars as pl

from tasks.transform.sheet import Sheet


def take_apart(sheet: Sheet) -> None:
    """Give matter and client each its own part; in a list of clients such a row is a matter, and no client of that name."""
    sign = sheet.job.profile.parted_by
    if not sign:
        return
    if sheet.job.spec.record == "contact":
        if sheet.has("display_name"):
            sheet.find(_head(sign, "display_name").is_not_null(), "display_name", "matter_among_clients", "quarantined", pl.col("display_name"))
        return
    if sheet.has("client"):
        if not sheet.has("matter"):
            sheet.frame = sheet.frame.with_columns(pl.lit(None, pl.String).alias("matter"))
        _part(sheet, sign, "client", pl.col("matter").is_null())
    elif sheet.has("matter"):
        _part(sheet, sign, "matter", pl.lit(True))


def _part(sheet: Sheet, sign: str, name: str, when: pl.Expr) -> None:
    whole, head = pl.col(name), _head(sign, name)
    tail = whole.str.slice(whole.str.split(sign).list.first().str.len_chars() + len(sign)).str.strip_chars()
    joined = when & head.is_not_null()
    sheet.change(joined, "matter", "client_and_matter_apart", whole, tail)
    parts = [pl.when(joined).then(tail).otherwise("matter").alias("matter")]
    if name == "client":
        sheet.change(joined, "client", "client_and_matter_apart", whole, head)
        parts.append(pl.when(joined).then(head).otherwise("client").alias("client"))
    sheet.frame = sheet.frame.with_columns(parts)


def _head(sign: str, name: str) -> pl.Expr:
    """What stands before the sign, where something stands behind it too; nothing for most."""
    pieces = pl.col(name).str.splitn(sign, 2)
    first, rest = pieces.struct.field("field_0").str.strip_chars(), pieces.struct.field("field_1").str.strip_chars()
    return pl.when((first != "") & (rest != "")).then(first)
