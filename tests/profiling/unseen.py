"""Strange exports that were written after the rules and have never been used to make them: they are what a stranger may expect."""

from tests.profiling.corpus import ABOUT, CITY, FIRM, WHO, WORK, Export, Want, book, epoch, first, full, last, make, on, text

EXPORTS: list[Export] = []


def _export(name: str, *lists: tuple[str, bytes, dict[str, Want] | Want]) -> None:
    wants = {file + (f" › {sheet}" if sheet else ""): one for file, _, want in lists for sheet, one in (want.items() if isinstance(want, dict) else [("", want)])}
    EXPORTS.append(Export(name, {file: data for file, data, _ in lists}, wants))


# A database whose designer wrote pk and fk.
_export(
    "pkfk",
    ("person.csv", text(["person_pk", "surname", "given_name", "organisation", "email_1", "tel_day", "addr_line_1", "addr_town", "addr_postcode"], make(25, lambda n: [4000 + n, last(n), first(n), "", f"q{n}@mail.example", f"020 7946 0{n:03d}", f"{n} Mill Lane", "Leeds", f"LS{n % 9 + 1} 4AB"])),
     Want("contact", {"source_id": "person_pk", "last_name": "surname", "first_name": "given_name", "email": "email_1", "postal_code": "addr_postcode"})),
    ("case_file.csv", text(["file_pk", "file_ref", "client_fk", "file_heading", "date_opened", "date_closed", "fee_earner"], make(30, lambda n: [600 + n, f"LEE/{n:04d}", 4000 + n % 25, ABOUT[n % 7], on(n, "%d/%m/%Y"), "", WHO[n % 3]])),
     Want("matter", {"number": "file_ref", "client": "client_fk", "opened_on": "date_opened", "closed_on": "date_closed", "responsible": "fee_earner"}, {"client_fk": "person.csv"})),
    ("time_posting.csv", text(["posting_pk", "file_fk", "fee_earner", "posting_date", "units", "rate_per_hour", "value", "narrative"], make(60, lambda n: [n, 600 + n % 30, WHO[n % 3], on(n, "%d/%m/%Y"), n % 9 + 1, "180.00", f"{18 * (n % 9 + 1)}.00", WORK[n % 6]])),
     Want("time_entry", {"matter": "file_fk", "performed_on": "posting_date", "units": "units", "rate": "rate_per_hour", "staff": "fee_earner", "description": "narrative"}, {"file_fk": "case_file.csv"})),
    ("disbursement.csv", text(["disb_pk", "file_fk", "disb_date", "payee", "net", "vat", "narrative"], make(20, lambda n: [n, 600 + n, on(n, "%d/%m/%Y"), "Land Registry", f"{n + 3}.00", "0.00", "Official copies"])),
     Want("unbilled_expenses", {"matter": "file_fk", "performed_on": "disb_date", "amount": "net"}, {"file_fk": "case_file.csv"})),
    ("precedent.csv", text(["precedent_pk", "title", "file_path", "last_edited"], make(15, lambda n: [n, "Letter of engagement", f"L:/prec/{n}.doc", on(n)])), Want("")),
)  # fmt: skip

# A telephone exchange and a diary in the cloud.
_export(
    "cloudphone",
    ("calls.csv", text(["call_id", "started_at", "direction", "from_number", "to_number", "duration_sec", "notes"], make(25, lambda n: [n, f"{on(n)}T10:05:00Z", "inbound", f"+1603555{1000 + n}", "+16035550000", 60 * (n % 9 + 1), "Wants a call back"])),
     Want("phone_log", {"called_at": "started_at", "direction": "direction", "note": "notes"})),
    ("voicemail.csv", text(["vm", "left_at", "length", "transcript"], make(10, lambda n: [n, epoch(n), "0:32", "Hello, this is a long message about the case. " * 4])), Want("", also=("note", "phone_log"))),
    ("extension.csv", text(["ext", "assigned_to", "voicemail_pin"], [["101", "JD", "1234"], ["102", "RR", "4321"], ["103", "AB", "9999"]]), Want("")),
)  # fmt: skip

