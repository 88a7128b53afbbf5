"""The vocabulary: what each type of record holds, whichever system it comes from or goes to.

A record is a row of a table with these columns, never an object of its own.
"""

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """What a field's text means, and so how it is read."""

    TEXT = "text"
    """Carried to the letter."""
    KEY = "key"
    """Text that names a record: carried to the letter, joined by its normal form."""
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    POSTCODE = "postcode"
    PERSON = "person"
    """A member of staff: an id, e-mail, initials or name."""
    DATE = "date"
    BIRTH = "birth"
    """A date that can't lie in the future."""
    MOMENT = "moment"
    """A day with, perhaps, a time of day."""
    TIME = "time"
    MONEY = "money"
    HOURS = "hours"
    MINUTES = "minutes"
    UNITS = "units"
    """Tenths of an hour."""
    SECONDS = "seconds"
    FLAG = "flag"


@dataclass(frozen=True)
class Field:
    name: str
    type: Type
    many: bool = False
    """Several columns may feed it; they are numbered `email_1`, `email_2` …"""


@dataclass(frozen=True)
class Record:
    name: str
    title: str
    fields: tuple[Field, ...]
    money: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def names(self) -> set[str]:
        return {field.name for field in self.fields}


def _record(name: str, title: str, /, tie_money: str = "", tie_hours: str = "", **fields: str) -> Record:
    made = tuple(Field(key, Type(value.rstrip("*")), value.endswith("*")) for key, value in fields.items())
    return Record(name, title, made, tuple(tie_money.split()), tuple(tie_hours.split()))


RECORDS: dict[str, Record] = {
    record.name: record
    for record in (
        _record(
            "contact", "Contacts",
            source_id="key", display_name="name", card_type="text", title="text", first_name="name",
            middle_name="name", last_name="name", company="name", job_title="text", email="email*",
            phone="phone", phone_home="phone", phone_work="phone", phone_mobile="phone", phone_fax="phone",
            street="text*", city="text", state="text", postal_code="postcode", country="text", birth_on="birth", client_since="date",
            notes="text", consent="text", opted_out="text", is_client="text", household="text", household_title="text", created_at="moment", modified_at="moment", modified_by="person",
        ),
        _record(
            "matter", "Matters",
            number="key", source_id="key", description="text*", matter_type="text", status="text", stage="text", archived="text",
            opened_on="date", closed_on="date", responsible="person", acting="person", assisting="person",
            originating="person", client="name", client_reference="text", location="text",
            created_at="moment", modified_at="moment", modified_by="person",
            other_side="name*", other_side_lawyer="name*", other_side_insurer="name*", referrer="name*",
        ),
        _record(
            "related_contact", "Related contacts",
            matter="key", contact="name", role="text",
        ),
        _record(
            "task", "Tasks",
            name="text", due_on="date", assignee="person", status="text", priority="text", matter="key",
            description="text", categories="text", created_at="moment", source_id="key", occurrence="text",
        ),
        _record(
            "note", "Notes",
            written_on="date", subject="text", body="text", author="person", matter="key", contact="name",
            created_at="moment",
        ),
        _record(
            "calendar_event", "Calendar events",
            subject="text", start_on="moment", start_time="time", end_on="moment", end_time="time",
            all_day="flag", time_zone="text", owner="person", matter="key", location="text", description="text",
            recurrence="text", status="text", categories="text", created_at="moment", source_id="key", occurrence="text",
        ),
        _record(
            "email", "Emails",
            sent_at="moment", sent_time="time", sender="email", recipients="email", copies="email", subject="text",
            body="text", matter="key", attachments="text", attached="text", folder="text", source_id="key",
        ),
        _record(
            "phone_log", "Phone logs",
            called_at="moment", called_time="time", caller="name", callee="name", number="phone", direction="text",
            duration="minutes", note="text", matter="key", user="person",
        ),
        _record(
            "time_entry", "Unbilled time", tie_money="amount", tie_hours="hours",
            performed_on="date", matter="key", staff="person", hours="hours", units="units", minutes="minutes", seconds="seconds",
            rate="money", amount="money", description="text*", category="text", entry_type="text", billed="text",
            invoice="key", billable="text", non_billable="text", created_at="moment",
        ),
        _record(
            "receivable", "A/R balances", tie_money="outstanding",
            matter="key", client="name", invoice="key", invoiced_on="date", due_on="date", total="money",
            paid="money", outstanding="money", staff="person",
        ),
        _record(
            "trust", "Trust balances", tie_money="balance",
            matter="key", client="name", balance="money", account="text",
        ),
        _record("excluded", "Lists the target does not take", tie_money="amount", matter="key", performed_on="date", amount="money"),
    )
}  # fmt: skip

DELIVERED = (
    "contact", "matter", "related_contact", "task", "note", "calendar_event", "email", "phone_log",
    "time_entry", "receivable", "trust", "document",
)  # fmt: skip
"""Clio's twelve types of data, in the order a report shows them. Source: Clio Manage Data Migration Overview."""
