"""Contacts: exact copies become one, likely ones are proposed; names others may call them by; one file line each."""

from typing import Any

import polars as pl

from caseferry.manifest import Finding
from caseferry.mapping.contact_points import email_key, phone_key
from caseferry.mapping.names import LAST_NAME, company_pattern, key, title_pattern
from caseferry.reading.grid import ROW
from tasks.merge.desk import Desk, ensure
from tasks.merge.words import put_in_words_of
from tasks.transform.sheet import JOB, PLACE, REASON

_TEXT = ("source_id", "title", "first_name", "middle_name", "last_name", "company", "job_title", "display_name",
         "street", "city", "state", "postal_code", "country", "kind", "phone", "phone_home", "phone_work",
         "phone_mobile", "phone_fax", "notes")  # fmt: skip
PRIMARY_PHONE = ("phone", "phone_mobile", "phone_work", "phone_home")
_KINDS = {"phone": "Phone", "phone_home": "Home", "phone_mobile": "Mobile", "phone_fax": "Fax", "phone_work": "Work"}
_COMMA = r"^\s*([^,\d]+?)\s*,\s*([^,\d]+?)\s*$"
NAME = ("first_name", "last_name", "company")
AMONG_CLIENTS = "matter_among_clients"


def prepare_contacts(desk: Desk) -> None:
    """Put exact copies together and propose the rest; make sure every column is there."""
    frame = desk.records.get("contact", pl.DataFrame(schema={"table": pl.String, ROW: pl.UInt32, PLACE: pl.String, REASON: pl.String}))
    frame = ensure(frame, {name: pl.String for name in (*_TEXT, "card_type")} | {"emails": pl.List(pl.String), "birth_on": pl.Date, "client_since": pl.Date})
    # The target has no middle name: it stays in front of the family name, as the old system prints it.
    first = pl.concat_str("first_name", "middle_name", separator=" ", ignore_nulls=True)
    frame = frame.with_columns(pl.when(first != "").then(first).alias("first_name"), pl.col("first_name").alias("given_name"))
    desk.records["contact"] = frame
    put_in_words_of(desk, "contact", "country", desk.migration.options.value_maps.get("country", {}))
    set_aside(desk)
    _merge_exact(desk)
    _propose(desk)


def set_aside(desk: Desk) -> None:
    """Take the matters among the clients from the contacts. What becomes of them is told when the matters are known."""
    if JOB in desk.records["contact"].columns:
        desk.place("contact", pl.col(JOB).is_not_null(), "quarantined", AMONG_CLIENTS)


def _merge_exact(desk: Desk) -> None:
    frame = desk.records["contact"]
    facts = [c for c in frame.columns if c not in {"table", ROW, PLACE, REASON}]
    flat = [pl.col(c).list.join("\x1f") if frame.schema[c] == pl.List(pl.String) else pl.col(c).cast(pl.String) for c in facts]
    whole = pl.concat_str([item.fill_null("\x00") for item in flat], separator="\x1e")
    copies = frame.select((pl.col(PLACE) == "carried").alias("c"), whole.alias("w")).with_row_index("i")
    copies = copies.filter("c").filter(pl.col("i") != pl.col("i").min().over("w"))
    rows = pl.int_range(pl.len(), dtype=pl.UInt32).is_in(copies["i"].implode())
    desk.find("contact", rows, "row", "exact_copy", "merged")
    desk.place("contact", rows, "merged", "exact_copy")


def _propose(desk: Desk) -> None:
    """Cards that share an e-mail, or a name and a number, may be one person. A person decides."""
    frame = desk.carried("contact").with_row_index("i")
    names = key(pl.concat_str(*NAME, separator=" ", ignore_nulls=True))
    by_email = frame.select("i", "table", ROW, pl.col("emails").list.unique(maintain_order=True).alias("k")).explode("k")
    by_email = by_email.with_columns(email_key(pl.col("k"))).drop_nulls("k")
    phone = pl.coalesce("phone_mobile", "phone", "phone_home")
    by_phone = frame.select("i", "table", ROW, (names + "|" + phone_key(phone)).alias("k")).drop_nulls("k")
    by_birth = frame.select("i", "table", ROW, (names + "|" + pl.col("birth_on").cast(pl.String)).alias("k")).drop_nulls("k")
    # Spouses share an address: e-mail alone never makes two contacts one.
    for rule, table in (("same_email", by_email), ("same_name_and_phone", by_phone), ("same_name_and_birth", by_birth)):
        several = table.filter(pl.col("k").count().over("k") > 1)
        if several.is_empty():
            continue
        first = pl.struct("table", ROW).first().over("k")
        hint = first.struct.field("table") + ", row " + first.struct.field(ROW).cast(pl.String)
        found = several.select(
            "table", ROW, pl.lit("row").alias("field"), pl.lit("").alias("heading"), pl.lit("possible_duplicate").alias("rule"),
            pl.lit("carried").alias("outcome"), pl.lit(rule).alias("value"),
            ("may be the same as " + hint).alias("proposal"),
        ).unique(maintain_order=True)  # fmt: skip
        desk.findings.append(found)
        desk.notes.append(_group_note(rule, several))