# Austria: a notary's lists.
_export(
    "notariat",
    ("Klienten.csv", text(["KlientID", "Familienname", "Vorname", "Geb.Datum", "Anschrift", "PLZ", "Ort", "Tel.", "Mailadresse"], make(25, lambda n: [n + 1, last(n), first(n), on(n, "%d.%m.19%y"), f"Ring {n}", f"10{n:02d}", "Wien", f"01 5550 {n:03d}", f"n{n}@post.example"]), ";", "cp1252"),
     Want("contact", {"source_id": "KlientID", "last_name": "Familienname", "first_name": "Vorname", "birth_on": "Geb.Datum", "street": "Anschrift", "postal_code": "PLZ", "phone": "Tel."})),
    ("Causen.csv", text(["Geschäftszahl", "KlientID", "Bezeichnung", "Anlagedatum", "Erledigungsdatum", "Referent"], make(30, lambda n: [f"GZ {n}/2024", n % 25 + 1, f"Kaufvertrag {n}", on(n, "%d.%m.%Y"), "", WHO[n % 3]]), ";", "cp1252"),
     Want("matter", {"number": "Geschäftszahl", "client": "KlientID", "description": "Bezeichnung", "opened_on": "Anlagedatum", "responsible": "Referent"}, {"KlientID": "Klienten.csv"})),
    ("Treuhand.csv", text(["Geschäftszahl", "Treuhandkonto", "Treuhandstand EUR"], make(12, lambda n: [f"GZ {n}/2024", f"AT{n:018d}", f"{n + 1}.000,00"]), ";", "cp1252"), Want("trust", {"matter": "Geschäftszahl", "balance": "Treuhandstand EUR"})),
    ("Mahnliste.csv", text(["Honorarnote", "Geschäftszahl", "Datum", "Betrag EUR", "offener Betrag EUR", "Mahnstufe"], make(14, lambda n: [f"HN{n:04d}", f"GZ {n}/2024", on(n, "%d.%m.%Y"), f"{n + 3}00,00", f"{n + 1}00,00", n % 3]), ";", "cp1252"),
     Want("receivable", {"matter": "Geschäftszahl", "outstanding": "offener Betrag EUR"})),
)  # fmt: skip

# Quebec.
_export(
    "etude",
    ("Contacts.csv", text(["No client", "Nom de famille", "Prénom", "Rue", "Ville", "Province", "Code postal", "Tél. cellulaire", "Adresse courriel"], make(25, lambda n: [f"{n + 100}", last(n), first(n), f"{n} rue Principale", "Laval", "QC", f"H7V {n % 9}A1", f"450 555-1{n:03d}", f"e{n}@courriel.example"]), ",", "cp1252"),
     Want("contact", {"source_id": "No client", "last_name": "Nom de famille", "first_name": "Prénom", "city": "Ville", "postal_code": "Code postal", "phone_mobile": "Tél. cellulaire", "email": "Adresse courriel"})),
    ("Mandats.csv", text(["No mandat", "No client", "Description du mandat", "Date d'ouverture", "Date de fermeture", "Avocat responsable"], make(30, lambda n: [f"{n % 25 + 100}-{n:03d}", f"{n % 25 + 100}", "Succession", on(n), "", WHO[n % 3]]), ",", "cp1252"),
     Want("matter", {"number": "No mandat", "client": "No client", "description": "Description du mandat", "opened_on": "Date d'ouverture", "closed_on": "Date de fermeture", "responsible": "Avocat responsable"}, {"No client": "Contacts.csv"})),
    ("Fidéicommis.csv", text(["No mandat", "Solde en fidéicommis"], make(9, lambda n: [f"{n + 100}-{n:03d}", f"{n + 1}250,00 $"]), ";", "cp1252"), Want("trust", {"matter": "No mandat", "balance": "Solde en fidéicommis"}, {"No mandat": "Mandats.csv"})),
    ("Comptes à recevoir.csv", text(["No facture", "No mandat", "Date facture", "Montant facturé", "Montant reçu", "Solde dû"], make(12, lambda n: [f"F{n:04d}", f"{n + 100}-{n:03d}", on(n), f"{n + 5}00,00", "100,00", f"{n + 4}00,00"]), ";", "cp1252"),
     Want("receivable", {"invoice": "No facture", "matter": "No mandat", "outstanding": "Solde dû"}, {"No mandat": "Mandats.csv"})),
)  # fmt: skip

