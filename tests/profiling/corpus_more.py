"""More strange exports. They were held out once; the rules have learnt from them since."""

from tests.profiling.corpus import ABOUT, CITY, FIRM, WHO, WORK, Export, Want, book, epoch, first, full, guid, last, make, on, text

EXPORTS: list[Export] = []


def _export(name: str, *lists: tuple[str, bytes, dict[str, Want] | Want]) -> None:
    wants = {file + (f" › {sheet}" if sheet else ""): one for file, _, want in lists for sheet, one in (want.items() if isinstance(want, dict) else [("", want)])}
    EXPORTS.append(Export(name, {file: data for file, data, _ in lists}, wants))


# A large firm's back office: letters before every name, cents in dollars, days with months in words.
_export(
    "elite",
    ("CLIENT.dat", text(["CLNUM", "CLNAME1", "CLSORT", "CADDR1", "CCITY", "CSTATE", "CZIP", "CLOPENDT"], make(30, lambda n: [f"{n + 1:05d}", f"{FIRM[n % 4]} {n}", f"{FIRM[n % 4].upper()} {n}", f"{n} State St", CITY[n % 5], "NH", f"0330{n % 10}", on(n, "%b %d %Y")]), "\t"),
     Want("contact", {"source_id": "CLNUM", "city": "CCITY", "postal_code": "CZIP"})),
    ("MATTER.dat", text(["MMATTER", "MCLIENT", "MDESC1", "MOPENDT", "MCLOSEDT", "MBILLATY", "MSTATUS"], make(50, lambda n: [f"{n % 30 + 1:05d}.{n:04d}", f"{n % 30 + 1:05d}", ABOUT[n % 7], on(n, "%b %d %Y"), "", f"{100 + n % 3}", "OP"]), "\t"),
     Want("matter", {"number": "MMATTER", "client": "MCLIENT", "description": "MDESC1", "opened_on": "MOPENDT", "status": "MSTATUS"}, {"MCLIENT": "CLIENT.dat"})),
    ("TIMECARD.dat", text(["TINDEX", "TMATTER", "TTK", "TWORKDT", "TWORKHRS", "TWORKRT", "TWORKDOL", "TNARR"], make(90, lambda n: [700 + n, f"{n % 30 + 1:05d}.{n % 50:04d}" if n % 50 < 30 else f"{n % 50 - 29:05d}.{n % 50:04d}", f"{100 + n % 3}", on(n, "%b %d %Y"), f"{n % 5}.{n % 10}0", "310.00", f"{310 * (n % 5 + n % 10 / 10):.2f}", WORK[n % 6]]), "\t"),
     Want("time_entry", {"matter": "TMATTER", "performed_on": "TWORKDT", "hours": "TWORKHRS", "rate": "TWORKRT", "description": "TNARR"})),
    ("TIMEKEEP.dat", text(["TKINIT", "TKLAST", "TKFIRST", "TKTITLE", "TKRATE"], [["JD", "Doe", "Jane", "Partner", "310.00"], ["RR", "Roe", "Richard", "Associate", "210.00"], ["AB", "Bee", "Anna", "Clerk", "110.00"]], "\t"), Want("", also=("user_rates",))),
)  # fmt: skip