def _group_note(rule: str, several: pl.DataFrame) -> Finding:
    groups = several["k"].n_unique()
    return Finding(rule="duplicate_contacts", where=f"by {rule.removeprefix('same_').replace('_', ' ')}", count=groups, detail=f"{several.height} cards in {groups} groups")


def names_of(desk: Desk) -> pl.DataFrame:
    """Every text a carried contact may be called by: `exact`, `name_key`, the contact's own name parts, whose they are
    (`contact`, as `contact_id` tells it), and whether they are another's too (`shared`).
    """
    frame = desk.carried("contact").with_columns(contact_id().alias("contact"), (pl.len().over(NAME) > 1).alias("shared"))
    full = pl.concat_str("first_name", "last_name", separator=" ", ignore_nulls=True)
    variants = [
        pl.col("display_name"),
        pl.when(full != "").then(full),
        pl.concat_str("last_name", "first_name", separator=", "),
        pl.concat_str("title", "first_name", "last_name", separator=" "),
        pl.when(pl.all_horizontal(pl.col("first_name").is_null(), pl.col("last_name").is_null())).then("company"),
        pl.col("source_id"),
    ]
    tables = [frame.select("contact", "shared", *NAME, text.alias("exact")).drop_nulls("exact") for text in variants]
    named = pl.concat(tables).filter(pl.col("exact") != "")
    return named.unique(["contact", "exact"], maintain_order=True).with_columns(key(pl.col("exact")).alias("name_key"))


def resolve_names(texts: pl.Series, names: pl.DataFrame) -> pl.DataFrame:
    """Which contact each distinct text names.

    Returns:
        `text`, the name parts, `how`: `exact`, `normalised`, `ambiguous` (parts are null) or null for nobody;
        `shared`: several cards have the name it comes to; and `contact`: the one card that is meant, where that is certain,
        also among several of one name.
    """
    distinct = texts.drop_nulls().unique().rename("text").to_frame().with_columns(key(pl.col("text")).alias("name_key"))
    exact = _one(distinct, names, "text", "exact").with_columns(pl.lit("exact").alias("by"))
    rest = distinct.join(exact.filter(pl.col("several").not_()), on="text", how="anti")
    loose = _one(rest, names, "name_key", "name_key").with_columns(pl.lit("normalised").alias("by"))
    found = pl.concat([exact.filter(pl.col("several").not_()), loose.select(exact.columns)])
    how = pl.when("several").then(pl.lit("ambiguous")).otherwise("by").alias("how")
    parts = [pl.when(pl.col("several").not_()).then(part).alias(part) for part in NAME]
    return distinct.select("text").join(found.select("text", how, "shared", "contact", *parts), on="text", how="left")


def _one(texts: pl.DataFrame, names: pl.DataFrame, left: str, right: str) -> pl.DataFrame:
    joined = texts.join(names.rename({"name_key": "key_of_name"}) if right == "exact" else names, left_on=left, right_on=right, how="inner")
    # Two cards with one and the same name are one text to the target, whichever is meant.
    same = pl.concat_str([pl.col(part).fill_null("\x00") for part in NAME], separator="\x1f")
    one = pl.when(pl.col("contact").n_unique() == 1).then(pl.col("contact").first()).alias("contact")
    return joined.group_by("text").agg((same.n_unique() > 1).alias("several"), pl.col("shared").any(), one, *(pl.col(part).first() for part in NAME)).sort("text")


def contact_id() -> pl.Expr:
    """A card, told apart from all others whatever its name: its list and row."""
    return (pl.col("table") + ":" + pl.col(ROW).cast(pl.String)).alias("contact_id")