# A family lawyer's workbook.
_export(
    "familylaw",
    ("Family.xlsx", book(
        Clients=[["Client ID", "Client", "Spouse", "E-mail address", "Cell phone", "Married on"], *[[f"F{n:03d}", full(n), full(n + 30), f"fam{n}@mail.example", f"603-555-11{n:02d}", on(n, "%Y-%m-%d")] for n in range(16)]],
        Children=[["Client ID", "Child", "Born", "School"], *[[f"F{n:03d}", first(n + 3), on(n), f"School {n % 3}"] for n in range(20) if n < 16]],
        Assets=[["Client ID", "Asset", "Owner", "Value", "Debt"], *[[f"F{n:03d}", "House", "Joint", 100000 + n, 5000] for n in range(16)]],
        Court=[["Client ID", "Court date", "Court time", "Judge", "Type of hearing"], *[[f"F{n:03d}", on(n), "10:00 AM", "Hon. Vance", "Custody hearing"] for n in range(14)]],
        Todo=[["Client ID", "To do", "By when", "Assigned", "Done?"], *[[f"F{n:03d}", "Collect pay slips", on(n), WHO[n % 3], "no"] for n in range(14)]],
    ), {"Clients": Want("contact", {"source_id": "Client ID", "display_name": "Client", "email": "E-mail address", "phone_mobile": "Cell phone"}), "Children": Want("", also=("contact",)), "Assets": Want(""),
        "Court": Want("calendar_event", {"start_on": "Court date", "start_time": "Court time", "subject": "Type of hearing"}), "Todo": Want("task", {"name": "To do", "due_on": "By when", "assignee": "Assigned"})}),
)  # fmt: skip

# Money in a small ledger program.
_export(
    "pennywise",
    ("InvLines.csv", text(["Invoice", "Line", "Item", "Qty", "Unit", "Ext"], make(30, lambda n: [f"{n // 3 + 1}", n % 3 + 1, "Legal services", "1.5", "200.00", "300.00"])), Want("", also=("invoices",))),
    ("DepositsHeld.csv", text(["Customer", "Project", "Retainer held"], make(10, lambda n: [full(n), f"PX-{n:02d}", f"{n + 1}00.00"])), Want("trust", {"client": "Customer", "matter": "Project", "balance": "Retainer held"})),
    ("CreditMemos.csv", text(["Memo no", "Memo date", "Customer", "Invoice", "Credit amount", "Reason"], make(10, lambda n: [f"CM{n}", on(n), full(n), f"{n}", f"{n + 1}0.00", "Goodwill"])), Want("")),
    ("WriteOffs.csv", text(["Date", "Customer", "Invoice", "Written off"], make(10, lambda n: [on(n), full(n), f"{n}", f"{n + 1}0.00"])), Want("")),
    ("Projects.csv", text(["Project", "Customer", "Project description", "Start", "Finish", "Manager"], make(20, lambda n: [f"PX-{n:02d}", full(n), ABOUT[n % 7], on(n, "%d-%b-%y"), "", WHO[n % 3]])),
     Want("matter", {"number": "Project", "client": "Customer", "description": "Project description", "opened_on": "Start", "responsible": "Manager"})),
    ("Prospects.csv", text(["Company", "Town", "Contact person", "Telephone", "Next step"], make(12, lambda n: [FIRM[n % 4] + f" {n}", CITY[n % 5], full(n), f"603 555 12{n:02d}", "Ring again"])), Want("contact", {"company": "Company", "city": "Town", "phone": "Telephone"})),
)  # fmt: skip
