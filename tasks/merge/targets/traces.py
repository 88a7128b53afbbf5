"""Where the fields of a source's records go: into the neutral records, and into the files of our own layout."""

NEUTRAL_OF: dict[str, tuple[str, ...]] = {
    "contact": ("contacts",), "matter": ("matters", "related_contacts"), "related_contact": ("related_contacts",), "task": ("tasks",),
    "note": ("notes",), "calendar_event": ("calendar_events",), "email": ("emails",), "phone_log": ("phone_logs",),
    "time_entry": ("time_entries",), "receivable": ("receivables",), "trust": ("trust_balances",),
}  # fmt: skip
"""The neutral records that rows of a type become."""

_ROLES = {name: ("relationship", "contact", "contact_key") for name in ("other_side", "other_side_lawyer", "other_side_insurer", "referrer")}
IN_NEUTRAL: dict[str, dict[str, tuple[str, ...]]] = {
    "contact": {
        "source_id": ("source_id", "key"), "display_name": ("shown_name", "first_name", "last_name", "company", "given_name", "sort_name"),
        "first_name": ("first_name", "given_name", "shown_name"), "middle_name": ("middle_name", "first_name"),
        "last_name": ("last_name", "shown_name", "sort_name"), "company": ("company", "shown_name", "sort_name"), "email": ("email", "email_2", "email_3", "emails"),
        "phone_home": ("phone_home", "phone"), "phone_work": ("phone_work", "phone"), "phone_mobile": ("phone_mobile", "phone"),
        "card_type": ("card_type", "custom:Card Type"), "birth_on": ("birth_on", "custom:Date of Birth"), "client_since": ("client_since", "custom:Client Since in Old System"), "household": ("household", "custom:Household"), "household_title": ("household_title", "custom:Household Title"), "opted_out": ("consent",),
    },
    "matter": {
        "number": ("number", "key", "title", "matter", "matter_key"), "description": ("description", "title"),
        "matter_type": ("practice_area", "custom:Matter Type"), "status": ("status", "is_open", "custom:Status in Old System"), "stage": ("stage", "custom:Matter Stage in Old System"),
        "responsible": ("responsible", "responsible_email", "responsible_before", "custom:Responsible in Old System"),
        "originating": ("originating", "custom:Originating Attorney"), "client": ("client", "client_key", "title"),
        "acting": ("custom:Person Acting",), "assisting": ("custom:Person Assisting",), **_ROLES,
    },
    "related_contact": {"matter": ("matter", "matter_key"), "contact": ("contact", "contact_key"), "role": ("relationship",)},
    "task": {"source_id": ("key",), "occurrence": ("key",), "assignee": ("assignee", "assignee_email"), "matter": ("matter", "matter_key", "client", "client_key"), "status": ("status", "is_done")},
    "note": {"matter": ("matter", "matter_key", "client", "client_key", "contact_key"), "contact": ("contact", "contact_key")},
    "calendar_event": {
        "source_id": ("key",), "occurrence": ("key",), "start_on": ("start_on", "starts_at", "start_clock", "all_day_on"), "start_time": ("start_time", "starts_at", "start_clock"),
        "end_on": ("end_on", "ends_at", "end_clock", "day_after_end", "day_after_all_day"), "end_time": ("end_time", "ends_at", "end_clock"),
        "all_day": ("is_all_day", "all_day_on"), "owner": ("owner", "owner_email"), "matter": ("matter", "matter_key", "client", "client_key"),
    },
    "email": {"source_id": ("key",), "sent_at": ("sent_on", "sent_time"), "attached": ("attachments",), "matter": ("matter", "matter_key", "client", "client_key")},
    "phone_log": {"called_at": ("called_on", "called_time"), "duration": ("duration_hours",), "matter": ("matter", "matter_key", "client", "client_key")},
    "time_entry": {
        "staff": ("staff", "staff_email"), "units": ("hours",), "minutes": ("hours",), "seconds": ("hours",), "entry_type": ("type",),
        "non_billable": ("is_billable",), "billable": ("is_billable",), "matter": ("matter", "matter_key", "client", "client_key"),
    },
    "receivable": {"outstanding": ("amount",), "matter": ("matter", "matter_key"), "client": ("client", "client_key")},
    "trust": {"balance": ("amount",), "matter": ("matter", "matter_key"), "client": ("client", "client_key")},
}  # fmt: skip
"""The neutral fields that a source's field feeds, where they are not called the same."""

DECIDES: dict[str, dict[str, tuple[str, ...]]] = {
    "contact": {"card_type": ("kind",), "display_name": ("kind",), "company": ("kind",)},
    "matter": {
        "archived": ("status", "is_open"), "closed_on": ("status", "is_open"), "status": ("stage", "custom:Matter Stage in Old System"),
        "opened_on": ("client_since",), "client": ("is_client", "matters", "client_email"),
    },
    "time_entry": {"amount": ("rate",), "billed": ("is_billable",)},
}  # fmt: skip
"""Neutral fields that a source's field decides without standing in them; some are fields of other records."""

