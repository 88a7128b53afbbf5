"""Exports of systems nobody has a profile for, made up and always the same; and what a sensible person would call each list.

`Want` says it: the record, the headings that must be mapped to which field, and which heading points at which list.
An empty record means that the list is none of ours: nothing may be proposed for it.
"""

import csv
import io
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

Rows = list[list[Any]]
FIRST = ["Ann", "Bob", "Cleo", "Dan", "Eve", "Fay", "Gus", "Ida", "Jan", "Kim"]
LAST = ["Okafor", "Peña", "Quinn", "Rossi", "Smith", "Toth", "Ueda", "Vance", "Weiss", "Young", "Zorn", "Abbot"]
FIRM = ["Bright Bakery LLC", "Dover Mills Inc", "Keene Roofing Ltd", "Harbor Trust"]
CITY = ["Concord", "Dover", "Keene", "Nashua", "Derry"]
ABOUT = ["Sale of a house", "Lease renewal", "Estate plan", "Divorce", "Collection of a debt", "Articles amended", "Boundary dispute"]
WORK = ["Drafted the reply", "Call with the lender", "Review of the lease", "Hearing prepared", "Letter to the court", "Met the client"]
WHO = ["JD", "RR", "AB"]
DAY = date(2023, 2, 14)


@dataclass(frozen=True)
class Want:
    record: str
    fields: dict[str, str] = field(default_factory=dict)
    """The fields that must be mapped, and the heading each comes from."""
    links: dict[str, str] = field(default_factory=dict)
    """The headings that point at another list, and that list."""
    also: tuple[str, ...] = ()
    """Records that would do as well."""


@dataclass(frozen=True)
class Export:
    name: str
    files: dict[str, bytes]
    wants: dict[str, Want]
    """By list: the file, and the sheet behind ` › `."""

    def lay(self, folder: Path) -> Path:
        place = folder / self.name
        for name, data in self.files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(data)
        return place


def text(header: Sequence[Any] | None, rows: Rows, mark: str = ",", code: str = "utf-8", above: Rows | None = None, below: Rows | None = None) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=mark).writerows([*(above or []), *([header] if header else []), *rows, *(below or [])])
    return out.getvalue().encode(code)


def book(**sheets: Rows) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        made.set_properties({"created": datetime(2024, 1, 1)})  # the same bytes each time
        day, padded = made.add_format({"num_format": "yyyy-mm-dd"}), made.add_format({"num_format": "00000"})
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            for row, cells in enumerate(rows):
                for place, cell in enumerate(cells):
                    if isinstance(cell, date):
                        sheet.write_datetime(row, place, datetime(cell.year, cell.month, cell.day), day)
                    elif isinstance(cell, Padded):
                        sheet.write_number(row, place, int(cell), padded)
                    else:
                        sheet.write(row, place, cell)
    return out.getvalue()


class Padded(int):
    """A number a sheet shows with leading zeros."""


