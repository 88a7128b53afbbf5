"""Matters: a client, a description and a responsible user for each, or a placeholder that is listed."""

from typing import Any

import polars as pl

from caseferry.mapping.names import number_key, several_people
from caseferry.reading.grid import ROW
from tasks.merge.contacts import NAME, contact_from_text, resolve_names, shown_name
from tasks.merge.desk import Desk, ensure
from tasks.merge.users import resolve
from tasks.merge.words import put_in_words_of

_TEXT = ("number", "description", "matter_type", "status", "stage", "responsible", "acting", "assisting",
         "originating", "client", "client_reference", "location", "archived")  # fmt: skip
ROLES = {
    "other_side": "Other Side", "other_side_lawyer": "Other Side's Lawyer",
    "other_side_insurer": "Other Side's Insurer", "referrer": "Referrer",
}  # fmt: skip
_NO_NAMES: dict[str, Any] = {"text": pl.String, **{part: pl.String for part in NAME}}


def prepare_matters(desk: Desk) -> None:
    """Duplicates told, users found; descriptions that are missing get the target's placeholder."""
    frame = ensure(desk.records["matter"], {name: pl.String for name in _TEXT})
    frame = ensure(frame, {"opened_on": pl.Date, "closed_on": pl.Date})
    desk.records["matter"] = frame.with_columns(number_key(pl.col("number")).alias("matter_key"))
    put_in_words_of(desk, "matter", "matter_type", desk.migration.options.value_maps.get("type", {}))
    _duplicates(desk)
    _stay(desk)
    resolve(desk, "matter", "responsible", fallback=True)
    placeholder = desk.target.placeholders["description"]
    empty = pl.col("description").is_null()
    desk.find("matter", empty, "description", "no_description", "carried", proposal=placeholder)
    desk.change("matter", empty, "description", "no_description", pl.col("description"), pl.lit(placeholder))
    desk.records["matter"] = desk.records["matter"].with_columns(pl.col("description").fill_null(placeholder))


def _stay(desk: Desk) -> None:
    """Open matters are finished where they are, if the firm says so: they and what hangs on them are listed, and not taken."""
    if not desk.migration.options.open_matters_stay:
        return
    there = pl.lit(desk.moved.knows("matter", desk.records["matter"]))  # one that is open again lives in the target
    desk.find("matter", (pl.col("status") != "Closed") & ~there, "status", "open_matter_stays", "excluded")
    frame = desk.records["matter"]
    closed = desk.carried("matter")["matter_key"].drop_nulls()
    stays = frame.filter(pl.col("reason") == "open_matter_stays")["matter_key"].drop_nulls().unique().sort()
    desk.staying = stays.filter(~stays.is_in(closed.implode()))
    desk.todo.append(
        f"{stays.len()} open matters stay in {desk.profile.product} until they are closed; run again then: they are taken as soon as they are. "
        "Tell that run which one it comes after (options.after, or --after with this folder of results), and its files hold only what is new."
    )


def _duplicates(desk: Desk) -> None:
    frame = desk.records["matter"]
    live = pl.col("place") == "carried"
    facts = [c for c in frame.columns if c not in {"table", ROW, "place", "reason"} and frame.schema[c] != pl.List(pl.String)]
    whole = pl.concat_str([pl.col(c).cast(pl.String).fill_null("\x00") for c in facts], separator="\x1e")
    copies = frame.select(pl.when(live).then(whole).alias("w"), live.alias("live")).with_row_index("i").filter("live")
    copies = copies.filter(pl.col("i") != pl.col("i").min().over("w"))
    rows = pl.int_range(pl.len(), dtype=pl.UInt32).is_in(copies["i"].implode())
    desk.find("matter", rows, "row", "exact_copy", "merged")
    desk.place("matter", rows, "merged", "exact_copy")
    several = desk.carried("matter")["matter_key"].value_counts().filter(pl.col("count") > 1)["matter_key"]
    desk.find("matter", pl.col("matter_key").is_in(several.implode()), "number", "duplicate_matter_number", "carried", pl.col("number"))


def matter_numbers(desk: Desk) -> pl.DataFrame:
    """`matter_key` → the number exactly as the matters file writes it, with the matter's user."""
    empty = {"matter_key": pl.String, "number": pl.String, "user": pl.String, "user_email": pl.String, "several": pl.Boolean}
    if not desk.has("matter"):
        return pl.DataFrame(schema=empty)
    several = pl.len().over("matter_key") > 1
    frame = desk.carried("matter").select("matter_key", "number", "user", "user_email", several.alias("several"))
    return frame.unique("matter_key", keep="first", maintain_order=True)