# An application built on a customer system: names that end in __c, ids of eighteen letters.
_id = [f"a0{chr(65 + n % 26)}5f00000{n:06d}AAA" for n in range(100)]
_export(
    "forcelaw",
    ("Account.csv", text(["Id", "Name", "BillingStreet", "BillingCity", "BillingPostalCode", "Phone", "Email__c", "Type"], make(30, lambda n: [_id[n], full(n), f"{n} Bay St", CITY[n % 5], f"0330{n % 10}", f"603-555-08{n:02d}", f"f{n}@mail.example", "Client"])),
     Want("contact", {"source_id": "Id", "display_name": "Name", "city": "BillingCity", "phone": "Phone", "email": "Email__c"})),
    ("Matter__c.csv", text(["Id", "Name", "Client__c", "Matter_Title__c", "Opened_Date__c", "Closed_Date__c", "Principal_Attorney__c", "Status__c"], make(40, lambda n: [_id[n + 40], f"MAT-{n:05d}", _id[n % 30], ABOUT[n % 7], f"{on(n)}T00:00:00.000Z", "", full(n % 3 + 50), "Open"])),
     Want("matter", {"number": "Name", "client": "Client__c", "description": "Matter_Title__c", "opened_on": "Opened_Date__c", "status": "Status__c"}, {"Client__c": "Account.csv"})),
    ("Role__c.csv", text(["Id", "Matter__c", "Party__c", "Role_Name__c"], make(25, lambda n: [_id[n] + "x", _id[n + 40], _id[n * 3 % 30], "Witness"])),
     Want("related_contact", {"matter": "Matter__c", "contact": "Party__c", "role": "Role_Name__c"}, {"Matter__c": "Matter__c.csv", "Party__c": "Account.csv"})),
    ("Task.csv", text(["Id", "WhatId", "Subject", "ActivityDate", "Status", "Priority", "OwnerName"], make(25, lambda n: [f"00T{n:012d}", _id[n + 40], "File the answer", on(n), "Not Started", "Normal", full(n % 3 + 50)])),
     Want("task", {"name": "Subject", "matter": "WhatId"}, {"WhatId": "Matter__c.csv"})),
)  # fmt: skip

# The books of a small firm, with what it owes to others among them.
_export(
    "bookkeeper",
    ("VendorBills.csv", text(["Vendor", "Bill no", "Bill date", "Due date", "Amount due"], make(15, lambda n: [FIRM[n % 4], f"V{n:04d}", on(n), on(n + 3), f"{n + 1}0.00"])), Want("")),
    ("IOLTA.csv", text(["Client Name", "File", "Current Balance"], make(12, lambda n: [full(n), f"24-{n:03d}", f"{n + 1},250.00"])), Want("trust", {"matter": "File", "client": "Client Name", "balance": "Current Balance"})),
    ("Files.csv", text(["File", "Client Name", "About", "Date in", "Date out", "Who handles it"], make(30, lambda n: [f"24-{n:03d}", full(n), ABOUT[n % 7], on(n, "%m/%d/%Y"), "", WHO[n % 3]])),
     Want("matter", {"number": "File", "client": "Client Name", "description": "About", "responsible": "Who handles it"})),
    ("Checking.csv", text(["Date", "Payee", "Check no", "Memo", "Amount", "Running balance"], make(30, lambda n: [on(n), FIRM[n % 4], 100 + n, "Rent", f"-{n + 1}00.00", f"{9000 - n}.00"])), Want("", also=("operating_account_transactions",))),
    ("Unpaid.csv", text(["Client", "File", "Bill", "Sent", "Charged", "Paid so far", "Still to pay"], make(14, lambda n: [full(n), f"24-{n:03d}", f"B{n:03d}", on(n, "%m/%d/%Y"), f"{n + 5}00.00", "100.00", f"{n + 4}00.00"])),
     Want("receivable", {"client": "Client", "matter": "File", "outstanding": "Still to pay"}, {"File": "Files.csv"})),
)  # fmt: skip

# British ledgers: client and office side by side.
_export(
    "ledgers-uk",
    ("Ledger postings.csv", text(["Post date", "Ref", "Matter", "Narrative", "Office DR", "Office CR", "Client DR", "Client CR"], make(40, lambda n: [on(n, "%d/%m/%Y"), n, f"SMI{n % 9:03d}-1", "Search fee", "12.00", "", "", ""])), Want("", also=("trust_account_transactions", "operating_account_transactions"))),
    ("Matter balances.csv", text(["Matter", "Client", "Office balance", "Client balance", "Deposit balance"], make(12, lambda n: [f"SMI{n:03d}-1", full(n), f"{n}0.00 DR", f"{n + 1}00.00 CR", "0.00"])), Want("", also=("trust",))),
    ("Attendance notes.csv", text(["Matter", "Date of attendance", "Fee earner", "Attendance"], make(30, lambda n: [f"SMI{n % 9:03d}-1", on(n, "%d/%m/%Y"), WHO[n % 3], "Attending client by telephone. " * 6])),
     Want("note", {"matter": "Matter", "written_on": "Date of attendance", "author": "Fee earner", "body": "Attendance"})),
)  # fmt: skip

