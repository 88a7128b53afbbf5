"""Make small exports of other systems, in each one's own words and quirks: two firms for every source.

Usage: python -m samples.sources [SOURCE …]

Writes `samples/<source>-solo/export` and `samples/<source>-partners/export`; what they must end in lies beside them and is
agreed by a person (tests/test_golden.py). The first firm is what a system writes at its best; the second has been through
hands: a sheet saved in a spreadsheet program, columns in another order, one nobody knows, an old encoding. Everything is
invented, and the same call gives the same bytes.
"""

import csv
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter

from samples.generate import CITIES, FIRST, LAST, STREETS, TRADES, TYPES, WORK

HERE = Path(__file__).parent
STAFF = (("Jane Doe", "JD", "jane@harbour.example", "7"), ("Richard Roe", "RR", "richard@harbour.example", "12"))
_BEGIN = date(2023, 3, 1)
Row = dict[str, Any]


@dataclass(frozen=True)
class Style:
    """How a system writes what everybody has."""

    day: str = "%m/%d/%Y"
    staff: int = 0
    """Which of a person's name, initials, e-mail and number it shows."""
    number: Callable[[int], str] = lambda n: f"24-{n:04d}"
    client: str = "{last}, {first}"
    status: tuple[str, str] = ("Open", "Closed")
    hours: Callable[[float], str] = lambda hours: f"{hours:.1f}"
    yes: tuple[str, str] = ("Yes", "No")
    encoding: str = "utf-8"
    line_end: str = "\r\n"


