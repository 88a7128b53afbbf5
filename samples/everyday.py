"""Make small exports of what every firm also has: mail, address books, calendars, dBase tables, each in its program's own quirks.

Usage: python -m samples.everyday

Writes `samples/<case>/export`; what each must end in lies beside it and is agreed by a person (tests/test_golden.py). Everything is
invented, and the same call gives the same bytes.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from samples import dbase, outlook
from samples.sources import STAFF, Firm, Style, _csv, write

_STYLE = Style()
_JANE, _ROE = (f"{name} <{email}>" for name, _, email, _ in STAFF)


def _base(name: str, people: int, matters: int, **options: object) -> dict[str, bytes]:
    """The firm's cards and matters, and what it chose."""
    firm = Firm(_STYLE, people, matters)
    cards = {"Card Name": "client", "First Name": "first", "Last Name": "last", "Organisation": "company", "Email": "email", "Mobile": "mobile"}
    listed = {"Matter No": "number", "Description": "description", "Client": "client", "Status": "status", "Open Date": "opened", "Close Date": "closed", "Person Responsible": "staff"}
    choices = {
        "source": "leap", "target": "clio", "region": "us", "firm_name": f"{name} (made up)", "account_owner": True,
        "users": [{"name": who, "email": email, "aliases": [initials]} for who, initials, email, _ in STAFF], "primary_subscriber": STAFF[0][2],
        "cut_off": "2024-05-31", "time_zone": "America/New_York", "options": {"dates": "mdy", **options},
    }  # fmt: skip
    return {
        "cards.csv": _csv(list(cards), [[row[key] for key in cards.values()] for row in firm.contacts], _STYLE, semicolons=False),
        "matters.csv": _csv(list(listed), [[row[key] for key in listed.values()] for row in firm.matters], _STYLE, semicolons=False),
        "migration.json": (json.dumps(choices, indent=1) + "\n").encode(),
    }  # fmt: skip


def _letter(sender: str, to: str, subject: str, date: str, body: str, *headers: str) -> str:
    return "\n".join([*headers, f"From: {sender}", f"To: {to}", f"Subject: {subject}", *([f"Date: {date}"] if date else []), "", body, ""])


def _box(*letters: str, front: str = "From - Fri May 31 18:05:09 2024") -> str:
    return "".join(f"{front}\n{letter}\n" for letter in letters)


def _parts(kind: str, cut: str, *parts: str) -> tuple[str, str]:
    """The headers and the body of a message of several parts."""
    return f'MIME-Version: 1.0\nContent-Type: {kind}; boundary="{cut}"', "".join(f"--{cut}\n{part}\n" for part in parts) + f"--{cut}--"


_DEED = "Content-Type: application/pdf; name=\"Deed of trust.pdf\"\nContent-Disposition: attachment; filename=\"Deed of trust.pdf\"\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjcgbWFkZSB1cA=="