def guid(kind: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{number}"))


def on(number: int, form: str = "%Y-%m-%d") -> str:
    return (DAY + timedelta(days=number * 11 % 400)).strftime(form)


def epoch(number: int) -> int:
    return int(datetime(2023, 3, 1, 9, 30, tzinfo=UTC).timestamp()) + number * 86_400


def first(n: int) -> str:
    return FIRST[n % len(FIRST)]


def last(n: int) -> str:
    return f"{LAST[n % len(LAST)]}-{chr(65 + n % 26)}{chr(97 + n // 26)}"


def full(n: int) -> str:
    return f"{first(n)} {last(n)}"


def make(count: int, row: Callable[[int], list[Any]]) -> Rows:
    return [row(n) for n in range(count)]


EXPORTS: list[Export] = []


def _export(name: str, **files: tuple[bytes, dict[str, Want]] | Any) -> None:
    made: dict[str, bytes] = {}
    wants: dict[str, Want] = {}
    for file, (data, want) in files.items():
        path = file.replace("__", ".")
        made[path] = data
        wants |= {path + (f" › {sheet}" if sheet else ""): one for sheet, one in (want.items() if isinstance(want, dict) else [("", want)])}
    EXPORTS.append(Export(name, made, wants))


# A dump of a database: snake case, GUIDs for keys, durations in seconds.
_export(
    "northgate",
    contact__csv=(text(["contact_id", "contact_type", "first_name", "last_name", "org_name", "email_address", "phone_number", "date_of_birth", "is_active", "created_at"], make(40, lambda n: [
        guid("c", n), "organization" if n % 5 == 0 else "person", "" if n % 5 == 0 else first(n), "" if n % 5 == 0 else last(n), FIRM[n % 4] if n % 5 == 0 else "", f"c{n}@mail.example",
        f"603-555-01{n:02d}", on(n, "19%y-%m-%d") if n % 5 else "", "t", f"{on(n)} 10:0{n % 10}:00"])),
        Want("contact", {"source_id": "contact_id", "first_name": "first_name", "last_name": "last_name", "email": "email_address", "birth_on": "date_of_birth", "company": "org_name"})),
    matter__csv=(text(["matter_id", "matter_number", "client_contact_id", "title", "status", "practice_area_id", "opened_at", "closed_at", "responsible_user_id", "estimated_value"], make(50, lambda n: [
        guid("m", n), f"24-{n:04d}", guid("c", n % 40), f"{ABOUT[n % 7]}", "open" if n % 3 else "closed", guid("p", n % 4), on(n), "" if n % 3 else on(n + 20), guid("u", n % 3), f"{n * 1000 + 500}.00"])),
        Want("matter", {"number": "matter_number", "client": "client_contact_id", "status": "status", "opened_on": "opened_at", "description": "title", "responsible": "responsible_user_id"}, {"client_contact_id": "contact.csv"})),
    matter_contact__csv=(text(["matter_contact_id", "matter_id", "contact_id", "role"], make(30, lambda n: [guid("mc", n), guid("m", n % 50), guid("c", n * 7 % 40), ["Opposing party", "Witness", "Expert"][n % 3]])),
        Want("related_contact", {"matter": "matter_id", "contact": "contact_id", "role": "role"}, {"matter_id": "matter.csv", "contact_id": "contact.csv"})),
    practice_area__csv=(text(["practice_area_id", "name"], [[guid("p", n), ["Property", "Family", "Probate", "Business"][n]] for n in range(4)]), Want("")),
    app_user__csv=(text(["user_id", "username", "full_name", "email", "is_admin", "hourly_rate"], [[guid("u", n), f"user{n}", full(n), f"u{n}@firm.example", "f", f"{250 + 50 * n}.00"] for n in range(3)]), Want("", also=("user_rates",))),
    time_entry__csv=(text(["time_entry_id", "matter_id", "user_id", "worked_on", "duration_seconds", "hourly_rate", "is_billable", "narrative"], make(120, lambda n: [
        guid("t", n), guid("m", n % 50), guid("u", n % 3), on(n), 900 * (n % 9 + 1), f"{250 + 50 * (n % 3)}.00", "t", WORK[n % 6]])),
        Want("time_entry", {"matter": "matter_id", "staff": "user_id", "performed_on": "worked_on", "seconds": "duration_seconds", "rate": "hourly_rate", "description": "narrative"}, {"matter_id": "matter.csv", "user_id": "app_user.csv"})),
    audit_log__csv=(text(["id", "occurred_at", "user_id", "entity", "entity_id", "action", "old_value"], make(60, lambda n: [n + 1, f"{on(n)} 08:00:00", guid("u", n % 3), "matter", guid("m", n % 50), ["insert", "update"][n % 2], ""])), Want("")),
    trust_ledger__csv=(text(["txn_id", "matter_id", "posted_on", "memo", "debit", "credit", "running_balance"], make(40, lambda n: [
        guid("x", n), guid("m", n % 9), on(n), "Retainer" if n % 2 else "Paid to court", "" if n % 2 else "100.00", "500.00" if n % 2 else "", f"{400 * (n + 1)}.00"])),
        Want("trust_account_transactions", {"matter": "matter_id"})),
)  # fmt: skip

# What an interface answers, flattened: camel case, moments with a Z, numbers for ids.
_export(
    "clerkly",
    persons__csv=(text(["id", "givenName", "familyName", "primaryEmail", "mobilePhone", "companyName", "addressStreet", "addressCity", "addressPostalCode", "createdDateTime"], make(35, lambda n: [
        9000 + n, first(n), last(n), f"p{n}@mail.example", f"+1 603 555 02{n:02d}", "", f"{n + 1} Elm St", CITY[n % 5], f"0330{n % 10}", f"{on(n)}T10:00:00Z"])),
        Want("contact", {"source_id": "id", "first_name": "givenName", "last_name": "familyName", "email": "primaryEmail", "phone_mobile": "mobilePhone", "city": "addressCity"})),
    projects__csv=(text(["id", "displayNumber", "personId", "description", "state", "openDate", "closeDate", "responsibleAttorney"], make(45, lambda n: [
        5000 + n, f"P{n:03d}", 9000 + n % 35, f"{ABOUT[n % 7]} {n}", "open", f"{on(n)}T00:00:00Z", "", full(n % 3)])),
        Want("matter", {"number": "displayNumber", "client": "personId", "description": "description", "opened_on": "openDate", "responsible": "responsibleAttorney"}, {"personId": "persons.csv"})),
    activities__csv=(text(["id", "activityType", "activityDate", "quantityInHours", "rate", "total", "note", "projectId", "userName", "billed"], make(90, lambda n: [
        70000 + n, "TimeEntry", on(n), f"{n % 7 + 1}.{n % 10}", "200.00", f"{200 * (n % 7 + 1 + n % 10 / 10):.2f}", WORK[n % 6], 5000 + n % 45, full(n % 3), "false"])),
        Want("time_entry", {"performed_on": "activityDate", "hours": "quantityInHours", "rate": "rate", "matter": "projectId", "staff": "userName", "description": "note"}, {"projectId": "projects.csv"})),
    bills__csv=(text(["id", "billNumber", "projectId", "issuedAt", "dueAt", "total", "paid", "balanceDue", "state"], make(25, lambda n: [
        300 + n, f"B-{n:04d}", 5000 + n, on(n), on(n + 3), f"{n + 5}00.00", "100.00", f"{n + 4}00.00", "awaiting_payment"])),
        Want("receivable", {"invoice": "billNumber", "matter": "projectId", "outstanding": "balanceDue", "due_on": "dueAt", "invoiced_on": "issuedAt", "total": "total"}, {"projectId": "projects.csv"})),
    calendarEntries__csv=(text(["id", "summary", "startAt", "endAt", "allDay", "location", "projectId"], make(30, lambda n: [
        n + 1, f"Hearing {n}", f"{on(n)}T14:00:00Z", f"{on(n)}T15:00:00Z", "false", "Court house", 5000 + n])),
        Want("calendar_event", {"subject": "summary", "start_on": "startAt", "end_on": "endAt", "matter": "projectId"}, {"projectId": "projects.csv"})),
    comments__csv=(text(["id", "projectId", "authorName", "createdAt", "text"], make(30, lambda n: [n + 1, 5000 + n, full(n % 3), f"{on(n)}T09:15:00Z", f"Spoke with the client at length.\nShe wants {ABOUT[n % 7]} done soon, \"at last\".\n" * 2])),
        Want("note", {"body": "text", "matter": "projectId", "author": "authorName"}, {"projectId": "projects.csv"})),
)  # fmt: skip

# An old system's tables: eight letters, days as figures, two columns together are the key, Latin letters of DOS.
def _two(n: int) -> list[Any]:
    return [f"{1001 + n % 12}", f"{n // 12 + 1:04d}"]


_export(
    "counsel86",
    migration__json=(b'{"options": {"encoding": "cp850"}}', {}),
    CLIENT__TXT=(text(["CLNO", "CLNAME", "CLADR1", "CLCITY", "CLST", "CLZIP", "CLPHONE"], make(12, lambda n: [1001 + n, f"{last(n).upper()}, {first(n).upper()}", f"{n + 3} MAIN ST", CITY[n % 5].upper(), "NH", f"0330{n % 10}", f"(603) 555-03{n:02d}"]), "|", "cp850"),
        Want("contact", {"source_id": "CLNO", "display_name": "CLNAME", "street": "CLADR1", "city": "CLCITY", "postal_code": "CLZIP", "phone": "CLPHONE"})),
    MATTER__TXT=(text(["CLNO", "MTNO", "MTDESC", "MTOPEN", "MTCLOSE", "MTATTY", "MTSTAT"], make(48, lambda n: [*_two(n), ABOUT[n % 7].upper(), on(n, "%Y%m%d"), on(n + 9, "%Y%m%d") if n % 4 == 0 else "", WHO[n % 3], "C" if n % 4 == 0 else "O"]), "|", "cp850"),
        Want("matter", {"number": "CLNO + MTNO", "client": "CLNO", "description": "MTDESC", "opened_on": "MTOPEN", "closed_on": "MTCLOSE", "responsible": "MTATTY", "status": "MTSTAT"}, {"CLNO": "CLIENT.TXT"})),
    TIMEREC__TXT=(text(["CLNO", "MTNO", "TMDATE", "TMATTY", "TMHRS", "TMRATE", "TMAMT", "TMDESC", "BILLED"], make(100, lambda n: [*_two(n % 48), on(n, "%Y%m%d"), WHO[n % 3], f"{n % 6 + 1}.50", "200.00", f"{(n % 6 + 1.5) * 200:.2f}", WORK[n % 6].upper(), "N"]), "|", "cp850"),
        Want("time_entry", {"matter": "CLNO + MTNO", "performed_on": "TMDATE", "staff": "TMATTY", "hours": "TMHRS", "rate": "TMRATE", "amount": "TMAMT", "description": "TMDESC"})),
    TRBAL__TXT=(text(["CLNO", "MTNO", "TRBAL"], make(15, lambda n: [*_two(n), f"{n + 1}50.00"]), "|", "cp850"), Want("trust", {"matter": "CLNO + MTNO", "balance": "TRBAL"})),
    CODES__TXT=(text(["CODE", "DESCR"], [["TC", "TELEPHONE CALL"], ["LT", "LETTER"], ["CT", "COURT"], ["RV", "REVIEW"], ["DR", "DRAFT"]], "|", "cp850"), Want("")),
)  # fmt: skip

_export(
    "kanzleiwerk",
    Adressen__csv=(text(["AdressNr", "Anrede", "Vorname", "Nachname", "Firma", "Straße", "PLZ", "Ort", "Telefon", "E-Mail", "Geburtsdatum"], make(30, lambda n: [
        f"A{n:04d}", "Frau" if n % 2 else "Herr", first(n), last(n), "", f"Lindenstraße {n + 1}", f"801{n:02d}", "München", f"089 55501{n:02d}", f"a{n}@post.example", on(n, "%d.%m.19%y")]), ";", "cp1252"),
        Want("contact", {"source_id": "AdressNr", "first_name": "Vorname", "last_name": "Nachname", "company": "Firma", "street": "Straße", "postal_code": "PLZ", "city": "Ort", "phone": "Telefon", "email": "E-Mail", "birth_on": "Geburtsdatum"})),
    Akten__csv=(text(["Aktenzeichen", "Mandant", "Gegner", "Kurzrubrum", "Angelegt", "Abgelegt", "Sachbearbeiter", "Gegenstandswert"], make(40, lambda n: [
        f"{n + 1:05d}/24", f"A{n % 30:04d}", last(n + 40), f"{last(n)} ./. {last(n + 40)}", on(n, "%d.%m.%y"), "", WHO[n % 3], f"{n + 1}.500,00"]), ";", "cp1252"),
        Want("matter", {"number": "Aktenzeichen", "client": "Mandant", "description": "Kurzrubrum", "opened_on": "Angelegt", "responsible": "Sachbearbeiter", "other_side": "Gegner"}, {"Mandant": "Adressen.csv"})),
    Leistungen__csv=(text(["Datum", "Akte", "SB", "Dauer", "Satz", "Betrag", "Tätigkeit", "Abgerechnet"], make(70, lambda n: [
        on(n, "%d.%m.%y"), f"{n % 40 + 1:05d}/24", WHO[n % 3], f"{n % 4},{['25', '50', '75'][n % 3]}", "250,00", f"{250 * (n % 4 + (n % 3 + 1) / 4):.2f}".replace(".", ","), "Schriftsatz geprüft", "N"]), ";", "cp1252"),
        Want("time_entry", {"performed_on": "Datum", "matter": "Akte", "staff": "SB", "hours": "Dauer", "rate": "Satz", "amount": "Betrag", "description": "Tätigkeit"}, {"Akte": "Akten.csv"})),
    OffenePosten__csv=(text(["Rechnungsnr", "Rechnungsdatum", "Akte", "Rechnungsbetrag", "Bezahlt", "Offen", "Fällig"], make(20, lambda n: [
        f"R{n:03d}", on(n, "%d.%m.%y"), f"{n + 1:05d}/24", f"1.{n + 100},50", "100,00", f"1.{n:03d},50", on(n + 2, "%d.%m.%y")]), ";", "cp1252"),
        Want("receivable", {"invoice": "Rechnungsnr", "matter": "Akte", "outstanding": "Offen", "total": "Rechnungsbetrag", "paid": "Bezahlt", "due_on": "Fällig"}, {"Akte": "Akten.csv"})),
    Fremdgeld__csv=(text(["Akte", "Mandant", "Fremdgeldsaldo"], make(12, lambda n: [f"{n + 1:05d}/24", f"A{n:04d}", f"{n + 1}.000,00"]), ";", "cp1252"),
        Want("trust", {"matter": "Akte", "balance": "Fremdgeldsaldo"}, {"Akte": "Akten.csv"})),
    Fristen__csv=(text(["Frist", "Akte", "Aufgabe", "SB", "Erledigt"], make(25, lambda n: [on(n, "%d.%m.%y"), f"{n + 1:05d}/24", "Berufung begründen", WHO[n % 3], "J" if n % 2 else "N"]), ";", "cp1252"),
        Want("task", {"due_on": "Frist", "name": "Aufgabe", "matter": "Akte", "assignee": "SB", "status": "Erledigt"}, {"Akte": "Akten.csv"})),
)  # fmt: skip

_export(
    "cabinet-lumiere",
    clients__csv=(text(["Code client", "Civilité", "Nom", "Prénom", "Société", "Adresse", "Code postal", "Ville", "Téléphone", "Courriel"], make(25, lambda n: [
        f"C{n:03d}", "Mme", last(n), first(n), "", f"{n + 1} rue de la Paix", f"7500{n % 10}", "Paris", f"01 55 50 01 {n:02d}", f"c{n}@courrier.example"]), ";", "cp1252"),
        Want("contact", {"source_id": "Code client", "last_name": "Nom", "first_name": "Prénom", "company": "Société", "postal_code": "Code postal", "city": "Ville", "phone": "Téléphone", "email": "Courriel"})),
    dossiers__csv=(text(["N° dossier", "Code client", "Objet", "Ouverture", "Clôture", "Avocat", "Archivé"], make(35, lambda n: [f"D24{n:03d}", f"C{n % 25:03d}", "Bail commercial", on(n, "%d/%m/%Y"), "", WHO[n % 3], "F"]), ";", "cp1252"),
        Want("matter", {"number": "N° dossier", "client": "Code client", "description": "Objet", "opened_on": "Ouverture", "closed_on": "Clôture", "responsible": "Avocat"}, {"Code client": "clients.csv"})),
    temps__csv=(text(["Date", "N° dossier", "Collaborateur", "Durée", "Taux", "Libellé", "Facturé"], make(60, lambda n: [on(n, "%d/%m/%Y"), f"D24{n % 35:03d}", WHO[n % 3], f"{n % 3}h{['15', '30', '45'][n % 3]}", "220,00", "Rédaction de conclusions", "F"]), ";", "cp1252"),
        Want("time_entry", {"performed_on": "Date", "matter": "N° dossier", "staff": "Collaborateur", "hours": "Durée", "rate": "Taux", "description": "Libellé"}, {"N° dossier": "dossiers.csv"})),
    carpa__csv=(text(["Date", "N° dossier", "Libellé", "Débit", "Crédit", "Solde CARPA"], make(20, lambda n: [on(n, "%d/%m/%Y"), f"D24{n % 8:03d}", "Versement", "", "1 000,00", f"{n + 1} 000,00"]), ";", "cp1252"),
        Want("trust_account_transactions", {"matter": "N° dossier"})),
    agenda__csv=(text(["Objet", "Date début", "Heure début", "Date fin", "Heure fin", "Lieu", "N° dossier"], make(20, lambda n: ["Audience", on(n, "%d/%m/%Y"), "14:00", on(n, "%d/%m/%Y"), "15:30", "Tribunal", f"D24{n:03d}"]), ";", "cp1252"),
        Want("calendar_event", {"subject": "Objet", "start_on": "Date début", "start_time": "Heure début", "end_on": "Date fin", "location": "Lieu", "matter": "N° dossier"}, {"N° dossier": "dossiers.csv"})),
)  # fmt: skip

_export(
    "despacho",
    Clientes__csv=(text(["Código", "Nombre", "Apellidos", "NIF", "Dirección", "Población", "Código Postal", "Teléfono", "Correo electrónico"], make(25, lambda n: [
        f"CL{n:03d}", first(n), last(n), f"{10000000 + n}Z", f"Calle Mayor {n}", "Madrid", f"280{n:02d}", f"91 555 01 {n:02d}", f"c{n}@correo.example"]), ";"),
        Want("contact", {"source_id": "Código", "first_name": "Nombre", "last_name": "Apellidos", "postal_code": "Código Postal", "phone": "Teléfono", "email": "Correo electrónico", "street": "Dirección"})),
    Expedientes__csv=(text(["Expediente", "Cliente", "Asunto", "Abierto", "Cerrado", "Letrado", "Estado"], make(30, lambda n: [f"2024/{n:03d}", f"CL{n % 25:03d}", "Arrendamiento", on(n, "%d-%m-%Y"), "", WHO[n % 3], "Abierto"]), ";"),
        Want("matter", {"number": "Expediente", "client": "Cliente", "description": "Asunto", "opened_on": "Abierto", "responsible": "Letrado", "status": "Estado"}, {"Cliente": "Clientes.csv"})),
    Minutas__csv=(text(["Minuta", "Fecha", "Expediente", "Total", "Pendiente", "Vencimiento"], make(15, lambda n: [f"MN{n:03d}", on(n, "%d-%m-%Y"), f"2024/{n:03d}", f"{n + 1}00,00", f"{n + 1}0,00", on(n + 3, "%d-%m-%Y")]), ";"),
        Want("receivable", {"invoice": "Minuta", "matter": "Expediente", "total": "Total", "outstanding": "Pendiente", "due_on": "Vencimiento"}, {"Expediente": "Expedientes.csv"})),
)  # fmt: skip

_export(
    "balie",
    Relaties__csv=(text(["Relatienummer", "Achternaam", "Voornaam", "Bedrijfsnaam", "Straat", "Postcode", "Plaats", "Telefoon", "E-mailadres"], make(25, lambda n: [f"R{n:04d}", last(n), first(n), "", f"Kerkstraat {n}", f"10{n:02d} AB", "Utrecht", f"030-5550{n:03d}", f"r{n}@post.example"]), ";"),
        Want("contact", {"source_id": "Relatienummer", "last_name": "Achternaam", "first_name": "Voornaam", "company": "Bedrijfsnaam", "street": "Straat", "postal_code": "Postcode", "city": "Plaats", "phone": "Telefoon", "email": "E-mailadres"})),
    Dossiers__csv=(text(["Dossiernummer", "Relatienummer", "Omschrijving", "Wederpartij", "Geopend", "Gesloten", "Behandelaar"], make(30, lambda n: [f"2024{n:04d}", f"R{n % 25:04d}", f"Ontslag {n}", last(n + 30), on(n, "%d-%m-%Y"), "", WHO[n % 3]]), ";"),
        Want("matter", {"number": "Dossiernummer", "client": "Relatienummer", "description": "Omschrijving", "opened_on": "Geopend", "closed_on": "Gesloten", "responsible": "Behandelaar", "other_side": "Wederpartij"}, {"Relatienummer": "Relaties.csv"})),
    Urenregistratie__csv=(text(["Datum", "Dossiernummer", "Medewerker", "Uren", "Uurtarief", "Omschrijving", "Gefactureerd"], make(50, lambda n: [on(n, "%d-%m-%Y"), f"2024{n % 30:04d}", WHO[n % 3], f"{n % 3},{['25', '50', '75'][n % 3]}", "225,00", "Overleg cliënt", "N"]), ";"),
        Want("time_entry", {"performed_on": "Datum", "matter": "Dossiernummer", "staff": "Medewerker", "hours": "Uren", "rate": "Uurtarief", "description": "Omschrijving"}, {"Dossiernummer": "Dossiers.csv"})),
    Derdengelden__csv=(text(["Dossiernummer", "Saldo derdengelden"], make(9, lambda n: [f"2024{n:04d}", f"{n + 1}.250,00"]), ";"), Want("trust", {"matter": "Dossiernummer", "balance": "Saldo derdengelden"}, {"Dossiernummer": "Dossiers.csv"})),
)  # fmt: skip

_export(
    "studio-legale",
    Anagrafica__csv=(text(["ID", "Cognome", "Nome", "Ragione sociale", "Codice fiscale", "Indirizzo", "CAP", "Città", "Telefono", "Email"], make(25, lambda n: [n + 1, last(n), first(n), "", f"RSSMRA80A01F205{n:02d}", f"Via Roma {n}", f"201{n:02d}", "Milano", f"02 5550 {n:04d}", f"a{n}@posta.example"]), ";", "cp1252"),
        Want("contact", {"source_id": "ID", "last_name": "Cognome", "first_name": "Nome", "company": "Ragione sociale", "postal_code": "CAP", "phone": "Telefono", "email": "Email"})),
    Pratiche__csv=(text(["Numero pratica", "Cliente", "Oggetto", "Controparte", "Data apertura", "Data chiusura", "Avvocato"], make(30, lambda n: [f"PR-{n:03d}", full(n % 25), "Sfratto", full(n + 30), on(n, "%d/%m/%Y"), "", WHO[n % 3]]), ";", "cp1252"),
        Want("matter", {"number": "Numero pratica", "client": "Cliente", "description": "Oggetto", "other_side": "Controparte", "opened_on": "Data apertura", "closed_on": "Data chiusura", "responsible": "Avvocato"})),
    Scadenze__csv=(text(["Scadenza", "Numero pratica", "Adempimento", "Assegnato a", "Fatto"], make(20, lambda n: [on(n, "%d/%m/%Y"), f"PR-{n:03d}", "Deposito memoria", WHO[n % 3], "V" if n % 2 else "F"]), ";", "cp1252"),
        Want("task", {"due_on": "Scadenza", "matter": "Numero pratica", "name": "Adempimento", "assignee": "Assegnato a"}, {"Numero pratica": "Pratiche.csv"})),
)  # fmt: skip

_export(
    "escritorio",
    Pessoas__csv=(text(["Código", "Nome completo", "CPF", "Endereço", "Cidade", "CEP", "Celular", "E-mail", "Nascimento"], make(25, lambda n: [f"P{n:03d}", full(n), f"{100 + n}.456.789-{n:02d}", f"Rua das Flores, {n}", "São Paulo", f"01310-{n:03d}", f"(11) 95550-{n:04d}", f"p{n}@correio.example", on(n, "%d/%m/19%y")]), ";"),
        Want("contact", {"source_id": "Código", "display_name": "Nome completo", "street": "Endereço", "city": "Cidade", "postal_code": "CEP", "phone_mobile": "Celular", "email": "E-mail", "birth_on": "Nascimento"})),
    Processos__csv=(text(["Número do processo", "Cliente", "Assunto", "Situação", "Abertura", "Encerramento", "Advogado responsável"], make(30, lambda n: [f"000{n:04d}-12.2024", full(n % 25), f"Despejo {n}", "Ativo", on(n, "%d/%m/%Y"), "", full(n % 3)]), ";"),
        Want("matter", {"number": "Número do processo", "client": "Cliente", "description": "Assunto", "status": "Situação", "opened_on": "Abertura", "closed_on": "Encerramento", "responsible": "Advogado responsável"})),
    Despesas__csv=(text(["Data", "Número do processo", "Tipo de despesa", "Descrição", "Valor"], make(20, lambda n: [on(n, "%d/%m/%Y"), f"000{n:04d}-12.2024", "Custas", "Custas iniciais", f"{n + 1}0,50"]), ";"),
        Want("unbilled_expenses", {"performed_on": "Data", "matter": "Número do processo", "amount": "Valor"}, {"Número do processo": "Processos.csv"})),
)  # fmt: skip

# A firm that lives in a workbook: titles, two header rows, totals, padded numbers.
_matters = [[f"{1001 + n % 9}-{n:04d}", full(n % 9), ABOUT[n % 7], date(2023, 1 + n % 12, 5 + n), "Open", WHO[n % 3]] for n in range(20)]
_export(
    "workbook",
    Practice__xlsx=(book(
        Clients=[["Client directory"], ["Printed 1 June 2024"], [], ["Client #", "Surname", "Given", "Street", "Town", "Zip", "Tel", "E-mail"],
                 *[[Padded(101 + n), last(n), first(n), f"{n} Oak St", CITY[n % 5], Padded(3300 + n), f"603-555-04{n:02d}", f"w{n}@mail.example"] for n in range(18)]],
        Files=[["File No", "For whom", "Re", "Date opened", "Status", "Handled by"], *_matters],
        WIP=[["Work in progress", "", "", "", "", ""], [], ["Dt", "File No", "Staff", "Time spent", "Rate/hr", "Value"], *[[date(2024, 1 + n % 5, 2 + n % 20), _matters[n % 20][0], WHO[n % 3], 0.5 + n % 3, 200, (0.5 + n % 3) * 200] for n in range(40)],
             ["Total", "", "", sum(0.5 + n % 3 for n in range(40)), "", sum((0.5 + n % 3) * 200 for n in range(40))]],
        Debtors=[["", "", "Invoice", "", "Amounts", "", ""], ["Client", "File No", "No", "Date", "Billed", "Paid", "Outstanding"], *[[full(n), _matters[n][0], f"I{n:04d}", date(2024, 2, 1 + n), 1000 + n, 100, 900 + n] for n in range(12)]],
        Trust=[["File No", "Client", "Held in trust"], *[[_matters[n][0], full(n), 250.5 * (n + 1)] for n in range(9)]],
        Lookups=[["Code", "Meaning"], *[[code, word] for code, word in (("A", "Advice"), ("C", "Court"), ("D", "Drafting"), ("T", "Travel"))]],
    ), {
        "Clients": Want("contact", {"source_id": "Client #", "last_name": "Surname", "first_name": "Given", "city": "Town", "phone": "Tel", "email": "E-mail"}),
        "Files": Want("matter", {"number": "File No", "client": "For whom", "description": "Re", "opened_on": "Date opened", "responsible": "Handled by"}),
        "WIP": Want("time_entry", {"performed_on": "Dt", "matter": "File No", "hours": "Time spent", "rate": "Rate/hr", "staff": "Staff"}, {"File No": "Practice.xlsx › Files"}),
        "Debtors": Want("receivable", {"matter": "File No", "outstanding": "Outstanding"}),
        "Trust": Want("trust", {"matter": "File No", "balance": "Held in trust"}, {"File No": "Practice.xlsx › Files"}),
        "Lookups": Want(""),
    }),
)  # fmt: skip

# UTF-16, tabs, -1 for yes, seconds since 1970, telephone attendances.
_export(
    "chambers",
    tblParty__txt=(text(["PartyKey", "Title", "Forename", "Surname", "Organisation", "Addr1", "Addr2", "Postcode", "Tel", "EMail", "IsClient"], make(25, lambda n: [5000 + n, "Ms", first(n), last(n), "", f"{n} High Street", "York", f"YO{n % 9 + 1} 7HH", f"01904 5550{n:02d}", f"p{n}@post.example", -1 if n % 2 else 0]), "\t", "utf-16"),
        Want("contact", {"source_id": "PartyKey", "first_name": "Forename", "last_name": "Surname", "company": "Organisation", "postal_code": "Postcode", "phone": "Tel", "email": "EMail"})),
    tblCase__txt=(text(["CaseKey", "CaseRef", "PartyKey", "CaseTitle", "Instructed", "Concluded", "FeeEarner"], make(30, lambda n: [800 + n, f"ABC/{n:03d}", 5000 + n % 25, ABOUT[n % 7], on(n, "%d/%m/%Y"), "", WHO[n % 3]]), "\t", "utf-16"),
        Want("matter", {"number": "CaseRef", "client": "PartyKey", "description": "CaseTitle", "opened_on": "Instructed", "closed_on": "Concluded", "responsible": "FeeEarner"}, {"PartyKey": "tblParty.txt"})),
    tblPhone__txt=(text(["CallKey", "CaseKey", "CallTime", "Caller", "CallerNumber", "Mins", "Message"], make(25, lambda n: [n, 800 + n, epoch(n), full(n), f"01904 5551{n:02d}", 3 + n % 9, "Please ring back"]), "\t", "utf-16"),
        Want("phone_log", {"called_at": "CallTime", "caller": "Caller", "number": "CallerNumber", "duration": "Mins", "matter": "CaseKey", "note": "Message"}, {"CaseKey": "tblCase.txt"})),
    tblMail__txt=(text(["MailKey", "CaseKey", "SentOn", "FromAddr", "ToAddr", "Subject", "HasAttachment"], make(25, lambda n: [n, 800 + n, f"{on(n)} 11:20", f"a{n}@post.example", "me@firm.example", f"Re: {ABOUT[n % 7]}", -1]), "\t", "utf-16"),
        Want("email", {"sent_at": "SentOn", "sender": "FromAddr", "recipients": "ToAddr", "subject": "Subject", "matter": "CaseKey"}, {"CaseKey": "tblCase.txt"})),
    tblTodo__txt=(text(["TodoKey", "CaseKey", "Task", "DueDate", "AllocatedTo", "Done"], make(20, lambda n: [n, 800 + n, "Chase the expert", epoch(n), WHO[n % 3], -1 if n % 2 else 0]), "\t", "utf-16"),
        Want("task", {"name": "Task", "due_on": "DueDate", "assignee": "AllocatedTo", "matter": "CaseKey", "status": "Done"}, {"CaseKey": "tblCase.txt"})),
    tblVersion__txt=(text(["VersionNo", "InstalledOn"], [["7.1", "01/02/2019"], ["7.2", "03/04/2021"], ["7.3", "15/06/2023"]], "\t", "utf-16"), Want("")),
)  # fmt: skip

# Lists that say nothing of themselves.
_export(
    "bare",
    one__csv=(text(None, make(20, lambda n: [guid("a", n), guid("b", n % 7)])), Want("")),
    two__csv=(text(None, make(20, lambda n: [full(n), f"n{n}@mail.example", f"603-555-05{n:02d}"])), Want("")),
    three__csv=(text(["k1", "k2", "k3"], make(20, lambda n: [guid("a", n), guid("b", n % 7), guid("c", n % 3)])), Want("")),
    four__csv=(text(["seq", "val", "flag"], make(20, lambda n: [n, n * n % 17, "X" if n % 2 else ""])), Want("")),
)  # fmt: skip

# The books of a firm: what is billed, paid, held, owed and spent, in francs.
def _num(n: int) -> str:
    return f"M-{n:03d}"


_export(
    "ledgerbook",
    Mandates__csv=(text(["Mandate No", "Principal", "Subject matter", "Since", "Partner in charge"], make(20, lambda n: [_num(n), full(n), ABOUT[n % 7], on(n, "%d-%b-%Y"), WHO[n % 3]])),
        Want("matter", {"number": "Mandate No", "client": "Principal", "description": "Subject matter", "opened_on": "Since", "responsible": "Partner in charge"})),
    InvoiceRegister__csv=(text(["Invoice No", "Mandate No", "Invoice date", "Fees", "Disbursements", "VAT", "Invoice total", "Status"], make(25, lambda n: [f"I{n:04d}", _num(n % 20), on(n, "%d-%b-%Y"), f"CHF {n + 1}'000.00", "CHF 50.00", "CHF 77.00", f"CHF {n + 1}'127.00", "Paid" if n % 2 else "Sent"])),
        Want("invoices", {"matter": "Mandate No"}, {"Mandate No": "Mandates.csv"})),
    Receipts__csv=(text(["Receipt No", "Receipt date", "Invoice No", "Mandate No", "Amount received", "Method"], make(20, lambda n: [f"P{n:04d}", on(n, "%d-%b-%Y"), f"I{n:04d}", _num(n % 20), f"{n + 1},127.00", "Bank"])), Want("bill_payments", {"matter": "Mandate No"}, {"Mandate No": "Mandates.csv", "Invoice No": "InvoiceRegister.csv"})),
    OpenItems__csv=(text(["Mandate No", "Invoice No", "Billed on", "Due", "Open amount"], make(12, lambda n: [_num(n), f"I{n:04d}", on(n, "%d-%b-%Y"), on(n + 2, "%d-%b-%Y"), f"{n + 1},127.00" if n % 4 else f"({n + 1}00.00)"])),
        Want("receivable", {"matter": "Mandate No", "invoice": "Invoice No", "due_on": "Due", "outstanding": "Open amount"}, {"Mandate No": "Mandates.csv"})),
    EscrowBalances__csv=(text(["Mandate No", "Principal", "Escrow account", "Balance held"], make(10, lambda n: [_num(n), full(n), "UBS 01", f"{n + 1},000.00-" if n == 3 else f"{n + 1},000.00"])),
        Want("trust", {"matter": "Mandate No", "balance": "Balance held"}, {"Mandate No": "Mandates.csv"})),
    EscrowJournal__csv=(text(["Booking date", "Mandate No", "Text", "Escrow debit", "Escrow credit", "Balance"], make(30, lambda n: [on(n, "%d-%b-%Y"), _num(n % 10), "Received from client", "" if n % 2 else "100.00", "100.00" if n % 2 else "", f"{n * 10}.00"])),
        Want("trust_account_transactions", {"matter": "Mandate No"})),
    GeneralLedger__csv=(text(["Posting date", "GL account", "Text", "Debit", "Credit", "Balance"], make(40, lambda n: [on(n, "%d-%b-%Y"), f"{1000 + n % 5}", "Office rent", f"{n}.00" if n % 2 else "", "" if n % 2 else f"{n}.00", f"{n * 3}.00"])), Want("operating_account_transactions")),
    Outlays__csv=(text(["Outlay date", "Mandate No", "Kind of outlay", "Details", "Cost", "Invoice No"], make(20, lambda n: [on(n, "%d-%b-%Y"), _num(n % 20), "Court fee", "Filing", f"{n + 1}5.00", ""])), Want("unbilled_expenses", {"matter": "Mandate No", "amount": "Cost"}, {"Mandate No": "Mandates.csv"})),
    PriceList__csv=(text(["Timekeeper", "Level", "Hourly rate"], [[who, "Partner", "450.00"] for who in WHO]), Want("user_rates")),
)  # fmt: skip

# Injuries: parties of many kinds, notes with line ends, court dates.
_export(
    "casemaster-pi",
    Names__csv=(text(["NAMEID", "LASTLONG", "FIRST", "COMPANY", "HOMEPH", "WORKPH", "CELLPH", "EMAILADDR", "SSN", "BIRTHDATE"], make(40, lambda n: [n + 100, last(n), first(n), "", f"603-555-06{n:02d}", "", "", f"i{n}@mail.example", f"000-00-{n:04d}", on(n, "%m/%d/19%y")])),
        Want("contact", {"source_id": "NAMEID", "first_name": "FIRST", "company": "COMPANY", "email": "EMAILADDR", "birth_on": "BIRTHDATE"})),
    Cases__csv=(text(["CASENUM", "CASEDATE", "OPENDATE", "CLOSEDATE", "STAFF1", "SYNOPSIS", "CLASS"], make(30, lambda n: [f"20{n:04d}", on(n, "%m/%d/%Y"), on(n + 1, "%m/%d/%Y"), "", WHO[n % 3], f"Fell on ice {n}", "PREM"])),
        Want("matter", {"number": "CASENUM", "opened_on": "OPENDATE", "closed_on": "CLOSEDATE"})),
    Party__csv=(text(["CASENUM", "NAMEID", "ROLE"], make(35, lambda n: [f"20{n % 30:04d}", n + 100, "Plaintiff" if n < 30 else "Witness"])), Want("related_contact", {"matter": "CASENUM", "contact": "NAMEID", "role": "ROLE"}, {"CASENUM": "Cases.csv", "NAMEID": "Names.csv"})),
    CaseNotes__csv=(text(["CASENUM", "NOTEDATE", "STAFF", "TOPIC", "NOTE"], make(40, lambda n: [f"20{n % 30:04d}", on(n, "%m/%d/%Y"), WHO[n % 3], "Medical", f"Client called.\r\nPain is \"worse\"; sees Dr. Vance, then rests.\n\n{'More was said. ' * 9}"])),
        Want("note", {"matter": "CASENUM", "written_on": "NOTEDATE", "author": "STAFF", "body": "NOTE"}, {"CASENUM": "Cases.csv"})),
    Provider__csv=(text(["CASENUM", "NAMEID", "TREATFROM", "TREATTO", "BILLEDAMT", "PAIDAMT", "LIENAMT"], make(20, lambda n: [f"20{n:04d}", n + 100, on(n, "%m/%d/%Y"), on(n + 2, "%m/%d/%Y"), "1200.00", "200.00", "1000.00"])), Want("")),
    Calendar__csv=(text(["CASENUM", "APPTDATE", "APPTTIME", "ENDTIME", "APPTTYPE", "WHERE", "STAFF"], make(20, lambda n: [f"20{n:04d}", on(n, "%m/%d/%Y"), "9:30 AM", "10:15 AM", "Deposition", "Court reporter", WHO[n % 3]])),
        Want("calendar_event", {"matter": "CASENUM", "start_on": "APPTDATE", "start_time": "APPTTIME"}, {"CASENUM": "Cases.csv"})),
)  # fmt: skip

# Nothing of a law firm: a shop, its help desk, its staff and its sensors.
_export(
    "shop",
    products__csv=(text(["sku", "product_name", "unit_price", "qty_on_hand", "supplier"], make(30, lambda n: [f"SKU-{n:04d}", f"Chair {n}", f"{n + 9}.99", n * 3, FIRM[n % 4]])), Want("")),
    orders__csv=(text(["order_no", "order_date", "sku", "qty", "unit_price", "line_total"], make(40, lambda n: [f"O{n:05d}", on(n), f"SKU-{n % 30:04d}", 1 + n % 4, f"{n % 30 + 9}.99", f"{(1 + n % 4) * (n % 30 + 9.99):.2f}"])), Want("")),
    payroll__csv=(text(["employee_id", "pay_period", "hours", "hourly_rate", "gross_pay", "tax_withheld", "net_pay"], make(20, lambda n: [f"E{n:03d}", on(n), "80", "25.00", "2000.00", "400.00", "1600.00"])), Want("")),
    sensors__csv=(text(["ts", "device", "temp_c", "battery"], make(50, lambda n: [epoch(n), f"dev{n % 4}", f"{20 + n % 5}.{n % 10}", 90 - n % 30])), Want("")),
    tickets__csv=(text(["ticket", "opened", "closed", "requester", "summary", "priority", "status"], make(30, lambda n: [f"T{n:04d}", on(n), "", f"r{n}@mail.example", "Printer jams", "low", "open"])), Want("", also=("task", "matter"))),
)  # fmt: skip

# A firm that moved into a notebook application: sentences for headings.
_export(
    "notebook",
    Our_people__csv=(text(["Name", "Role", "Start date", "Salary"], [[full(n), "Paralegal", on(n), f"{50 + n},000.00"] for n in range(6)]), Want("")),
    Client_book__csv=(text(["Who is it?", "How do we write to them?", "Phone (best)", "Lives at", "Birthday", "Source"], make(20, lambda n: [full(n), f"k{n}@mail.example", f"603 555 07{n:02d}", f"{n} Pine St, Keene", on(n, "%d %B 19%y"), "Referral"])),
        Want("contact", {"display_name": "Who is it?", "email": "How do we write to them?", "phone": "Phone (best)", "birth_on": "Birthday"})),
    Engagements__csv=(text(["Engagement", "Client", "Kicked off", "Wrapped up", "Lead lawyer", "Stage"], make(20, lambda n: [f"ENG-{n:02d}", full(n), on(n, "%B %d, %Y"), "", full(n % 3), "Doing"])),
        Want("matter", {"number": "Engagement", "client": "Client", "responsible": "Lead lawyer"})),
    Hours__csv=(text(["When", "Engagement", "Who", "How long", "What was done"], make(40, lambda n: [on(n), f"ENG-{n % 20:02d}", full(n % 3), f"{n % 3}:{['15', '30', '45'][n % 3]}", WORK[n % 6]])),
        Want("time_entry", {"performed_on": "When", "matter": "Engagement", "staff": "Who", "hours": "How long", "description": "What was done"}, {"Engagement": "Engagements.csv"})),
)  # fmt: skip