def link_clients(desk: Desk, names: pl.DataFrame) -> pl.DataFrame:
    """Give every matter its client's exact name parts; return the contacts that had to be made for it.

    A cell with several people is taken apart only if every piece is a contact of its own.
    """
    frame = desk.records["matter"].filter((pl.col("place") == "carried") | pl.col("reason").eq_missing("open_matter_stays"))
    found = resolve_names(frame["client"], names)
    odd = found.filter(pl.col("how").is_null())["text"].to_list()
    split = _split_clients(odd, names)
    desk.records["matter"] = (
        desk.records["matter"].join(found.rename({p: f"client_{p}" for p in NAME} | {"how": "client_how", "shared": "client_shared", "contact": "client_contact"}), left_on="client", right_on="text", how="left", maintain_order="left")
        .join(split, left_on="client", right_on="text", how="left", maintain_order="left")
    )  # fmt: skip
    whole = [pl.coalesce(f"client_{part}", pl.col("pieces").list.first().struct.field(part)).alias(f"client_{part}") for part in NAME]
    desk.records["matter"] = desk.records["matter"].with_columns(whole)
    client, how, pieces = pl.col("client"), pl.col("client_how"), pl.col("pieces")
    desk.change("matter", how == "normalised", "client", "client_by_normal_form", client, _shown("client_"))
    desk.change("matter", pieces.is_not_null(), "client", "clients_split", client, _shown("client_"))
    desk.find("matter", client.is_null(), "client", "no_client", "carried", proposal=desk.target.placeholders["unknown_client"])
    desk.find("matter", pl.col("client_shared").fill_null(False), "client", "client_name_shared", "carried", client)
    desk.find("matter", how == "ambiguous", "client", "client_ambiguous", "carried", client, "say which contact is meant")
    nobody = how.is_null() & pieces.is_null() & client.is_not_null()
    desk.find("matter", nobody, "client", "client_not_in_cards", "carried", client, "a contact was made from the text")
    several = nobody & client.str.contains(r"(?i);|\n|\s(?:&|and|/)\s")
    desk.find("matter", several, "client", "several_clients_not_split", "carried", client)
    texts = desk.carried("matter").filter(nobody)["client"]
    made = contact_from_text(desk, texts) if texts.len() else pl.DataFrame(schema=_NO_NAMES)
    made = made.rename({part: f"made_{part}" for part in NAME})
    frame = desk.records["matter"].join(made, left_on="client", right_on="text", how="left", maintain_order="left")
    unknown = client.is_null() | (how == "ambiguous").fill_null(False)
    for part in NAME:
        frame = frame.with_columns(pl.coalesce(f"client_{part}", f"made_{part}").alias(f"client_{part}"))
    placeholder = desk.target.placeholders["unknown_client"]
    frame = frame.with_columns(pl.when(unknown).then(pl.lit(placeholder)).otherwise("client_company").alias("client_company"))
    desk.records["matter"] = frame
    made = made.rename({f"made_{part}": part for part in NAME})
    if desk.carried("matter").filter(unknown).height:
        extra = pl.DataFrame({"text": [placeholder], "first_name": [None], "last_name": [None], "company": [placeholder]}, schema=_NO_NAMES)
        made = pl.concat([made.select(list(_NO_NAMES)), extra])
    return made.select(list(_NO_NAMES))


def clients_of_matters(desk: Desk) -> pl.DataFrame:
    """`number`, `shown`, `is_card`: who the clients of each matter are, as the target shows them, and whether a card says so
    or only the matter list; of a matter whose client is unknown, nobody.
    """
    if not desk.has("matter"):
        return pl.DataFrame(schema={"number": pl.String, "shown": pl.String, "is_card": pl.Boolean})
    frame = desk.carried("matter")
    first = frame.select("number", *(pl.col(f"client_{part}").alias(part) for part in NAME), pl.col("client_how").is_not_null().alias("is_card"))
    further = frame.select("number", "pieces").explode("pieces").drop_nulls().unnest("pieces").with_columns(pl.lit(True).alias("is_card"))
    every = pl.concat([first, further.select(first.columns)]).select("number", shown_name().alias("shown"), "is_card").drop_nulls("shown")
    return every.filter(pl.col("shown") != desk.target.placeholders["unknown_client"])


def _split_clients(texts: list[str], names: pl.DataFrame) -> pl.DataFrame:
    """`text`, `pieces`: the contacts of every cell all of whose pieces are contacts."""
    schema: dict[str, Any] = {"text": pl.String, "pieces": pl.List(pl.Struct({part: pl.String for part in NAME}))}
    cut = {text: pieces for text in sorted(texts) if len(pieces := several_people(text)) > 1}
    if not cut:
        return pl.DataFrame(schema=schema)
    every = pl.Series("t", sorted({piece for pieces in cut.values() for piece in pieces}))
    known = {row["text"]: {part: row[part] for part in NAME} for row in resolve_names(every, names).iter_rows(named=True) if row["how"] in {"exact", "normalised"}}
    sure = [(text, [known[piece] for piece in pieces]) for text, pieces in cut.items() if all(piece in known for piece in pieces)]
    return pl.DataFrame(sure, schema=schema, orient="row")


