"""The data-quality report: what a list looks like before anything is done with it.

Counts and shapes only: a digit is 9, a letter is a. No cell's text leaves this page.
"""

from typing import Any

import polars as pl

from caseferry.manifest import Table
from caseferry.mapping.contact_points import email_key, is_email, phone_key
from caseferry.mapping.names import key, number_key
from caseferry.records import RECORDS, Type

_SHOWN = {Type.DATE, Type.BIRTH, Type.MOMENT, Type.PHONE, Type.EMAIL, Type.POSTCODE, Type.MONEY}
_MOST_SHAPES = 8
IMPORTANT = {
    "contact": ("display_name", "first_name", "last_name", "company", "email", "phone"),
    "matter": ("number", "client", "description", "responsible", "status", "opened_on"),
    "time_entry": ("performed_on", "matter", "staff", "hours", "rate"),
    "receivable": ("matter", "outstanding"),
    "trust": ("matter", "balance"),
    "task": ("name", "due_on", "assignee", "matter"),
    "note": ("body", "matter"),
    "calendar_event": ("subject", "start_on", "owner"),
    "related_contact": ("matter", "contact", "role"),
    "email": ("sender", "recipients", "sent_at", "matter"),
    "phone_log": ("called_at", "matter"),
}


def describe(table: Table, data: pl.DataFrame) -> dict[str, Any]:
    """One table's quality: empty cells per column, formats found, duplicates, and a score from 0 to 100."""
    record = RECORDS[table.record]
    important = IMPORTANT.get(table.record, ())
    columns = []
    empty_keys = odd = 0
    for column in table.columns:
        cells = data[f"c{column.place}"]
        empty = int(cells.is_null().sum())
        entry: dict[str, Any] = {"heading": column.heading, "field": column.field, "use": column.use, "empty": empty}
        if column.use == "mapped" and record[column.field].type in _SHOWN:
            shapes = _shapes(cells, record[column.field].type)
            entry |= {"formats": shapes, "mixed": len(shapes) > 1}
            odd += sum(shapes.values()) - max(shapes.values(), default=0)
        if column.field in important and column.use == "mapped":
            entry["important"] = True
            empty_keys += empty
        columns.append(entry)
    duplicates = _duplicates(table, data)
    cells_seen = max(1, data.height * max(1, len(important)))
    lost = (empty_keys + 0.5 * odd + duplicates["rows"]) / cells_seen
    return {
        "table": table.id, "file": table.file, "sheet": table.sheet, "record": table.record, "rows": data.height,
        "columns": columns, "empty_key_fields": empty_keys, "bad_formats": odd, "duplicates": duplicates, "orphans": 0,
        "score": round(100 * max(0.0, 1 - lost)),
    }  # fmt: skip


def _shapes(cells: pl.Series, kind: Type) -> dict[str, int]:
    distinct = cells.drop_nulls().str.strip_chars().rename("t").value_counts(name="n")
    if distinct.is_empty():
        return {}
    text = pl.col("t")
    if kind is Type.EMAIL:
        told = distinct.select("n", is_email(text).alias("good"), text.str.contains(r"@.*[;,\s].*@").alias("several"))
        named = {"one address": int(told.filter("good")["n"].sum()), "several addresses": int(told.filter(pl.col("several") & ~pl.col("good"))["n"].sum())}
        named["other text"] = int(distinct["n"].sum()) - sum(named.values())
        return {name: count for name, count in named.items() if count}
    if kind in {Type.DATE, Type.BIRTH, Type.MOMENT}:
        shape = text.str.replace_all(r"\p{L}{3,}", "mmm").str.replace_all(r"\d{4}", "yyyy").str.replace_all(r"\d{1,2}", "9")
    else:
        shape = text.str.replace_all(r"\d", "9").str.replace_all(r"\p{L}+", "a").str.replace_all(r"9{5,}", "9…")
    if kind is Type.MONEY:
        shape = shape.str.replace_all(r"[9,]*9", "9").str.replace_all(r"\.9+", ".9")
    counts = distinct.group_by(shape.alias("s")).agg(pl.col("n").sum().alias("count")).sort(["count", "s"], descending=[True, False])
    top = {str(name): int(count) for name, count in counts.head(_MOST_SHAPES).iter_rows()}
    rest = int(counts.slice(_MOST_SHAPES)["count"].sum())
    return top | ({"other": rest} if rest else {})


def _duplicates(table: Table, data: pl.DataFrame) -> dict[str, Any]:
    """Groups of rows that share what should be their own."""
    places = {c.field: f"c{c.place}" for c in reversed(table.columns) if c.use == "mapped"}
    keyed: list[tuple[str, pl.Expr]] = []
    if table.record == "contact":
        if "email" in places:
            keyed.append(("e-mail", email_key(pl.col(places["email"]))))
        names = [places[f] for f in ("first_name", "last_name", "company", "display_name") if f in places]
        for phone in ("phone_mobile", "phone"):
            if phone in places and names:
                name = key(pl.concat_str(names, separator=" ", ignore_nulls=True))
                keyed.append(("name and phone", name + "|" + phone_key(pl.col(places[phone]))))
                break
    elif table.record == "matter" and "number" in places:
        keyed.append(("matter number", number_key(pl.col(places["number"]))))
    cells = [c for c in data.columns if c[0] == "c" and c[1:].isdigit()]
    if cells and table.record != "contact":
        whole = data.select(cells).hash_rows()  # 64 bits: among ten million rows two differing ones share one once in a million runs
        keyed.append(("whole row", pl.lit(whole)))
    groups = []
    rows = 0
    for label, expression in keyed:
        keys = data.select(expression.alias("k"))["k"].drop_nulls()
        counts = (keys.filter(keys != "") if keys.dtype == pl.String else keys).value_counts()
        several = counts.filter(pl.col("count") > 1)
        if several.height:
            extra = int((several["count"] - 1).sum())
            groups.append({"keys": label, "groups": several.height, "rows": int(several["count"].sum())})
            rows = max(rows, extra)
    return {"by": groups, "rows": rows}


def matter_keys(table: Table, data: pl.DataFrame) -> pl.DataFrame:
    """The normal forms `k` of the matter numbers a table names, and how many rows name each, `n`."""
    place = next((f"c{c.place}" for c in table.columns if c.use == "mapped" and c.field in {"matter", "number"}), None)
    if place is None:
        return pl.DataFrame(schema={"k": pl.String, "n": pl.UInt32})
    distinct = data[place].drop_nulls().rename("t").value_counts(name="n")
    return distinct.select(number_key(pl.col("t")).alias("k"), pl.col("n").cast(pl.UInt32)).drop_nulls("k")