def mail_solo() -> dict[str, bytes]:
    """Thunderbird's folders, which are mailboxes without an ending, and letters saved by hand from other programs."""
    mozilla = "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys:"
    mixed, with_deed = _parts("multipart/mixed", "------------0401", "Content-Type: text/plain; charset=UTF-8; format=flowed\n\nThe deed is attached, as we \nagreed on the telephone.\n\n-- \nJane", _DEED)
    page, alternative = _parts(
        "multipart/alternative", "=_b1", "Content-Type: text/html; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\n<html><head><style>p{}</style></head><body><p>Dear Jane,</p><p>we met at the caf=E9 =96 see you=\n.</p><table><tr><td>Fee</td><td>350.00</td></tr></table></body></html>"
    )
    inner = _letter("third@party.example", _JANE, "Survey", "Sat, 1 Jun 2024 10:00:00 +0100", "The survey, as promised.")
    forward, forwarded = _parts("multipart/mixed", "fw", "Content-Type: text/plain\n\nSee below.", f"Content-Type: message/rfc822; name=\"Survey.eml\"\nContent-Disposition: attachment; filename=\"Survey.eml\"\n\n{inner}")
    inbox = _box(
        _letter('"Smith, John" <JOHN@mail.example>', _JANE, "Re: offer [24-0001]", "Fri, 31 May 2024 18:05:09 -0400", ">From the start we said no.\nFrom then on, nothing.\n>>From deeper still.", mozilla),
        _letter("=?iso-8859-1?Q?J=F6rg_M=FCller?= <j.mueller@kanzlei.example>", f"{_JANE}, {_ROE}", "=?UTF-8?B?S8O8bmRpZ3VuZyBkZXMgTWlldHZlcnRyYWdz?=", "Mon, 3 Jun 2024 09:12:00 +0200", "Guten Tag", mozilla, "Cc: undisclosed-recipients:;"),
        _letter("office@bright.example", _JANE, "Met today", "Mon, 3 Jun 2024 10:00:00 +0000", alternative, mozilla, page),
        _letter("scanner@harbour.example", _JANE, "no day", "", "Scan attached on the server.", mozilla, "Received: from scanner by mail.harbour.example; Mon, 3 Jun 2024 11:00:00 -0400"),
    )  # fmt: skip
    sent = _box(
        _letter(_JANE, "john@mail.example", "Deed", "Mon, 3 Jun 2024 12:00:00 -0400", with_deed, mozilla, "Bcc: richard@harbour.example", mixed),
        _letter(_JANE, "john@mail.example", "Fwd: Survey", "Mon, 3 Jun 2024 12:30:00 -0400", forwarded, mozilla, forward),
    )
    lease = _box(_letter("landlord@mail.example", _JANE, "Keys", "Tue, 4 Jun 2024 08:00:00 -0400", "Keys are with the porter.", mozilla))
    winmail, packed = _parts("multipart/mixed", "tnef", "Content-Type: text/plain\n\nThe draft.", "Content-Type: application/ms-tnef; name=\"winmail.dat\"\nContent-Disposition: attachment; filename=\"winmail.dat\"\nContent-Transfer-Encoding: base64\n\neJ8+IgAA")
    saved = {
        "Letters/draft.eml": _letter("bob@court.example", _JANE, "Draft order", "Tue, 4 Jun 2024 09:00:00 -0400", packed, winmail).replace("\n", "\r\n").encode(),
        "Letters/old.eml": "From: José <jose@mail.example>\r\nTo: jane@harbour.example\r\nSubject: Reçu\r\nDate: 3 Jan 98 10:00 EST\r\n\r\nÀ bientôt\r\n".encode("cp1252"),
    }  # fmt: skip
    return _base("Harbour Mail", 6, 4, documents=True) | {"Mail/Inbox": inbox.encode(), "Mail/Sent": sent.encode(), "Mail/24-0003 Lease": lease.encode()} | saved


