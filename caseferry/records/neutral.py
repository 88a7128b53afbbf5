"""What a target's files can be made of: the records after they were brought together, by the names a mapping uses.

Where a target's own files follow our layout (`caseferry.mapping.target`), these are not needed. A mapped target
(`caseferry.mapping.mapped`) says from which of these fields each of its columns comes.
"""

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

Kind = Literal["text", "day", "moment", "number", "flag"]
DTYPES: dict[Kind, Any] = {
    "text": pl.String, "day": pl.Date, "moment": pl.Datetime("us", "UTC"), "number": pl.Decimal(24, 4), "flag": pl.Boolean,
}  # fmt: skip
EVERYWHERE = ("key", "received_on")
"""Fields of every record: its own key, the same in every export of the firm; and the day the export came."""


@dataclass(frozen=True)
class Neutral:
    """A kind of record that can be mapped.

    Args:
        record: the type of record whose rows it accounts for.
        amount: the field whose sum is told where the record can't be held.
    """

    name: str
    title: str
    record: str
    fields: dict[str, Kind]
    amount: str = ""


def _neutral(name: str, title: str, record: str, fields: str, total: str = "", /, **others: Kind) -> Neutral:
    made: dict[str, Kind] = {"key": "text", **dict.fromkeys(fields.split(), "text"), **others, "received_on": "day"}
    return Neutral(name, title, record, made, total)


_PARENTS = "matter matter_key client client_key"
NEUTRAL: dict[str, Neutral] = {
    one.name: one
    for one in (
        _neutral(
            "contacts", "Contacts", "contact",
            "source_id kind shown_name sort_name title given_name middle_name first_name last_name company job_title card_type "
            "email email_2 email_3 emails phone phone_home phone_work phone_mobile phone_fax street city state "
            "postal_code country notes consent matters household household_title",
            birth_on="day", client_since="day", is_client="flag",
        ),
        _neutral(
            "matters", "Matters", "matter",
            "number description status stage practice_area client client_key client_kind client_email responsible responsible_email "
            "responsible_before originating client_reference location title",
            opened_on="day", closed_on="day", is_open="flag",
        ),
        _neutral("related_contacts", "Related contacts", "related_contact", "matter matter_key contact contact_key contact_kind relationship"),
        _neutral("notes", "Notes", "note", f"{_PARENTS} contact contact_key subject body author", written_on="day"),
        _neutral(
            "tasks", "Tasks", "task", f"{_PARENTS} name description assignee assignee_email status priority",
            due_on="day", is_done="flag",
        ),
        _neutral(
            "calendar_events", "Calendar events", "calendar_event",
            f"{_PARENTS} subject start_time end_time time_zone owner owner_email location description recurrence "
            "start_clock end_clock zone_before",
            all_day_on="day", day_after_all_day="day", start_on="day", end_on="day", day_after_end="day", starts_at="moment", ends_at="moment", is_all_day="flag",
        ),
        _neutral("emails", "Emails", "email", f"{_PARENTS} sent_time sender recipients copies subject body attachments", sent_on="day"),
        _neutral("phone_logs", "Phone logs", "phone_log", f"{_PARENTS} called_time caller callee number direction user note", called_on="day", duration_hours="number"),
        _neutral(
            "time_entries", "Unbilled time", "time_entry",
            f"{_PARENTS} staff staff_email description category type", "amount",
            performed_on="day", hours="number", rate="number", amount="number", is_billable="flag",
        ),
        _neutral("receivables", "A/R balances", "receivable", f"{_PARENTS} note currency", "amount", as_at="day", amount="number"),
        _neutral("trust_balances", "Trust balances", "trust", f"{_PARENTS} note currency", "amount", as_at="day", amount="number"),
        _neutral("documents", "Documents", "document", "path size sha256 matter matter_key client client_key"),
    )
}  # fmt: skip
