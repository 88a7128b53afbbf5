"""Tasks, notes, events, e-mails, calls and relations: parents and days checked, moments put together."""

import polars as pl

from caseferry.mapping.contact_points import is_sender
from tasks.transform.sheet import Sheet

_NUMBERS = {"BYSECOND": r"[1-5]?\d", "BYMINUTE": r"[1-5]?\d", "BYHOUR": r"1?\d|2[0-3]", "BYMONTHDAY": r"[+-]?(?:0?[1-9]|[12]\d|3[01])",
            "BYYEARDAY": r"[+-]?\d{1,3}", "BYWEEKNO": r"[+-]?\d{1,2}", "BYMONTH": r"0?[1-9]|1[0-2]", "BYSETPOS": r"[+-]?\d{1,3}",
            "BYDAY": r"(?:[+-]?[0-5]?\d)?(?:MO|TU|WE|TH|FR|SA|SU)"}  # fmt: skip
_HOW_OFTEN = "FREQ=(?:SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)"
_PART = "|".join((
    _HOW_OFTEN, r"UNTIL=\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:T(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ?)?",
    r"(?:COUNT|INTERVAL)=0*[1-9]\d*", "WKST=(?:MO|TU|WE|TH|FR|SA|SU)", r"X-[^=;\n]+=[^;\n]*", *(f"{name}=(?:{value})(?:,(?:{value}))*" for name, value in _NUMBERS.items()),
))  # fmt: skip
_RULES = rf"(?i)^(?:(?:RRULE:(?:(?:{_PART});)*{_HOW_OFTEN}(?:;(?:{_PART}))*;?|(?:RDATE|EXDATE|EXRULE|RECURRENCE-ID)[;:][^\n]*)(?:\n|$))+$"
"""Rules as calendars write them, each part of them one that exists. Source: RFC 5545, 3.3.10."""


def finish_relations(sheet: Sheet) -> None:
    sheet.find(pl.col("matter").is_null(), "matter", "no_matter", "quarantined")
    sheet.find(pl.col("contact").is_null(), "contact", "no_contact", "quarantined")
    sheet.find(pl.col("role").is_null(), "role", "no_role", "carried")


def finish_tasks(sheet: Sheet) -> None:
    _ensure(sheet, ("matter", "assignee", "status", "priority", "description", "categories"))
    sheet.find(pl.col("name").is_null(), "name", "no_name", "quarantined")
    done = [word.casefold() for word in sheet.job.profile.true_words] + ["complete", "completed", "done", "closed"]
    word = pl.col("status").str.strip_chars().str.to_lowercase()
    sheet.find(word.is_in(["cancelled", "canceled"]), "status", "task_cancelled", "excluded")
    sheet.find(word == "replaced", "status", "task_replaced", "excluded")
    state = pl.when(word.is_in(done)).then(pl.lit("Complete")).otherwise(pl.lit("Pending"))
    sheet.put(pl.col("status").alias("status~"), state.alias("status"))
    sheet.change((pl.col("status~") != pl.col("status")).fill_null(True), "status", "task_status", pl.col("status~"), pl.col("status"))


def finish_notes(sheet: Sheet) -> None:
    _ensure(sheet, ("matter", "contact", "subject", "author"))
    sheet.find(pl.col("matter").is_null() & pl.col("contact").is_null(), "matter", "no_parent", "quarantined")
    sheet.find(pl.col("body").is_null() & pl.col("subject").is_null(), "body", "empty_note", "quarantined")


def finish_events(sheet: Sheet) -> None:
    _ensure(sheet, ("matter", "owner", "start_time", "end_time", "end_on@", "start_on@", "time_zone", "all_day", "location", "recurrence", "description", "status", "categories"))
    _ensure(sheet, ("end_on",), pl.Date)
    state = pl.col("status").str.to_lowercase()
    sheet.find(state.is_in(["cancelled", "canceled"]), "status", "event_cancelled", "excluded")
    sheet.find(state == "replaced", "status", "event_replaced", "excluded")
    sheet.find(pl.col("start_on").is_null(), "start_on", "no_start", "quarantined", pl.col("start_on~"))
    sheet.find(pl.col("subject").is_null(), "subject", "no_subject", "quarantined")
    yes = [word.casefold() for word in sheet.job.profile.true_words]
    all_day = pl.col("all_day").str.strip_chars().str.to_lowercase().is_in(yes).fill_null(False)
    start = pl.coalesce("start_time", "start_on@")
    end = pl.coalesce("end_time", "end_on@")
    sheet.put(
        pl.when(all_day).then(pl.lit("yes")).alias("all_day"),
        start.alias("start_time"), end.alias("end_time"),
        pl.coalesce("end_on", pl.when(end.is_not_null()).then("start_on")).alias("end_on"),
    )  # fmt: skip
    timed = pl.col("all_day").is_null()
    sheet.find(timed & pl.col("start_time").is_null(), "start_time", "no_start_time", "carried")
    sheet.find(timed & (pl.col("end_on").is_null() | pl.col("end_time").is_null()), "end_on", "no_end", "carried")
    moment_a = pl.col("start_on").cast(pl.String) + pl.coalesce("start_time", pl.lit(""))
    moment_b = pl.col("end_on").cast(pl.String) + pl.coalesce("end_time", pl.lit("99"))
    sheet.find(moment_b < moment_a, "end_on", "ends_before_it_starts", "carried", pl.col("end_on"))
    broken = pl.col("recurrence").str.contains(r"(?m)^RRULE:") & ~pl.col("recurrence").str.contains(_RULES)
    sheet.find(broken, "recurrence", "rule_unreadable", "emptied", pl.col("recurrence"), "enter by hand how it repeats")
    sheet.put(pl.when(~broken.fill_null(False)).then("recurrence").alias("recurrence"))
    sheet.find(pl.col("recurrence").is_not_null(), "recurrence", "recurring_event", "carried", pl.col("recurrence"))


def finish_emails(sheet: Sheet) -> None:
    _ensure(sheet, ("matter", "subject", "body", "copies", "sent_time", "sent_at@", "attachments", "sender", "recipients", "folder", "attached"))
    _ensure(sheet, ("sent_at",), pl.Date)
    sheet.put(pl.coalesce("sent_time", "sent_at@").alias("sent_time"))
    inside = pl.col("sender").str.contains("@") & ~is_sender(pl.col("sender"))
    sheet.find(inside, "sender", "email_format", "carried", pl.col("sender"))
    sheet.find(pl.col("sent_at").is_null(), "sent_at", "no_date", "carried", pl.col("sent_at~") if sheet.has("sent_at~") else None)
    sheet.find(pl.col("attachments").str.contains(r"(?i)(?:^|; )winmail\.dat(?:;|$)"), "attachments", "winmail_not_opened", "carried",
               pl.col("attachments"), "open it with a program that reads winmail.dat, and file what it holds")  # fmt: skip
    sheet.find(pl.col("matter").is_null(), "matter", "no_matter", "carried")


def finish_calls(sheet: Sheet) -> None:
    _ensure(sheet, ("matter", "caller", "callee", "number", "direction", "note", "user", "called_time", "called_at@"))
    _ensure(sheet, ("called_at",), pl.Date)
    sheet.put(pl.coalesce("called_time", "called_at@").alias("called_time"))
    sheet.find(pl.col("called_at").is_null(), "called_at", "no_date", "carried")


def _ensure(sheet: Sheet, names: tuple[str, ...], dtype: pl.DataType | type[pl.DataType] = pl.String) -> None:
    sheet.put(*(pl.lit(None, dtype).alias(name) for name in names if not sheet.has(name)))