Layout = dict[str, tuple[str, dict[str, str]]]
"""By file, which rows it lists and the key of each heading's value."""
SOURCES: dict[str, tuple[Style, Layout]] = {
    "clio": (
        Style(number=lambda n: f"{n:05d}-Client", client="{first} {last}", hours=lambda h: f"{h:.2f}"),
        {
            "contacts.csv": ("contacts", {
                "Type": "person_or_company", "Prefix": "title", "First Name": "first", "Last Name": "last", "Company": "company", "Title": "job",
                "Name": "client", "Primary Email Address": "email", "Primary Phone Number": "phone", "Mobile Phone Number": "mobile",
                "Primary Address Street": "street", "Primary Address City": "city", "Primary Address Province": "state",
                "Primary Address Postal Code": "zip", "Date of Birth": "birth", "Is Client": "yes",
            }),
            "matters.csv": ("matters", {
                "Display Number": "number", "Description": "description", "Client": "client", "Status": "status", "Practice Area": "type",
                "Responsible Attorney": "staff", "Originating Attorney": "staff", "Open Date": "opened", "Close Date": "closed", "Matter Stage": "stage",
            }),
            "activities.csv": ("time", {
                "Date": "date", "Type": "entry", "Matter": "number", "Activity User": "staff", "Quantity In Hours": "hours", "Price": "rate", "Total": "amount",
                "Note": "work", "Billed": "no",
            }),
            "notes.csv": ("notes", {"Date": "date", "Matter": "number", "Subject": "subject", "Detail": "note", "Author": "staff"}),
            "tasks.csv": ("tasks", {"Name": "task", "Matter": "number", "Assignee": "staff", "Due At": "due", "Status": "state", "Priority": "priority"}),
        },
    ),
    "mycase": (
        Style(client="{first} {last}"),
        {
            "contacts.csv": ("people", {
                "MyCase ID": "id", "First Name": "first", "Last Name": "last", "E-mail Address": "email", "Cell Phone": "mobile", "Home Phone": "phone",
                "Home Street": "street", "Home City": "city", "Home State": "state", "Home Postal Code": "zip", "Birthday": "birth", "Contact Group": "group",
            }),
            "companies.csv": ("companies", {"MyCase ID": "id", "Company": "company", "Company Main Phone": "phone", "E-mail Address": "email", ":Notes": "remark"}),
            "cases.csv": ("matters", {
                "Case Number": "number", "Case Name": "description", "Practice Area": "type", "Case Status": "status", "Open Date": "opened",
                "Closed Date": "closed", "Lead Attorney": "staff", "Billing Contact": "client", "Case Stage": "stage",
            }),
            "time_entries.csv": ("time", {"Case Number": "number", "Date": "date", "User": "staff", "Activity": "category", "Description": "work", "Duration": "hours", "Rate": "rate", "Nonbillable": "no"}),
            "case_notes.csv": ("notes", {"Case Number": "number", "Date": "date", "Subject": "subject", "Note": "note", "Created By": "staff"}),
        },
    ),
    "practicepanther": (
        Style(client="{first} {last}", number=lambda n: f"{1000 + n}"),
        {
            "contacts.csv": ("contacts", {
                "Display Name": "client", "Number": "id", "CompanyName": "company", "First Name": "first", "Last Name": "last", "Email": "email", "Home": "phone",
                "Mobile": "mobile", "ContactNotes": "remark", "AssignedTo": "staff", "Tags": "group",
            }),
            "matters.csv": ("matters", {"Contact": "client", "Name": "description", "Number": "number", "Status": "status", "Assigned To": "staff", "Open Date": "opened", "Close Date": "closed", "Matter Tags": "group"}),
            "time.csv": ("time", {"Date": "date", "Matter": "number", "Billed By": "staff", "Item": "category", "Description": "work", "Hours": "hours", "Rate": "rate", "Total": "amount"}),
        },
    ),
    "smokeball": (
        Style(day="%Y-%m-%d", hours=lambda h: f"{h * 60:.0f}", client="{id}"),
        {
            "SB-ContactImport.csv": ("contacts", {
                "External ID": "id", "Title": "title", "First Name": "first", "Last Name": "last", "Company Name": "company", "Email": "email", "Phone": "phone",
                "Mobile": "mobile", "Street": "street", "City": "city", "State": "state", "Zip Code": "zip", "Birth Date": "birth",
            }),
            "SB-MatterImport.csv": ("matters", {
                "Matter Number / Reference": "number", "Matter Type": "type", "Description": "description", "Status": "status", "Client ID": "client",
                "Person Responsible": "staff", "Person Assisting": "staff", "Opened Date": "opened", "Closed Date": "closed", "Is Lead": "no",
            }),
            "SB-ActivityImport.csv": ("time", {"Fee Date": "date", "Matter Number / Reference": "number", "Staff": "staff", "Duration": "hours", "Rate": "rate", "Description": "work"}),
            "SB-MemoImport.csv": ("notes", {"Matter Number / Reference": "number", "Date": "date", "Title": "subject", "Plain Text": "note"}),
        },
    ),
    "actionstep": (
        Style(day="%Y-%m-%d", status=("Active", "Closed"), client="{first} {last}", number=lambda n: f"A{n:05d}"),
        {
            "Contacts.csv": ("contacts", {
                "Participant ID": "id", "Display Name": "client", "Is Company": "flag", "First Name": "first", "Last Name": "last", "Company Name": "company",
                "Email": "email", "Phone": "phone", "Mobile": "mobile", "Street": "street", "City": "city", "State": "state", "Postcode": "zip",
            }),
            "Matters.csv": ("matters", {
                "Matter Identifier": "number", "Matter Type": "type", "Matter Name": "description", "Date Created": "opened", "Date Closed": "closed",
                "Assigned to": "staff", "Status": "status", "Step tree node": "stage", "Primary Participant": "client",
            }),
            "Time Entries.csv": ("time", {"Date": "date", "Matter Identifier": "number", "Timekeeper": "staff", "Description": "work", "Hours": "hours", "Rate": "rate", "Amount": "amount"}),
            "File Notes.csv": ("notes", {"Date": "date", "Matter Identifier": "number", "Note": "note", "Author": "staff"}),
        },
    ),
    "tabs3": (
        Style(day="%m/%d/%Y", number=lambda n: f"{100 + n}.01", client="{last}, {first}"),
        {
            "clients.csv": ("matters_with_card", {
                "Client ID": "number", "Name Search": "client", "Work Description": "description", "Primary Timekeeper": "staff", "Originating Timekeeper": "staff",
                "Date Opened": "opened", "Date Closed": "closed", "Secondary Timekeeper": "staff", "Location": "city",
            }),
            "contacts.csv": ("contacts", {"Full Name": "client", "First Name": "first", "Last Name": "last", "Company": "company", "Email": "email", "Home Phone": "phone", "Mobile Phone": "mobile"}),
            "fees.csv": ("time", {"Date": "date", "Client ID": "number", "Tmkr": "staff", "Tcode": "category", "Description": "work", "Hours": "hours", "Rate": "rate", "Amount": "amount", "Bill Code": "zero"}),
        },
    ),
    "amicus": (
        Style(client="{first} {last}", number=lambda n: f"{n:03d}/1", status=("Active", "Closed")),
        {
            "contacts.csv": ("contacts", {
                "Import Contact ID": "id", "First Name": "first", "Last Name": "last", "Company Name": "company", "Is Corporation": "flag", "Email": "email",
                "Business Phone": "phone", "Mobile Phone": "mobile", "Address": "street", "City": "city", "State": "state", "Zip": "zip",
            }),
            "files.csv": ("matters", {
                "Client Matter ID": "number", "File Name": "description", "File Type": "type", "Responsible Lawyer": "staff", "Status": "status", "Client": "client",
                "Opened Date": "opened", "Closed Date": "closed", "Billing Rate Label": "zero",
            }),
            "associations.csv": ("parties", {"Client Matter ID": "number", "Individual Name": "client", "Contact Role": "role"}),
        },
    ),
    "abacuslaw": (
        Style(day="%m/%d/%y", staff=1, client="{last}, {first}", number=lambda n: f"C{n:05d}", encoding="cp1252"),
        {
            "names.csv": ("contacts", {"Last": "last", "First": "first", "Company": "company", "Dear": "first", "Email": "email", "Home Phone": "phone", "Cell Phone": "mobile", "Address": "street", "City": "city", "State": "state", "Zip": "zip"}),
            "matters.csv": ("matters", {"CASENUM": "number", "Matter": "description", "Case Code": "type", "Attorney": "staff", "Opened": "opened", "Closed": "closed", "Court Case #": "court", "Client": "client"}),
            "notes.csv": ("notes", {"CASENUM": "number", "Date": "date", "Note": "note"}),
            "links.csv": ("parties", {"CASENUM": "number", "Linked Name": "client", "Link Type": "role"}),
        },
    ),
    "rocketmatter": (
        Style(client="{last}, {first}", number=lambda n: f"RM-{n:03d}"),
        {
            "Clients.csv": ("contacts", {
                "Client Identification Number": "id", "Salutation": "title", "Display Client As": "client", "First Name": "first", "Last Name": "last",
                "Organization Name": "company", "Email": "email", "Phone": "phone", "Mobile": "mobile", "Set as Client": "yes", "Contact Title": "job",
            }),
            "Matters.csv": ("matters", {"Matter File #": "number", "Date Opened": "opened", "Client": "client", "Matter Name": "description", "Matter Owner": "staff", "Area of Law": "type", "Status": "status", "Billing Method": "method"}),
            "Time.csv": ("time", {"Date": "date", "Matter File #": "number", "User": "staff", "Description": "work", "Hours": "hours", "Rate": "rate", "Billing-Type": "billable"}),
            "Trust.csv": ("trust", {"Matter File #": "number", "Client": "client", "Trust Ledger Balance": "balance", "Cleared": "balance"}),
        },
    ),
    "pclaw": (
        Style(day="%m/%d/%Y", staff=1, client="{last}, {first}", number=lambda n: f"{1000 + n}-001", encoding="cp1252"),
        {
            "contacts.csv": ("contacts", {"Client Name": "client", "First Name": "first", "Last Name": "last", "Company": "company", "Email": "email", "Home Phone": "phone", "Cell": "mobile"}),
            "matters.csv": ("matters", {"Matter #": "number", "Client": "client", "Description": "description", "Resp Lawyer": "staff", "Date Opened": "opened", "Type of Law": "type", "Last Billed": "blank", "Gen Rtnr": "zero"}),
            "time listing.csv": ("time", {"Date": "date", "Matter": "number", "Lawyer": "staff", "Explanation Code": "category", "Explanation": "work", "Hours": "hours", "Rate": "rate", "Amount": "amount"}),
        },
    ),
    "timematters": (
        Style(staff=1, client="{first} {last}", number=lambda n: f"TM{n:04d}"),
        {
            "contacts.csv": ("contacts", {"Code": "id", "Full Name": "client", "First Name": "first", "Last Name": "last", "Company": "company", "Email": "email", "Home Phone": "phone", "Mobile": "mobile", "Classification Code": "group"}),
            "matters.csv": ("matters", {"Matter No": "number", "Matter Description": "description", "Client": "client", "Staff": "staff", "Opened": "opened", "Closed": "closed", "Status": "status", "Classification Code": "type"}),
            "notes.csv": ("notes", {"Matter No": "number", "Date": "date", "Regarding": "subject", "Memo": "note", "Staff": "staff"}),
        },
    ),
    "needles": (
        Style(staff=1, client="{last}, {first}", number=lambda n: f"{200000 + n}", encoding="cp1252"),
        {
            "names.csv": ("contacts", {"First Name": "first", "Last Name": "last", "Company": "company", "Email": "email", "Home Phone": "phone", "Cell Phone": "mobile", "Date of Birth": "birth", "Address": "street", "City": "city", "State": "state", "Zip": "zip"}),
            "cases.csv": ("matters", {"Case Number": "number", "Case Type": "type", "Description": "description", "Date Opened": "opened", "Date Closed": "closed", "Date of Incident": "incident", "Staff 1": "staff", "Client": "client", "Case Class": "group"}),
            "parties.csv": ("parties", {"Case Number": "number", "Party Name": "client", "Party Role": "role"}),
        },
    ),
    "filevine": (
        Style(day="%Y-%m-%d", client="{first} {last}", number=lambda n: f"PI-24-{n:03d}"),
        {
            "contacts.csv": ("contacts", {"ContactExternalID": "id", "Name": "client", "First Name": "first", "Last Name": "last", "Company": "company", "Email": "email", "Phone": "phone", "Mobile": "mobile"}),
            "projects.csv": ("matters", {"Project Number": "number", "Project Name": "description", "Project Type": "type", "Phase Name": "stage", "Created Date": "opened", "First Primary": "staff", "Client": "client", "Incident Date": "incident"}),
            "project notes.csv": ("notes", {"Project Number": "number", "Date": "date", "Note": "note", "Author": "staff"}),
        },
    ),
    "quickbooks": (
        Style(client="{last}, {first}"),
        {
            "customers.csv": ("customers_and_jobs", {"Customer full name": "client", "First name": "first", "Last name": "last", "Company": "company", "Email": "email", "Phone": "phone", "Street": "street", "City": "city", "State": "state", "ZIP": "zip", "Bill with Parent": "flag", "Terms": "blank"}),
            "matters.csv": ("matters", {"Matter Number": "number", "Matter Description": "description", "Client": "client", "Status": "status", "Opened": "opened"}),
            "open invoices.csv": ("invoices", {"Date": "date", "Transaction Type": "entry", "Num": "id", "Customer": "client", "Due Date": "due", "Open Balance": "balance"}),
            "time.csv": ("jobs_time", {"Date": "date", "Customer": "client", "Employee": "staff", "Description": "work", "Hours": "hours", "Rate": "rate", "Amount": "amount"}),
        },
    ),
}  # fmt: skip
SOURCES["cosmolex"] = SOURCES["rocketmatter"]