_DETAILS = "contact_details › value"
_BASE_ROLES = {name: ("related_contacts › contact",) for name in _ROLES}
IN_BASE: dict[str, dict[str, tuple[str, ...]]] = {
    "contact": {
        "title": ("contacts › title",), "first_name": ("contacts › first_name",), "middle_name": ("contacts › first_name",),
        "last_name": ("contacts › last_name",), "company": ("contacts › company",), "job_title": ("contacts › job_title",),
        "display_name": ("contacts › first_name", "contacts › last_name", "contacts › company"),
        "email": ("contacts › email_address", _DETAILS), "phone": ("contacts › primary_phone", _DETAILS), "phone_home": (_DETAILS,),
        "phone_work": (_DETAILS,), "phone_mobile": ("contacts › primary_phone", _DETAILS), "phone_fax": (_DETAILS,),
        "street": ("contacts › business_street",), "city": ("contacts › business_city",), "state": ("contacts › business_state",),
        "postal_code": ("contacts › business_postal_code",), "country": ("contacts › business_state", _DETAILS), "notes": (_DETAILS,),
        "source_id": ("contact_details › source_id",), "birth_on": ("custom field Date of Birth",), "client_since": ("custom field Client Since in Old System",), "household": ("custom field Household",), "household_title": ("custom field Household Title",), "card_type": ("custom field Card Type",),
    },
    "matter": {
        "number": ("matters › custom_number",), "description": ("matters › description",), "status": ("matters › status", "custom field Matter Stage in Old System"),
        "archived": ("matters › status",), "opened_on": ("matters › open_date",), "closed_on": ("matters › close_date",),
        "client": ("matters › client_first_name", "matters › client_last_name", "matters › client_company_name"),
        "client_reference": ("matters › client_reference",), "location": ("matters › location",),
        "responsible": ("matter_users › responsible_attorney", "custom field Responsible in Old System"), "matter_type": ("custom field Matter Type",),
        "acting": ("custom field Person Acting",), "assisting": ("custom field Person Assisting",), "originating": ("custom field Originating Attorney",),
        **_BASE_ROLES,
    },
    "related_contact": {"matter": ("related_contacts › matter",), "contact": ("related_contacts › contact",), "role": ("related_contacts › relationship",)},
    "task": {
        "name": ("tasks › name",), "description": ("tasks › description",), "due_on": ("tasks › due_date",), "assignee": ("tasks › assignee",),
        "status": ("tasks › status",), "priority": ("tasks › priority",), "matter": ("tasks › matter",),
    },
    "note": {
        "written_on": ("notes › date",), "subject": ("notes › subject",), "body": ("notes › note",), "author": ("notes › author",),
        "matter": ("matter_notes › matter",), "contact": ("contact_notes › contact",),
    },
    "calendar_event": {
        "subject": ("calendar_events › summary",), "start_on": ("calendar_events › start_date", "calendar_events › start_time"),
        "start_time": ("calendar_events › start_time",), "end_on": ("calendar_events › end_date", "calendar_events › end_time"),
        "end_time": ("calendar_events › end_time",), "all_day": ("calendar_events › all_day",), "time_zone": ("calendar_events › time_zone",),
        "owner": ("calendar_events › calendar",), "matter": ("calendar_events › matter",), "location": ("calendar_events › location",),
        "description": ("calendar_events › description",), "recurrence": ("calendar_events › recurrence",),
    },
    "email": {
        "sent_at": ("emails › date", "emails › time"), "sent_time": ("emails › time",), "sender": ("emails › from",), "recipients": ("emails › to",),
        "copies": ("emails › cc",), "subject": ("emails › subject",), "body": ("emails › body",), "matter": ("emails › matter",), "attachments": ("emails › attachments",),
    },
    "phone_log": {
        "called_at": ("phone_logs › date", "phone_logs › time"), "called_time": ("phone_logs › time",), "caller": ("phone_logs › caller",),
        "callee": ("phone_logs › callee",), "number": ("phone_logs › number",), "direction": ("phone_logs › direction",),
        "duration": ("phone_logs › duration_hours",), "note": ("phone_logs › note",), "matter": ("phone_logs › matter",), "user": ("phone_logs › user",),
    },
    "time_entry": {
        "performed_on": ("activities › date",), "matter": ("activities › matter",), "staff": ("activities › activity_user",),
        "hours": ("activities › quantity",), "units": ("activities › quantity",), "minutes": ("activities › quantity",), "seconds": ("activities › quantity",), "rate": ("activities › price",),
        "amount": ("activities › price",), "description": ("activities › note",), "category": ("activities › activity_description",),
        "entry_type": ("activities › type",), "billable": ("activities › non_billable",), "non_billable": ("activities › non_billable",),
    },
    "receivable": {"outstanding": ("balances_forward › price",), "matter": ("balances_forward › matter",)},
    "trust": {"balance": ("trust_balances › amount",), "matter": ("trust_balances › matter",), "client": ("trust_balances › contact",)},
}  # fmt: skip
"""Where a source's field stands in the files of our own layout, Clio's and the neutral package."""
