"""What hangs on a matter or a contact: notes, tasks, events, e-mails, calls, relations. Nothing without its parent."""

from typing import Any

import polars as pl

from caseferry.frames import without
from caseferry.mapping.names import number_key
from caseferry.reading.grid import ROW
from tasks.merge.contacts import NAME, resolve_names, shown_name
from tasks.merge.desk import Desk, ensure
from tasks.merge.repeated import each_time, happening
from tasks.merge.users import resolve

LINKED = ("related_contact", "task", "note", "calendar_event", "email", "phone_log", "time_entry", "receivable", "trust")
_SUBJECTS = {"calendar_event": "subject", "task": "name"}
_PARENTS = {"time_entry", "receivable", "related_contact"}
"""Types that can't stand without their matter."""


def link_matters(desk: Desk, numbers: pl.DataFrame) -> None:
    """Give every row the matter number as the matters file writes it, by its exact, then its normal form."""
    known = numbers.select("matter_key", pl.col("number").alias("matter_number"), pl.col("user").alias("matter_user"), pl.col("user_email").alias("matter_user_email"), "several")
    named_twice = bool(known["several"].any())
    for record in LINKED:
        if not desk.has(record):
            continue
        frame = ensure(desk.records[record], {"matter": pl.String})
        if "matter_key" not in frame.columns:
            frame = frame.with_columns(number_key(pl.col("matter")).alias("matter_key"))
        if record in _SUBJECTS:
            frame = _matter_of_subject(desk, frame, record, numbers)
        elif record == "email":
            frame = _matter_of_mail(desk, frame, numbers)
        spared = {"several"} if not named_twice else set[str]()
        spared |= {"matter_user_email"} if record != "receivable" else set()  # nobody else's file has a place for it
        desk.records[record] = frame.join(without(known, *spared), on="matter_key", how="left", maintain_order="left")
        matter, number = pl.col("matter"), pl.col("matter_number")
        if desk.staying.len():
            desk.find(record, pl.col("matter_key").is_in(desk.staying.implode()), "matter", "open_matter_stays", "excluded")
        desk.change(record, matter.is_not_null() & (matter != number), "matter", "matter_by_normal_form", matter, number)
        missing = matter.is_not_null() & number.is_null()
        if named_twice:
            desk.find(record, pl.col("several").fill_null(False), "matter", "matter_number_of_two", "quarantined", pl.coalesce(matter, number))
        if record in _PARENTS:
            desk.find(record, missing, "matter", "matter_not_in_export", "quarantined", matter)
        elif record not in {"note", "trust"}:
            desk.find(record, missing, "matter", "matter_not_in_export", "emptied", matter)


def _matter_of_subject(desk: Desk, frame: pl.DataFrame, record: str, numbers: pl.DataFrame) -> pl.DataFrame:
    """The matter at the head of a subject ("24-0012 - hearing"), or the one whose number is among the categories."""
    known = pl.concat([numbers["matter_key"], desk.staying]).implode()
    frame = ensure(frame, {"categories": pl.String})
    head = number_key(pl.col(_SUBJECTS[record]).str.extract(r"^\s*([^\s:]*\d[^\s:]*)\s*(?:[-–:]|$)"))
    words = frame.select(pl.int_range(pl.len()).alias("i"), pl.col("categories").str.replace_all(",", ";", literal=True).str.split(";").alias("word")).explode("word").drop_nulls()
    named = words.with_columns(number_key(pl.col("word").str.strip_chars()).alias("found")).filter(pl.col("found").is_in(known)).unique(["i", "found"])
    single = named.filter(pl.len().over("i") == 1).select("i", "found")
    filed = pl.DataFrame({"i": range(frame.height)}, schema={"i": pl.Int64}).join(single, on="i", how="left", maintain_order="left")["found"]
    free = pl.col("matter").is_null()
    frame = frame.with_columns(pl.when(free & head.is_in(known)).then(head).alias("from_subject"), pl.lit(filed).alias("from_category"))
    frame = frame.with_columns(pl.when(free & pl.col("from_subject").is_null()).then("from_category").alias("from_category"))
    desk.records[record] = frame
    desk.change(record, pl.col("from_subject").is_not_null(), "matter", "matter_from_subject", pl.col("matter"), pl.col("from_subject"))
    desk.change(record, pl.col("from_category").is_not_null(), "matter", "matter_from_category", pl.col("matter"), pl.col("from_category"))
    return frame.with_columns(pl.coalesce("matter_key", "from_subject", "from_category").alias("matter_key"))