class Firm:
    """The people and matters of one small firm, as rows of values that every layout can name."""

    def __init__(self, style: Style, people: int, matters: int) -> None:
        self._style = style
        self.contacts = [self._contact(n) for n in range(people)]
        self.matters = [self._matter(n) for n in range(matters)]
        self.rows: dict[str, list[Row]] = {
            "contacts": self.contacts, "people": [c for c in self.contacts if c["first"]], "companies": [c for c in self.contacts if not c["first"]],
            "matters": self.matters, "matters_with_card": self.matters, "time": [self._time(n) for n in range(matters * 2)],
            "notes": [self._note(n) for n in range(matters)], "tasks": [self._task(n) for n in range(max(2, matters // 2))],
            "customers_and_jobs": [*self.contacts, *(self._job(m) for m in self.matters)], "invoices": [self._invoice(n) for n in range(0, matters, 2)],
            "jobs_time": [self._time(n) | {"client": self._below(self.matters[n % matters])} for n in range(matters * 2)],
            "parties": [self._party(n) for n in range(max(2, matters // 2))], "trust": [self._trust(n) for n in range(0, matters, 2)],
        }  # fmt: skip

    def _contact(self, n: int) -> Row:
        company = n % 4 == 3
        first, last = ("", "") if company else (FIRST[(n * 5 + 2) % len(FIRST)], LAST[(n * 7 + 1) % len(LAST)])
        name = f"{LAST[n % len(LAST)]} {TRADES[n % len(TRADES)]} LLC" if company else ""
        city, state, code = CITIES[n % len(CITIES)]
        shown = name or self._style.client.format(first=first, last=last, id=f"N{n:04d}")
        handle = (last or TRADES[n % len(TRADES)]).lower().replace("'", "").encode("ascii", "ignore").decode()
        return {
            "id": f"N{n:04d}", "title": "" if company else ("Ms", "Mr", "Dr")[n % 3], "first": first, "last": last, "company": name, "client": shown,
            "email": f"{handle}.{n}@mail.example", "phone": f"(603) 555-{100 + n:04d}", "mobile": "" if n % 3 else f"603-555-{300 + n:04d}",
            "street": f"{n + 1} {STREETS[n % len(STREETS)]}", "city": city, "state": state, "zip": code, "group": ("Client", "Lead")[n % 2],
            "birth": "" if company else self._day(date(1960, 2, 3) + timedelta(days=411 * n)), "remark": "Prefers mail" if n % 5 == 0 else "",
            "person_or_company": "Company" if company else "Person", "flag": "T" if company else "F", "job": "Director" if n % 6 == 1 else "",
            "staff": self._who(n), "balance": f"{125.5 * n:.2f}", **self._plain(),
        }  # fmt: skip

    def _matter(self, n: int) -> Row:
        client, opened = self.contacts[n % len(self.contacts)], _BEGIN + timedelta(days=17 * n)
        closed = n % 4 == 1
        return {
            "number": self._style.number(n + 1), "description": f"{TYPES[n % len(TYPES)]} for {client['last'] or client['company']}", "client": client["id"] if self._style.client == "{id}" else client["client"],
            "status": self._style.status[closed], "type": TYPES[n % len(TYPES)], "staff": self._who(n), "opened": self._day(opened),
            "closed": self._day(opened + timedelta(days=120)) if closed else "", "stage": "Discovery" if n % 3 == 0 else "Open", "court": f"CV-{n:04d}",
            "incident": self._day(opened - timedelta(days=30)), "city": "Concord", "group": "A", "method": "Hourly", **self._plain(),
        }  # fmt: skip

    def _time(self, n: int) -> Row:
        hours, rate = (1 + n % 9) / 10 * 2, 180 + 20 * (n % 4)
        return {
            "date": self._day(_BEGIN + timedelta(days=200 + 3 * n)), "number": self._number(n), "staff": self._who(n), "hours": self._style.hours(hours),
            "rate": f"{rate:.2f}", "amount": f"{hours * rate:.2f}", "work": f"{WORK[n % len(WORK)]}, part {n}", "category": ("Call", "Draft", "Review")[n % 3],
            "entry": "TimeEntry", "billable": "Billable", **self._plain(),
        }  # fmt: skip

    def _note(self, n: int) -> Row:
        return {"date": self._day(_BEGIN + timedelta(days=210 + n)), "number": self._number(n), "staff": self._who(n), "subject": f"Call {n}", "note": f'Client called; said "wait", then agreed.\nNext step {n}.', **self._plain()}

    def _task(self, n: int) -> Row:
        return {"task": f"File motion {n}", "number": self._number(n), "staff": self._who(n), "due": self._day(date(2024, 6, 20) + timedelta(days=n)), "state": ("Pending", "Complete")[n % 2], "priority": ("Normal", "High")[n % 2], **self._plain()}

    def _party(self, n: int) -> Row:
        person = next(c for c in self.contacts[(n + 1) % len(self.contacts) :] + self.contacts if c["first"])
        return {"number": self._number(n), "client": person["client"], "role": ("Witness", "Opposing Party")[n % 2], **self._plain()}

    def _trust(self, n: int) -> Row:
        matter = self.matters[n]
        return {"number": matter["number"], "client": matter["client"], "balance": f"{310.25 + 17 * n:.2f}", **self._plain()}

    def _below(self, matter: Row) -> str:
        """A matter as a customer below a customer."""
        return f"{matter['client']}:{matter['number']}"

    def _job(self, matter: Row) -> Row:
        return dict.fromkeys(self.contacts[0], "") | {"client": self._below(matter), "flag": "T"}

    def _invoice(self, n: int) -> Row:
        return {
            "date": self._day(date(2024, 4, 30) - timedelta(days=n)), "entry": "Invoice", "id": f"{1040 + n}", "client": self._below(self.matters[n]),
            "due": self._day(date(2024, 5, 30) - timedelta(days=n)), "balance": f"{210.5 + 35 * n:.2f}",
        }  # fmt: skip

    def _plain(self) -> Row:
        return {"yes": self._style.yes[0], "no": self._style.yes[1], "zero": "0", "blank": ""}

    def _number(self, n: int) -> str:
        return str(self.matters[n % len(self.matters)]["number"])

    def _who(self, n: int) -> str:
        return STAFF[n % len(STAFF)][self._style.staff]

    def _day(self, day: date) -> str:
        return day.strftime(self._style.day)


MOVES: dict[str, tuple[str, tuple[str, ...]]] = {
    "advisers": ("clio", ("wealthbox", "redtail", "salesforce_fsc", "us_tech_automations")),
    "growth": ("mycase", ("hubspot", "quickbooks_online", "mailchimp", "generic_crm")),
    "formats": ("clio", ("vcard", "vcard3", "icalendar", "neutral")),
}
"""Firms that leave for several systems at once: where they come from, and where they go."""


def move(name: str) -> dict[str, bytes]:
    """The files of a firm that feeds several targets; with a calendar, and with what each contact said about e-mail."""
    source, targets = MOVES[name]
    files = export(source, "solo")
    people = list(csv.reader(io.StringIO(files["contacts.csv"].decode(), newline="")))
    said = ["Email Consent", *(("Yes", "No", "", "Yes", "Yes", "No")[n % 6] for n in range(len(people) - 1))]
    files["contacts.csv"] = _csv([*people[0], said[0]], [[*row, word] for row, word in zip(people[1:], said[1:], strict=True)], SOURCES[source][0], semicolons=False)
    files["calendar.ics"] = _CALENDAR.replace("\n", "\r\n").encode()
    choices = json.loads(files["migration.json"]) | {"target": targets[0], "also": list(targets[1:]), "time_zone": "America/New_York", "firm_name": f"Harbour {name.title()} (made up)"}
    if "salesforce_fsc" in targets:
        choices["rules"] = {"targets": {"salesforce_fsc": {"files": {file: {"columns": {"RecordTypeId": {"value": made_up}}} for file, made_up in _RECORD_TYPES.items()}}}}
    return files | {"migration.json": (json.dumps(choices, indent=1) + "\n").encode()}


_RECORD_TYPES = {"business_accounts": "0120000000MadeUpA1", "person_accounts": "0120000000MadeUpA2"}
_CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//made up//EN
BEGIN:VEVENT
UID:hearing-1
DTSTAMP:20240501T120000Z
SUMMARY:Hearing, room 2; bring "the file"
DTSTART;TZID=America/New_York:20240612T093000
DTEND;TZID=America/New_York:20240612T110000
LOCATION:Concord
ORGANIZER;CN=Jane Doe:mailto:jane@harbour.example
END:VEVENT
BEGIN:VEVENT
UID:holiday-1
DTSTAMP:20240501T120000Z
SUMMARY:Office closed
DTSTART;VALUE=DATE:20240704
DTEND;VALUE=DATE:20240706
ORGANIZER;CN=Richard Roe:mailto:richard@harbour.example
END:VEVENT
BEGIN:VEVENT
UID:weekly-1
DTSTAMP:20240501T120000Z
SUMMARY:Docket meeting
DTSTART;TZID=America/New_York:20240603T083000
DTEND;TZID=America/New_York:20240603T090000
RRULE:FREQ=WEEKLY;BYDAY=MO
EXDATE;TZID=America/New_York:20240701T083000
ORGANIZER;CN=Jane Doe:mailto:jane@harbour.example
END:VEVENT
END:VCALENDAR
"""


def export(source: str, case: str) -> dict[str, bytes]:
    """The files of one made-up firm."""
    style, layout = SOURCES[source]
    worn = case == "partners"
    firm = Firm(style, 13 if worn else 6, 9 if worn else 5)
    files = {}
    for place, (name, (rows, columns)) in enumerate(layout.items()):
        header, table = list(columns), [[row[key] for key in columns.values()] for row in firm.rows[rows]]
        if worn and place == 0:
            header, table = [*header, "Loyalty Card"], [[*row, f"L{n}" if n % 3 == 0 else ""] for n, row in enumerate(table)]
        if worn:
            header, table = header[::-1], [row[::-1] for row in table]
        if worn and place == 1:
            files[name.replace(".csv", ".xlsx")] = _book(header, table)
        else:
            files[name] = _csv(header, table, style, semicolons=worn and place == 2)
    choices = {
        "source": source, "target": "clio", "region": "us", "firm_name": f"{'Harbour Partners' if worn else 'Harbour Solo'} (made up)", "account_owner": True,
        "users": [{"name": name, "email": email, "aliases": [initials]} for name, initials, email, _ in STAFF], "primary_subscriber": STAFF[0][2],
        "cut_off": "2024-05-31", "options": {"dates": "mdy"},
    }  # fmt: skip
    return files | {"migration.json": (json.dumps(choices, indent=1) + "\n").encode()}


def _csv(header: list[str], rows: list[list[str]], style: Style, *, semicolons: bool) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";" if semicolons else ",", lineterminator=style.line_end)
    writer.writerows([header, *rows])
    return out.getvalue().encode(style.encoding, "replace")


def _book(header: list[str], rows: list[list[str]]) -> bytes:
    """As a person saves it: a title above the list, and the list as text."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime(2024, 5, 31)})
        sheet = book.add_worksheet("Export")
        sheet.write_string(0, 0, "Exported for the move")
        for number, row in enumerate([header, *rows], 2):
            for place, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, place, cell)
    return buffer.getvalue()


def write(folder: str, files: dict[str, bytes]) -> Path:
    place = HERE / folder / "export"
    place.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


if __name__ == "__main__":
    for chosen in sys.argv[1:] or sorted(SOURCES):
        for kind in ("solo", "partners"):
            print(write(f"{chosen}-{kind}", export(chosen, kind)))
    for chosen in () if sys.argv[1:] else sorted(MOVES):
        print(write(f"to-{chosen}", move(chosen)))