def mail_partners() -> dict[str, bytes]:
    """Google's Takeout, one mailbox for all whose folders are labels; and messages dragged out of Outlook into folders of matters."""
    takeout = _box(
        _letter("ann@okafor.example", _ROE, "Lease", "Sat, 1 Jun 2024 00:00:00 +0000", "Signed.", "X-GM-THRID: 1800000000000000001", "X-Gmail-Labels: =?UTF-8?Q?Wichtig,24-0002_B=C3=BCrohaus,Inbox?="),
        _letter("news@vendor.example", _ROE, "Newsletter", "Sat, 1 Jun 2024 01:00:00 +0000", "Buy now.", "X-GM-THRID: 1800000000000000002", "X-Gmail-Labels: Spam"),
        front="From 1800000000000000001@xxx Sat Jun 01 00:00:00 +0000 2024",
    )
    sent = datetime(2024, 6, 3, 13, 0, 5, tzinfo=UTC)
    o = outlook
    inner = o.tree({o.CLASS: "IPM.Note", o.SUBJECT: "Plan", o.BODY: "The plan.", o.SENDER: "Third", o.SENDER_ADDRESS: "t@party.example"}, files=[{o.DATA: b"GIF89a plan", o.LONG_NAME: "plan.gif", o.METHOD: 1}], is_inner=True)
    exchange = o.message(
        {o.CLASS: "IPM.Note", o.SUBJECT: "Offer", o.BODY: "Dear John,\r\nplease find the offer.\r\n", o.SENDER: "Jane Doe", o.SENDER_TYPE: "EX", o.SENDER_ADDRESS: "/O=HARBOUR/OU=EXCHANGE/CN=RECIPIENTS/CN=JDOE",
         o.SENDER_SMTP: "jane@harbour.example", o.SENT: sent},
        [{o.SHOWN: "John Smith", o.ADDRESS_TYPE: "SMTP", o.ADDRESS: "john@mail.example", o.ROLE: o.TO}, {o.SHOWN: "Richard Roe", o.ADDRESS: "/O=HARBOUR/CN=RROE", o.SMTP: "richard@harbour.example", o.ROLE: o.CC},
         {o.SHOWN: "File", o.ADDRESS: "file@harbour.example", o.ROLE: o.BCC}],
        [{o.DATA: b"%PDF-1.7 " + bytes(5000), o.LONG_NAME: "Offer, signed.pdf", o.SHORT_NAME: "OFFERS~1.PDF", o.METHOD: 1}, {o.DATA: inner, o.SHOWN: "Plan", o.METHOD: 5}],
    )  # fmt: skip
    headers = "From: =?iso-8859-1?Q?J=F6rg?= <joerg@kanzlei.example>\r\nTo: jane@harbour.example\r\nDate: Mon, 3 Jun 2024 16:00:05 +0200\r\nMessage-ID: <1@kanzlei.example>\r\n\r\n"
    old = o.message({o.CLASS: "IPM.Note", o.SUBJECT: "Kündigung", o.BODY: "Mit freundlichen Grüßen", o.CODE_PAGE: 1252, o.SENT: sent, o.HEADERS: headers}, [{o.SHOWN: "Jane Doe", o.ADDRESS: "jane@harbour.example", o.ROLE: o.TO}], encoding="cp1252")
    meeting = o.message({o.CLASS: "IPM.Appointment", o.SUBJECT: "Site visit", o.BODY: "Bring boots.", o.SENDER: "Jane Doe", o.SENDER_ADDRESS: "jane@harbour.example"})
    damaged = exchange[:3000]
    return _base("Harbour Mail Partners", 9, 6, documents=True) | {
        "Takeout/Mail/All mail Including Spam and Trash.mbox": takeout.replace("\n", "\r\n").encode(),
        "Outlook/24-0001 Sale/Offer.msg": exchange, "Outlook/24-0001 Sale/Kuendigung.msg": old, "Outlook/24-0004/Site visit.msg": meeting, "Outlook/24-0004/Broken.msg": damaged,
    }  # fmt: skip


_ICLOUD = r"""BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iCloud Web Address Book 2117B3//EN
N:Okafor;Ann;;Ms.;
FN:Ms. Ann Okafor
item1.EMAIL;type=INTERNET;type=pref:ann@okafor.example
item1.X-ABLabel:Assistant
TEL;type=CELL;type=VOICE;type=pref:603-555-0177
item2.ADR;type=HOME:;;12 Elm Street\nSuite 4;Concord;NH;03301;United States
item2.X-ABADR:us
BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15
item3.X-ABDATE;type=pref:2001-09-08
item3.X-ABLabel:_$!<Anniversary>!$_
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwME
 AwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT
UID:0A1B2C3D-0001
END:VCARD
BEGIN:VCARD
VERSION:3.0
N:;;;;
FN:Bright Bakery LLC
ORG:Bright Bakery LLC;
X-ABShowAs:COMPANY
TEL;type=WORK;type=VOICE:603.555.0119
UID:0A1B2C3D-0002
END:VCARD
BEGIN:VCARD
VERSION:3.0
N:Executors
FN:Executors
X-ADDRESSBOOKSERVER-KIND:group
X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:0A1B2C3D-0001
X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:0A1B2C3D-0002
END:VCARD
"""
_TELEPHONE = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Pe=C3=B1a;Luis;;Dr;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Dr Luis Pe=C3=B1a
TEL;CELL;PREF:+16035550102
TEL;HOME;VOICE:+16035550103
NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Prefers calls=2C never before ten=0D=0A=
and no letters
BDAY:--0307
PHOTO;ENCODING=BASE64;JPEG:
 /9j/4AAQSkZJRgABAQAAAQABAAD/