def _shown(prefix: str) -> pl.Expr:
    return pl.concat_str([pl.col(f"{prefix}{part}") for part in NAME], separator=" ", ignore_nulls=True)


def matter_lines(desk: Desk) -> None:
    """The matters file; who is responsible goes beside it, as the seen template has no column for that."""
    frame = desk.carried("matter")
    own = desk.migration.options.target_numbering
    desk.files["matters"] = frame.select(
        "table", ROW, "status", "location", "client_reference", "description",
        desk.date_text("opened_on").alias("open_date"), desk.date_text("closed_on").alias("close_date"),
        pl.lit(None, pl.String).alias("pending_date"), pl.col("number").alias("custom_number"),
        pl.lit(None, pl.String).alias("note"), "client_first_name", "client_last_name",
        pl.col("client_company").alias("client_company_name"), pl.col("user").alias("responsible_attorney"),
        pl.col("matter_type").alias("practice_area"), pl.col("originating").alias("originating_attorney"),
        "stage", "opened_on", "closed_on", pl.col("user_email").alias("responsible_email"), pl.col("responsible").alias("responsible_before"), "client_contact",
    )  # fmt: skip
    rule = pl.when(pl.col("fell_back")).then(pl.lit("primary subscriber")) if "fell_back" in frame.columns else pl.lit(None, pl.String)
    desk.files["matter_users"] = frame.select(
        "table", ROW, pl.col("number").alias("matter"), pl.col("user").alias("responsible_attorney"),
        pl.col("user_email").alias("email"), pl.col("responsible").alias("name_in_old_system"), rule.alias("rule"),
    )  # fmt: skip
    if own:
        desk.files["matter_numbers"] = frame.select(
            "table", ROW, pl.col("number").alias("old_number"), pl.lit(None, pl.String).alias("new_number"), "description"
        )
        desk.todo.append("After the import, fill the column new_number of matter_numbers.csv: the account numbers matters itself.")


def parties_of_matters(desk: Desk, names: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Related contacts that stand in columns of the matter list, and further clients of a matter.

    Returns:
        The lines (`matter`, name parts, `relationship`, lineage), and the contacts made for names no card has.
    """
    frame = desk.carried("matter")
    tables = []
    for field, role in ROLES.items():
        for column in sorted(c for c in frame.columns if c.startswith(f"{field}#")):
            named = frame.filter(pl.col(column).is_not_null())
            tables.append(named.select("table", ROW, pl.col("number").alias("matter"), pl.col(column).alias("text"), pl.lit(role).alias("relationship")))
    lines = pl.DataFrame(schema={"table": pl.String, ROW: pl.UInt32, "matter": pl.String, **_NO_NAMES, "relationship": pl.String, "contact_meant": pl.String})
    made = pl.DataFrame(schema=_NO_NAMES)
    if tables:
        texts = pl.concat(tables)
        found = resolve_names(texts["text"], names)
        nobody = found.filter(pl.col("how").is_null())["text"]
        if nobody.len():
            made = contact_from_text(desk, nobody).select(list(_NO_NAMES))
        meant = found.filter(pl.col("how").is_not_null()).select(*_NO_NAMES, pl.col("contact").alias("contact_meant"))
        every = pl.concat([meant, made], how="diagonal")
        # An ambiguous name stays as text in the company column: it names nobody for certain.
        every = every.with_columns(pl.when(pl.all_horizontal(pl.col(p).is_null() for p in NAME)).then("text").otherwise("company").alias("company"))
        lines = texts.join(every, on="text", how="left", maintain_order="left").select(lines.columns)
    further = frame.filter(pl.col("pieces").list.len() > 1).select("table", ROW, pl.col("number").alias("matter"), pl.col("pieces").list.slice(1).alias("pieces"))
    if further.height:
        further = further.explode("pieces").unnest("pieces").with_columns(pl.lit("Client").alias("relationship"), pl.lit(None, pl.String).alias("text"), pl.lit(None, pl.String).alias("contact_meant"))
        lines = pl.concat([lines, further.select(lines.columns)])
    if lines.height:
        desk.derived["related_contact"] = lines.height
    return lines, made


def practice_areas(desk: Desk) -> tuple[dict[str, Any], ...]:
    """Each practice area of the matters, and what becomes of it in the account: it is there, there in another spelling, or to be made.

    A matter template of the same name may map data in its own way, and is told.
    """
    if "matters" not in desk.files:
        return ()
    found = desk.files["matters"]["practice_area"].drop_nulls().value_counts(sort=True).rows()
    known = {name.casefold(): name for name in desk.migration.existing_practice_areas}
    templates = {name.casefold() for name in desk.migration.existing_matter_templates}
    plan = []
    for name, count in sorted(found):
        there = known.get(name.casefold())
        action = "reuse" if there == name else "reuse, in the account's spelling" if there else "create"
        plan.append({"name": name, "count": count, "action": action, "there": there or "", "template": name.casefold() in templates})
    return tuple(plan)