def _matter_of_mail(desk: Desk, frame: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The matter a message names in brackets in its subject, or whose number a folder of its path is or begins with."""
    frame = ensure(frame, {"folder": pl.String})
    known = pl.concat([numbers["matter_key"], desk.staying]).implode()
    tag = number_key(pl.col("subject").str.extract(r"\[\s*([^\]\s]*\d[^\]\s]*)\s*\]"))
    steps = frame.select(pl.int_range(pl.len()).alias("i"), pl.col("folder").str.split("/").alias("step")).explode("step").drop_nulls()
    steps = steps.with_columns(number_key(pl.col("step")).alias("whole"), number_key(pl.col("step").str.extract(r"^\s*([^\s_]*\d[^\s_]*)")).alias("head"))
    named = steps.with_columns(pl.coalesce(pl.when(pl.col("whole").is_in(known)).then("whole"), pl.when(pl.col("head").is_in(known)).then("head")).alias("found"))
    deepest = named.drop_nulls("found").group_by("i", maintain_order=True).agg(pl.col("found").last())
    folder = pl.DataFrame({"i": range(frame.height)}, schema={"i": pl.Int64}).join(deepest, on="i", how="left", maintain_order="left")["found"]
    found = pl.coalesce(pl.when(tag.is_in(known)).then(tag), pl.lit(folder))
    frame = frame.with_columns(pl.when(pl.col("matter").is_null()).then(found).alias("from_mail"))
    desk.records["email"] = frame
    desk.change("email", pl.col("from_mail").is_not_null(), "matter", "matter_from_mail", pl.col("matter"), pl.col("from_mail"))
    return frame.with_columns(pl.coalesce("matter_key", "from_mail").alias("matter_key"))


def notes(desk: Desk, names: pl.DataFrame) -> None:
    """A note belongs to its matter; without one, to its contact; without either it waits."""
    if not desk.has("note"):
        return
    frame = ensure(desk.records["note"], {name: pl.String for name in ("contact", "subject", "body", "author")} | {"written_on": pl.Date})
    found = resolve_names(frame["contact"], names)
    found = found.with_columns(shown_name().alias("contact_name")).select("text", "how", "contact_name", pl.col("contact").alias("contact_meant"), pl.col("shared").alias("contact_shared"))
    desk.records["note"] = frame.join(found, left_on="contact", right_on="text", how="left", maintain_order="left")
    number, contact = pl.col("matter_number"), pl.col("contact_name")
    lost_matter = pl.col("matter").is_not_null() & number.is_null()
    desk.find("note", lost_matter & contact.is_null(), "matter", "matter_not_in_export", "quarantined", pl.col("matter"))
    desk.find("note", lost_matter, "matter", "matter_not_in_export", "emptied", pl.col("matter"))
    desk.find("note", number.is_null() & contact.is_null(), "contact", "contact_not_in_export", "quarantined", pl.col("contact"))
    desk.find("note", number.is_null() & pl.col("contact_shared").fill_null(False), "contact", "contact_name_shared", "carried", pl.col("contact"))
    frame = desk.carried("note")
    body = pl.coalesce("body", "subject").alias("note")
    shared: list[Any] = ["table", ROW, desk.date_text("written_on").alias("date"), "subject", body, "author"]
    desk.files["matter_notes"] = frame.filter(number.is_not_null()).select(*shared, number.alias("matter"))
    desk.files["contact_notes"] = frame.filter(number.is_null()).select(*shared, contact.alias("contact"))


def relations(desk: Desk, names: pl.DataFrame, parties: pl.DataFrame) -> None:
    lines = [parties]
    if desk.has("related_contact"):
        frame = desk.records["related_contact"]
        found = resolve_names(frame["contact"], names).rename({"contact": "contact_meant"})
        desk.records["related_contact"] = frame.join(found, left_on="contact", right_on="text", how="left", maintain_order="left")
        how = pl.col("how")
        desk.find("related_contact", how.is_null(), "contact", "contact_not_in_export", "quarantined", pl.col("contact"))
        desk.find("related_contact", how == "ambiguous", "contact", "contact_ambiguous", "quarantined", pl.col("contact"))
        desk.find("related_contact", (how != "ambiguous") & pl.col("shared").fill_null(False), "contact", "contact_name_shared", "carried", pl.col("contact"))
        carried = desk.carried("related_contact")
        role = pl.col("role") if "role" in carried.columns else pl.lit(None, pl.String)
        lines.insert(0, carried.select("table", ROW, pl.col("matter_number").alias("matter"), pl.lit(None, pl.String).alias("text"), *NAME, role.alias("relationship"), "contact_meant"))
    every = pl.concat(lines, how="diagonal_relaxed")
    if every.height:
        desk.files["related_contacts"] = every.with_columns(shown_name().alias("contact"))


def tasks(desk: Desk) -> None:
    if not desk.has("task"):
        return
    resolve(desk, "task", "assignee", fallback=True)
    desk.records["task"] = ensure(desk.records["task"], {"due_on": pl.Date})
    desk.files["tasks"] = desk.carried("task").select(
        "table", ROW, "name", "description", desk.date_text("due_on").alias("due_date"), pl.col("user").alias("assignee"),
        "status", "priority", pl.col("matter_number").alias("matter"),
    )  # fmt: skip


def events(desk: Desk) -> None:
    if not desk.has("calendar_event"):
        return
    resolve(desk, "calendar_event", "owner", fallback=True)
    zone = desk.migration.time_zone
    own = pl.col("time_zone")
    if zone is None:
        desk.find("calendar_event", own.is_null() & pl.col("all_day").is_null(), "time_zone", "time_zone_unknown", "carried",
                  proposal="set time_zone in migration.json")  # fmt: skip
    else:
        desk.change("calendar_event", own.is_null(), "time_zone", "time_zone_of_the_firm", own, pl.lit(zone))
    if desk.migration.options.recurrence == "expand":
        desk.occurrences = each_time(desk)
    frame = happening(desk)
    desk.files["calendar_events"] = frame.select(
        "table", ROW, pl.col("subject").alias("summary"), desk.date_text("start_on").alias("start_date"), "start_time",
        desk.date_text("end_on").alias("end_date"), "end_time", "all_day", pl.coalesce(own, pl.lit(zone, pl.String)).alias("time_zone"),
        pl.col("user").alias("calendar"), pl.col("matter_number").alias("matter"), "location", "description", "recurrence",
    )  # fmt: skip


def emails(desk: Desk, again: pl.DataFrame) -> None:
    """Messages as they are. One that lies in two folders is told, and both are carried: a person takes one away.

    Args:
        again: messages that stand in the export before too: `table`, `row`, `first`.
    """
    if desk.has("email"):
        frame = desk.records["email"].with_columns(pl.col(ROW).cast(pl.UInt32))
        desk.records["email"] = frame.join(again, on=["table", ROW], how="left", maintain_order="left")
        desk.find("email", pl.col("first").is_not_null(), "row", "message_told_again", "carried", pl.lit("the same message as ") + pl.col("first"), "take one of them away")
        desk.files["emails"] = desk.carried("email").select(
            "table", ROW, desk.date_text("sent_at").alias("date"), pl.col("sent_time").alias("time"),
            pl.col("sender").alias("from"), pl.col("recipients").alias("to"), pl.col("copies").alias("cc"), "subject",
            "body", pl.col("matter_number").alias("matter"), "attachments",
        )  # fmt: skip
        _attached_documents(desk)


def _attached_documents(desk: Desk) -> None:
    """What is attached to messages, beside the documents, if those are carried: path (the message's, then the name), size, hash, matter."""
    if not desk.migration.options.documents:
        return
    mail = desk.carried("email").filter(pl.col("attached").is_not_null())
    if mail.is_empty():
        return
    files = mail.select("table", ROW, "folder", pl.col("matter_number").alias("matter"), pl.col("attached").str.split("\n").alias("fact")).explode("fact")
    own = pl.lit("message ") + pl.col(ROW).cast(pl.String)  # of a mailbox, which has no path for each
    path = pl.concat_str([pl.coalesce("folder", own), pl.col("fact").str.extract(r"^\d+ [0-9a-f]{64} (.*)$")], separator="/")
    lines = files.select(
        "table", ROW, path.alias("path"), pl.col("fact").str.extract(r"^(\d+) ").alias("size"), pl.col("fact").str.extract(r"^\d+ ([0-9a-f]{64}) ").alias("sha256"), "matter"
    ).drop_nulls("path")  # fmt: skip
    before = desk.files.get("documents")
    desk.files["documents"] = lines if before is None else pl.concat([before, lines.select(before.columns)], how="vertical_relaxed")
    desk.derived["document"] = desk.derived.get("document", 0) + lines.height


def calls(desk: Desk) -> None:
    if not desk.has("phone_log"):
        return
    frame = ensure(desk.carried("phone_log"), {"duration": pl.Decimal(24, 4)})
    from caseferry.mapping.money import plain_hours

    desk.files["phone_logs"] = frame.select(
        "table", ROW, desk.date_text("called_at").alias("date"), pl.col("called_time").alias("time"), "caller", "callee",
        "number", "direction", plain_hours("duration").alias("duration_hours"), "note",
        pl.col("matter_number").alias("matter"), "user",
    )  # fmt: skip