END:VCARD
BEGIN:VCARD
VERSION:2.1
N:;Taxi Concord;;;
TEL;X-Custom(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,Zentrale):603 555 0999
END:VCARD
"""
_EXCHANGE = r"""BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:PUBLISH
X-WR-CALNAME:Jane Doe
BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16011104T020000
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010311T020000
RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
CLASS:PUBLIC
UID:040000008200E00074C5B7101A82E00800000001
SUMMARY;LANGUAGE=en-us:24-0001 - Status conference
DTSTART;TZID="Customized Time Zone":20240610T090000
DTEND;TZID="Customized Time Zone":20240610T093000
RRULE:FREQ=WEEKLY;COUNT=10;BYDAY=MO
ORGANIZER;CN="Jane Doe":mailto:jane@harbour.example
TRANSP:OPAQUE
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E00800000001
RECURRENCE-ID;TZID="Customized Time Zone";RANGE=THISANDFUTURE:20240708T090000
SUMMARY;LANGUAGE=en-us:24-0001 - Status conference (moved)
DTSTART;TZID="Customized Time Zone":20240708T140000
DTEND;TZID="Customized Time Zone":20240708T143000
ORGANIZER;CN="Jane Doe":mailto:jane@harbour.example
END:VEVENT
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E00800000002
SUMMARY:Deposition Mr. Smith
CATEGORIES:Deposition,24-0002
DTSTART:20240612T133000Z
DURATION:PT1H30M
ORGANIZER;CN="Richard Roe":mailto:richard@harbour.example
END:VEVENT
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E00800000003
SUMMARY:Gym
DTSTART:20240613T070000
DTEND:20240613T080000
RRULE:FREQ=FORTNIGHTLY
ORGANIZER;CN="Richard Roe":mailto:richard@harbour.example
END:VEVENT
BEGIN:VTODO
UID:todo-1
SUMMARY:24-0001 - serve the answer
DUE;VALUE=DATE:20240620
PRIORITY:1
STATUS:NEEDS-ACTION
ORGANIZER;CN="Jane Doe":mailto:jane@harbour.example
END:VTODO
END:VCALENDAR
"""
_REMINDERS = r"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Apple Inc.//macOS 14.5//EN
BEGIN:VTODO
UID:5D3C-1
SUMMARY:Call Ann back
DESCRIPTION:after four
DUE;TZID=America/New_York:20240603T170000
COMPLETED:20240603T210500Z
PERCENT-COMPLETE:100
PRIORITY:5
X-APPLE-SORT-ORDER:1
END:VTODO
BEGIN:VTODO
UID:5D3C-2
SUMMARY:Renew parking
DUE:20240701T040000Z
RRULE:FREQ=YEARLY
STATUS:NEEDS-ACTION
END:VTODO
BEGIN:VTODO
UID:5D3C-3
SUMMARY:Old idea
STATUS:CANCELLED
END:VTODO
END:VCALENDAR
"""
_GOOGLE_BEFORE = (
    "Name", "Given Name", "Additional Name", "Family Name", "Yomi Name", "Given Name Yomi", "Additional Name Yomi", "Family Name Yomi", "Name Prefix", "Name Suffix", "Initials", "Nickname",
    "Short Name", "Maiden Name", "Birthday", "Gender", "Location", "Billing Information", "Directory Server", "Mileage", "Occupation", "Hobby", "Sensitivity", "Priority", "Subject", "Notes", "Language",
    "Photo", "Group Membership", "E-mail 1 - Type", "E-mail 1 - Value", "E-mail 2 - Type", "E-mail 2 - Value", "Phone 1 - Type", "Phone 1 - Value", "Organization 1 - Type", "Organization 1 - Name",
    "Organization 1 - Title", "Website 1 - Type", "Website 1 - Value",
)  # fmt: skip
_OUTLOOK = (
    "Title", "First Name", "Middle Name", "Last Name", "Suffix", "Company", "Department", "Job Title", "Business Street", "Business Street 2", "Business City", "Business State", "Business Postal Code",
    "Business Country/Region", "Home Street", "Home City", "Home State", "Home Postal Code", "Home Country/Region", "Assistant's Phone", "Business Fax", "Business Phone", "Home Phone", "Mobile Phone",
    "Other Phone", "Anniversary", "Assistant's Name", "Birthday", "Categories", "E-mail Address", "E-mail Type", "E-mail Display Name", "Gender", "Notes", "Priority", "Private", "Referred By", "Sensitivity",
    "Spouse", "Web Page",
)  # fmt: skip