def contact_from_text(desk: Desk, texts: pl.Series) -> pl.DataFrame:
    """Contacts made from a name that no card has: `text` and its parts. Whole text as a company unless it is plain."""
    table = texts.unique().sort().rename("text").to_frame()
    text = pl.col("text")
    company = text.str.contains(company_pattern(desk.profile.company_words))
    comma = text.str.contains(_COMMA) & ~company
    titled = text.str.contains(title_pattern(desk.profile.person_titles)) & ~company & ~comma
    bare = text.str.replace(title_pattern(desk.profile.person_titles), "")
    titled = titled & bare.str.contains(r"^[^\s,&]+(?:\s[^\s,&]+)+$") & ~bare.str.contains(r"(?i)\sand\s")
    return table.with_columns(
        pl.when(comma).then(text.str.extract(_COMMA, 2)).when(titled).then(bare.str.extract(LAST_NAME, 1)).alias("first_name"),
        pl.when(comma).then(text.str.extract(_COMMA, 1)).when(titled).then(bare.str.extract(LAST_NAME, 2)).alias("last_name"),
        pl.when(~(comma | titled)).then(text).alias("company"),
    )


def contact_lines(desk: Desk, derived: pl.DataFrame) -> None:
    """The contacts file: every carried card, then the contacts that had to be made."""
    frame = desk.carried("contact")
    lines = frame.select(
        "table", ROW, "title", "job_title", *NAME, pl.col("street").alias("business_street"),
        pl.col("city").alias("business_city"), pl.coalesce("state", "country").alias("business_state"),
        pl.col("postal_code").alias("business_postal_code"), pl.col("emails").list.first().alias("email_address"),
        pl.coalesce(*PRIMARY_PHONE).alias("primary_phone"),
        "source_id", "kind", "middle_name", "card_type", "country", desk.date_text("birth_on").alias("birth_date"),
    )  # fmt: skip
    made = derived.select(pl.lit("").alias("table"), pl.lit(0, pl.UInt32).alias(ROW), *NAME)
    desk.files["contacts"] = pl.concat([lines, made], how="diagonal")
    if derived.height:
        desk.derived["contact"] = desk.derived.get("contact", 0) + derived.height
    _details(desk, frame)


def shown_name() -> pl.Expr:
    """A contact as the target shows it."""
    full = pl.concat_str("first_name", "last_name", separator=" ", ignore_nulls=True)
    return pl.when(full != "").then(full).otherwise("company")


def _details(desk: Desk, frame: pl.DataFrame) -> None:
    """All addresses and numbers, labelled, one of each kind marked primary: the contacts template has room for one."""
    who: list[Any] = ["table", ROW, "source_id", shown_name().alias("contact")]
    emails = frame.select(*who, pl.lit("Email").alias("kind"), pl.col("emails").alias("value"),
                          pl.int_ranges(0, pl.col("emails").list.len()).alias("n")).explode("value", "n").drop_nulls("value")  # fmt: skip
    emails = emails.with_columns(pl.when(pl.col("n") == 0).then(pl.lit("yes")).otherwise(pl.lit("no")).alias("primary")).drop("n")
    primary = pl.coalesce([pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in PRIMARY_PHONE])
    numbers = [
        frame.select(*who, pl.lit(label).alias("kind"), pl.col(name).alias("value"),
                     pl.when(primary == name).then(pl.lit("yes")).otherwise(pl.lit("no")).alias("primary")).drop_nulls("value")
        for name, label in _KINDS.items()
    ]  # fmt: skip
    country = frame.filter(pl.col("state").is_not_null()).select(
        *who, pl.lit("Country").alias("kind"), pl.col("country").alias("value"), pl.lit("no").alias("primary")
    ).drop_nulls("value")  # fmt: skip
    notes = frame.select(*who, pl.lit("Note").alias("kind"), pl.col("notes").alias("value"), pl.lit("no").alias("primary")).drop_nulls("value")
    order = pl.DataFrame({"kind": ["Email", *_KINDS.values(), "Country", "Note"]}).with_row_index("place")
    every = pl.concat([emails, *numbers, country, notes], how="vertical_relaxed").join(order, on="kind")
    desk.files["contact_details"] = every.sort("table", ROW, "place", maintain_order=True).drop("place")