# A tracker of time: begun, stopped, minutes.
_export(
    "stopwatch",
    ("entries.csv", text(["entry", "project", "person", "started", "stopped", "elapsed (min)", "comment", "invoiced?"], make(50, lambda n: [n, f"PRJ{n % 12}", full(n % 3), f"{on(n)} 09:00", f"{on(n)} 10:30", 90, WORK[n % 6], "no"])),
     Want("time_entry", {"matter": "project", "staff": "person", "minutes": "elapsed (min)", "description": "comment"}, {"project": "projects.csv"})),
    ("projects.csv", text(["project", "customer", "label", "begun", "archived"], make(12, lambda n: [f"PRJ{n}", full(n), ABOUT[n % 7], on(n), "no"])), Want("matter", {"number": "project", "client": "customer", "opened_on": "begun"})),
)  # fmt: skip

# A Swedish firm: a language nobody has taught it.
_export(
    "byran",
    ("Klienter.csv", text(["Klientnr", "Efternamn", "Förnamn", "Gatuadress", "Postnr", "Ort", "Telefon", "E-post"], make(20, lambda n: [f"K{n:03d}", last(n), first(n), f"Storgatan {n}", f"111 {n:02d}", "Stockholm", f"08-555 01 {n:02d}", f"k{n}@post.example"]), ";"),
     Want("contact", {"source_id": "Klientnr", "email": "E-post", "phone": "Telefon"})),
    ("Ärenden.csv", text(["Ärendenr", "Klientnr", "Rubrik", "Upplagd", "Avslutad", "Ansvarig"], make(20, lambda n: [f"2024-{n:03d}", f"K{n:03d}", "Hyresavtal", on(n), "", WHO[n % 3]]), ";"), Want("matter", {"number": "Ärendenr", "client": "Klientnr"}, {"Klientnr": "Klienter.csv"})),
)  # fmt: skip

# A workbook a paralegal keeps, and the lists beside it.
_export(
    "desk",
    ("Intake.xlsx", book(
        Leads=[["Prospect", "Reached at", "Cell", "Heard of us", "First call"], *[[full(n), f"l{n}@mail.example", f"603-555-09{n:02d}", "Web", on(n)] for n in range(15)]],
        Hearings=[["Case", "Hearing", "On", "At", "Courtroom"], *[[f"CV-{n:03d}", "Status conference", on(n), "9:30 AM", f"Room {n}"] for n in range(12)]],
        Docs=[["Path", "File type", "Bytes", "Last saved"], *[[f"/m/{n}/a.pdf", "pdf", 1000 + n, on(n)] for n in range(12)]],
    ), {"Leads": Want("contact", {"display_name": "Prospect", "email": "Reached at", "phone_mobile": "Cell"}, also=("",)),
        "Hearings": Want("calendar_event", {"matter": "Case", "subject": "Hearing", "start_on": "On"}), "Docs": Want("")}),
    ("Conflicts.csv", text(["Searched", "Searched by", "Searched at", "Hits", "Cleared"], make(15, lambda n: [full(n), WHO[n % 3], epoch(n), n % 3, "Y"])), Want("")),
    ("Policies.csv", text(["Policy", "Insurer", "Insured", "Limit", "Premium", "Renews"], make(12, lambda n: [f"POL{n:05d}", FIRM[n % 4], full(n), "1000000", f"{n + 100}.00", on(n)])), Want("")),
    ("Zahlungseingänge.csv", text(["Datum", "Rechnungsnummer", "Zahler", "Zahlungsbetrag", "Zahlungsart"], make(15, lambda n: [on(n, "%d.%m.%Y"), f"R{n:03d}", full(n), f"{n + 1}00,00", "Überweisung"]), ";"), Want("bill_payments", {"performed_on": "Datum", "amount": "Zahlungsbetrag"})),
    ("messages.csv", text(["message_id", "received_utc", "from_address", "to_addresses", "subject_line", "snippet"], make(20, lambda n: [guid("mm", n), f"{on(n)}T08:00:00+00:00", f"s{n}@mail.example", "me@firm.example", "Question", "Hello there"])),
     Want("email", {"sender": "from_address", "recipients": "to_addresses", "subject": "subject_line"})),
)  # fmt: skip