def address_books_partners() -> dict[str, bytes]:
    """Cards of a telephone and of iCloud, Google's list as it was until 2024, Outlook's in the encoding of Windows, calendars of Exchange and of Apple."""
    google = [
        {"Name": "Eve Rossi", "Given Name": "Eve", "Family Name": "Rossi", "Birthday": "--05-09", "Group Membership": "* myContacts ::: Clients", "E-mail 1 - Type": "* Home", "E-mail 1 - Value": "eve@rossi.example",
         "E-mail 2 - Type": "Work", "E-mail 2 - Value": "rossi@works.example", "Phone 1 - Type": "Mobile", "Phone 1 - Value": "+1 603-555-0133 ::: +1 603-555-0134"},
        {"Name": "Keene Clinic", "Organization 1 - Name": "Keene Clinic", "E-mail 1 - Type": "*", "E-mail 1 - Value": "desk@clinic.example", "Website 1 - Type": "Work", "Website 1 - Value": "http\\://clinic.example"},
    ]  # fmt: skip
    outlook_rows = [
        {"Title": "Herr", "First Name": "Jörg", "Last Name": "Müller", "Company": "Kanzlei Müller", "Business Street": "Hauptstraße 1\r\nHinterhaus", "Business City": "Köln", "Business Postal Code": "50667",
         "Business Country/Region": "Deutschland", "Business Phone": "+49 221 5550100", "Birthday": "3/14/1961", "Anniversary": "0/0/00", "Categories": "Counsel;Germany", "E-mail Address": "joerg@kanzlei.example",
         "E-mail Type": "SMTP", "E-mail Display Name": "Jörg Müller (joerg@kanzlei.example)", "Notes": "Calls him \"Jogi\"\r\n", "Priority": "Normal", "Private": "False", "Sensitivity": "Normal"},
        {"First Name": "Mary", "Last Name": "O'Brien", "Home Street": "5 Oak Lane", "Home City": "Dover", "Home State": "NH", "Home Postal Code": "03820", "Home Phone": "(603) 555-0150", "Birthday": "0/0/00",
         "E-mail Address": "/o=HARBOUR/ou=EXCHANGE/cn=RECIPIENTS/cn=MOBRIEN", "E-mail Type": "EX", "Spouse": "Tom", "Priority": "Normal", "Private": "False", "Sensitivity": "Normal"},
    ]  # fmt: skip

    def listed(header: Sequence[str], rows: list[dict[str, str]], encoding: str) -> bytes:
        return _csv(list(header), [[row.get(name, "") for name in header] for row in rows], Style(encoding=encoding), semicolons=False)

    return _base("Harbour Books", 4, 4) | {
        "iCloud.vcf": _ICLOUD.replace("\n", "\r\n").encode(), "PIM00001.vcf": _TELEPHONE.replace("\n", "\r\n").encode(), "google.csv": listed(_GOOGLE_BEFORE, google, "utf-16"),
        "OUTLOOK.CSV": listed(_OUTLOOK, outlook_rows, "cp1252"), "Jane Doe Calendar.ics": _EXCHANGE.replace("\n", "\r\n").encode(), "Reminders.ics": _REMINDERS.replace("\n", "\r\n").encode(),
    }  # fmt: skip


_CARDS = (("LAST_NAME", "C", 20), ("FIRST_NAME", "C", 15), ("COMPANY", "C", 40), ("EMAIL", "C", 40), ("MOBILE", "C", 20), ("ADDRESS", "C", 30), ("CITY", "C", 20), ("STATE", "C", 2), ("ZIP", "C", 10), ("DOB", "D", 8))
_MATTERS = (("MATTER_NO", "C", 10), ("DESCRIPTIO", "C", 60), ("CLIENT", "C", 40), ("STATUS", "C", 10), ("OPEN_DATE", "D", 8), ("CLOSE_DATE", "D", 8), ("RESPONSIBL", "C", 20))
_NOTES = (("MATTER_NO", "C", 10), ("NOTE_DATE", "D", 8), ("AUTHOR", "C", 20), ("NOTE_TEXT", "M", 10))


def _tables(kind: dbase.Kind, people: int, matters: int, encoding: str) -> tuple[Firm, dict[str, bytes]]:
    """Cards, matters and notes as a program on dBase's files keeps them, with the notes' memos beside."""
    firm = Firm(Style(day="%Y%m%d", client="{last}, {first}"), people, matters)
    width = 4 if kind == "visual" else 10
    long = "Said:\r\n\"we settle\" \u2013 or so he thinks.\r\n" if encoding == "cp1252" else "Said:\r\n\"we settle\" for \u00e9tude Dupr\u00e9.\r\n"
    cards = [[row[key] for key in ("last", "first", "company", "email", "mobile", "street", "city", "state", "zip", "birth")] for row in firm.contacts]
    listed = [[row[key] for key in ("number", "description", "client", "status", "opened", "closed", "staff")] for row in firm.matters]
    notes = [[row["number"], row["date"], row["staff"], None if n == 1 else long * (1 + 12 * (n == 2)) + row["note"]] for n, row in enumerate(firm.rows["notes"])]
    files = {
        "CARDS.DBF": dbase.table(kind, _CARDS, cards, encoding)[0], "MATTERS.DBF": dbase.table(kind, _MATTERS, listed, encoding, frozenset({len(listed) - 1}))[0],
    }  # fmt: skip
    table, memos = dbase.table(kind, (*_NOTES[:3], ("NOTE_TEXT", "M", width)), notes, encoding)
    return firm, files | {"NOTES.DBF": table, f"NOTES.{'FPT' if kind in {'foxpro', 'visual'} else 'DBT'}": memos}


def dbase_solo() -> dict[str, bytes]:
    """dBase III under DOS: an encoding of its own, a matter its program has deleted, memos without a length."""
    _, files = _tables("iii", 6, 5, "cp850")
    return {"migration.json": _base("Harbour DOS", 1, 1)["migration.json"]} | files


def dbase_partners() -> dict[str, bytes]:
    """Visual FoxPro: binary numbers, amounts and moments; one memo file did not come along, one table is cut off."""
    firm, files = _tables("visual", 9, 7, "cp1252")
    work = (("WORK_DATE", "T", 8), ("MATTER_NO", "C", 10), ("STAFF", "C", 20), ("HOURS", "B", 8), ("RATE", "Y", 8), ("NARRATIVE", "C", 60), ("BILLED", "L", 1))
    time = [[f"{row['date'][:4]}-{row['date'][4:6]}-{row['date'][6:]}T09:30:00", row["number"], row["staff"], row["hours"], row["rate"], row["work"], "F"] for row in firm.rows["time"]]
    calls = (("MATTER_NO", "C", 10), ("CALL_DATE", "T", 8), ("CALLER", "C", 20), ("PHONE", "C", 20), ("DURATION", "I", 4), ("MEMO", "M", 4))
    logged = [[row["number"], "2024-05-30T16:45:10", row["client"][:20], "(603) 555-0142", str(5 + n), "see the note" if n else None] for n, row in enumerate(firm.matters[:3])]
    tasks = (("TASK", "C", 30), ("DUE_DATE", "D", 8), ("ASSIGNED", "C", 20), ("PRIORITY", "C", 10), ("COMPLETED", "L", 1), ("MATTER_NO", "C", 10))
    due = [[row["task"], row["due"], row["staff"], row["priority"], "FT?"[n % 3], row["number"]] for n, row in enumerate(firm.rows["tasks"])]
    return {"migration.json": _base("Harbour Fox", 1, 1)["migration.json"]} | files | {
        "TIME.DBF": dbase.table("visual", work, time, "cp1252")[0], "CALLS.DBF": dbase.table("visual", calls, logged, "cp1252")[0],
        "TASKS.DBF": dbase.table("visual", tasks, due, "cp1252")[0][:-60],
    }  # fmt: skip


CASES: dict[str, Callable[[], dict[str, bytes]]] = {
    "mail-solo": mail_solo, "mail-partners": mail_partners, "address-books-partners": address_books_partners, "dbase-solo": dbase_solo, "dbase-partners": dbase_partners,
}


if __name__ == "__main__":
    for case, make in CASES.items():
        print(write(case, make()))
