"""Make the sample firm: a bag of files as a firm of 500 clients would send it, and the ledger it must end in.

Usage: python -m samples.generate OUT [--clients 500] [--seed 7]

Every stream of chance is seeded, so the same call gives the same bytes. The expected ledger is kept while the rows
are made, never read back from the result of a run. Names, firms and addresses are invented.
"""

import argparse
import csv
import io
import json
import random
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

FIRST = ["Anna", "Ben", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jürgen", "Kofi", "Leila", "Mateo", "Nadia", "Oskar", "Petra", "Quentin", "Renée", "Sofía", "Tomás", "Uma", "Victor", "Wanda", "Xavier", "Yusuf", "Zoë", "Aaron", "Bianca", "Cedric", "Dolores", "Emil", "Fatima", "Gustav", "Hana", "Igor", "Judith"]
LAST = ["Abbott", "Baptiste", "Castellano", "Drummond", "Eriksen", "Fontaine", "Gallagher", "Hernández", "Ibrahim", "Jansen", "Kowalczyk", "Lindqvist", "Müller", "Nakamura", "O'Brien", "Pettersson", "Quigley", "Rasmussen", "Santos", "Thibodeaux", "Underwood", "Vasquez", "Whitfield", "Xiong", "Yamada", "Zimmermann", "Ashworth", "Blackwood", "Carmichael", "D'Angelo", "Ellsworth", "Fitzgerald", "Greenberg", "Holloway", "Ingram", "Jefferson"]
TRADES = ["Joinery", "Bakery", "Logistics", "Orchard", "Marine", "Optical", "Press", "Roofing", "Textiles", "Vineyard", "Motors", "Dental"]
STREETS = ["Maple Ave", "Harbor St", "Mill Rd", "Orchard Ln", "Station Rd", "Church St", "Elm Ct", "Ridge Way"]
CITIES = (("Springfield", "IL", "06270"), ("Concord", "NH", "03301"), ("Portland", "ME", "04101"), ("Salem", "OR", "97301"))
WORK = ["Telephone attendance", "Draft letter to client", "Review of contract", "Court appearance", "Research on title", "Conference"]
TYPES = ["Conveyancing", "Family Law", "Commercial Lease", "Wills and Estates", "Personal Injury", "Litigation"]
STAGES = ("Open", "Open", "Open", "Discovery", "Awaiting Settlement", "Closed", "Archived")
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Staff:
    name: str
    initials: str
    email: str
    licence: str = "active"
    known: bool = True


STAFF = (
    Staff("Jane Doe", "JD", "jane@doe-roe.example"), Staff("Richard Roe", "RR", "richard@doe-roe.example"),
    Staff("Mary Major", "MM", "mary@doe-roe.example"), Staff("John Stiles", "JS", "john@doe-roe.example"),
    Staff("Ada Okafor", "AO", "ada@doe-roe.example"), Staff("Luis Paz", "LP", "luis@doe-roe.example"),
    Staff("Greta Holm", "GH", "greta@doe-roe.example", licence="none"),
    Staff("Sam Former", "SF", "", known=False),
)  # fmt: skip


@dataclass
class Truth:
    """The expected ledger, kept while the rows are made."""

    places: dict[str, Counter[str]] = field(default_factory=dict)
    sums: dict[str, Decimal] = field(default_factory=dict)
    derived: Counter[str] = field(default_factory=Counter)
    exclusions: Counter[str] = field(default_factory=Counter)

    def row(self, record: str, place: str, count: int = 1) -> None:
        self.places.setdefault(record, Counter())[place] += count

    def add(self, name: str, amount: Decimal) -> None:
        self.sums[name] = self.sums.get(name, Decimal(0)) + amount

    def as_json(self) -> dict[str, Any]:
        types = {
            record: {"read": sum(c.values()), **{p: c.get(p, 0) for p in ("carried", "merged", "excluded", "quarantined")}}
            for record, c in sorted(self.places.items())
        }
        return {
            "types": types, "sums": {k: str(v) for k, v in sorted(self.sums.items())},
            "derived": dict(sorted(self.derived.items())), "exclusions": dict(sorted(self.exclusions.items())),
        }  # fmt: skip


@dataclass(frozen=True)
class Card:
    identity: str
    display: str
    first: str
    last: str
    company: str
    email: str
    mobile: str


@dataclass(frozen=True)
class Matter:
    number: str
    client: str
    card: Card | None
    staff: Staff
    opened: date
    closed: date | None
    stage: str
    description: str


class Firm:
    """One made-up firm. `files` holds the export, `truth` what must become of it."""

    def __init__(self, clients: int, seed: int) -> None:
        self.clients, self.seed = clients, seed
        self.truth = Truth()
        self.files: dict[str, bytes] = {}
        self.cards = self._cards()
        self.matters = self._matters()
        self._parties()
        self._time()
        self._receivables()
        self._trust()
        self._papers()
        self._left_out()
        self._documents()

    def chance(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}:{name}")

    # Cards: a CSV in Windows-1252, with what people really type into name fields.
    def _cards(self) -> list[Card]:
        dice, rows, cards = self.chance("cards"), [], []
        head = ["Card ID", "Card Name", "Card Type", "Title", "First Name", "Last Name", "Organisation", "Email", "Phone", "Home",
                "Mobile", "Fax", "Address", "City", "State", "Zip", "DOB", "Letter Dear", "Marketing Source"]  # fmt: skip
        for number in range(self.clients + self.clients // 4):
            first, last = FIRST[number % len(FIRST)], LAST[(number // len(FIRST)) % len(LAST)]
            tail = number // (len(FIRST) * len(LAST))
            last = last + (f"-{LAST[tail % len(LAST)]}{tail // len(LAST) or ''}" if tail else "")
            is_company = number % 7 == 6
            company = f"{last} {TRADES[number % len(TRADES)]} {number} LLC" if is_company else ""
            display = company or f"{last}, {first}"
            city, state, code = CITIES[number % len(CITIES)]
            email = f"{first.encode('ascii', 'ignore').decode().lower()}.{number}@mail.example"
            mobile = f"({dice.randint(201, 989)}) 555-{number % 10000:04d}"
            card = Card(f"C{number:05d}", display, "" if is_company else first, "" if is_company else last, company, email, mobile)
            title, shown_last, phone = dice.choice(["Mr", "Ms", "Dr", ""]) if not is_company else "", card.last, ""
            if number % 41 == 3 and not is_company:
                title = f"555-{number % 10000:04d} 01"  # a telephone number in the prefix
            if number % 43 == 5 and not is_company:
                shown_last, email = f"{first.encode('ascii', 'ignore').decode().lower()}@wrong-field.example", ""
                card = Card(card.identity, display, first, shown_last, "", "", mobile)
            if number % 50 == 7:
                phone = "call after 5"
            if number % 37 == 2:
                email = f"{email}; {first.encode('ascii', 'ignore').decode().lower()}.{number}@work.example"
            born = date(1940 + number % 60, 1 + number % 12, 1 + number % 28)
            birth = "" if is_company or number % 3 else born.strftime("%m/%d/%Y")
            if number in (9, 18):
                birth = "02/31/1980"
            rows.append([card.identity, card.display, "Organisation" if is_company else "People", title, card.first, shown_last, company, email,
                         phone, f"(603) 555-{(number * 7) % 10000:04d}" if number % 4 == 0 else "", mobile, f"(603) 556-{number % 10000:04d}" if number % 9 == 0 else "",
                         f"{number + 1} {STREETS[number % len(STREETS)]}", city, state, code, birth, first, "Referral" if number % 5 else ""])  # fmt: skip
            cards.append(card)
            self.truth.row("contact", "carried")
        for number in (11, 22, 33):  # exported twice, to the letter
            rows.append(list(rows[number]))
            self.truth.row("contact", "merged")
        rows.append(["C99999", "", "People", "", "", "", "", "nobody@mail.example", *[""] * 11])
        self.truth.row("contact", "quarantined")
        self.files["Cards export (all).csv"] = delimited(head, rows, "cp1252")
        return cards

    # The matter list, as Clio asks for it: grouped by the person responsible, in Excel.
    def _matters(self) -> list[Matter]:
        dice, matters = self.chance("matters"), []
        count = self.clients + self.clients * 2 // 5
        for number in range(count):
            staff = STAFF[number % len(STAFF)]
            card = self.cards[number % self.clients]
            opened = date(2015, 1, 5) + timedelta(days=(number * 5) % 3300)
            stage = STAGES[number % len(STAGES)]
            closed = opened + timedelta(days=200) if stage in {"Closed", "Archived"} else None
            client: str = card.display
            description = f"{TYPES[number % len(TYPES)]} - {card.last or card.company}"
            if number % 70 == 12:
                other = self.cards[(number + 1) % self.clients]
                client = f"{card.display}; {other.display}"
                self.truth.derived["related_contact"] += 1
            elif number % 90 == 31:
                client = f"Estate of {LAST[number % len(LAST)]} {number}"
                self.truth.derived["contact"] += 1
            elif number % 120 == 44:
                client = ""
                self.truth.derived["unknown"] = 1
            if number % 110 == 21:
                description = ""
            other_side = f"{dice.choice(LAST)} Holdings {number} Inc" if number % 25 == 4 else ""
            if other_side:
                self.truth.derived["related_contact"] += 1
                self.truth.derived["contact"] += 1
            matters.append((Matter(f"{opened:%y}-{number:04d}", client, card, staff, opened, closed, stage, description), other_side))
            self.truth.row("matter", "carried")
        self.truth.derived["contact"] += self.truth.derived.pop("unknown", 0)
        head = ["Matter No", "Description", "Client", "Matter Type", "Matter Status", "Open Date", "Close Date", "Archived", "Person Acting",
                "Other Side", "Ledger Code"]  # fmt: skip
        rows: list[list[Any]] = [["Doe & Roe LLP"], ["Matter List"], ["As at", date(2024, 5, 31)], [], list(head)]
        for staff in STAFF:
            own = [(m, side) for m, side in matters if m.staff == staff]
            rows.append([f"Staff Responsible: {staff.name}"])
            for place, (m, side) in enumerate(own):
                rows.append([m.number, m.description, m.client, TYPES[place % len(TYPES)], m.stage, m.opened, m.closed or "",
                             "Yes" if m.stage == "Archived" else "No", STAFF[place % 6].name, side, f"L{place:04d}"])  # fmt: skip
                if place % 45 == 44:
                    rows.append(list(head))
            rows.append([f"Total {staff.name}", "", "", "", "", "", "", len(own)])
        rows.append(["Page 1 of 1"])
        self.files["Copy of Matter List (2).xlsx"] = workbook({"Matter List": rows, "Notes to self": [["printed for the move"]]})
        return [m for m, _ in matters]

    def _parties(self) -> None:
        rows = []
        for number, matter in enumerate(self.matters):
            if number % 6 == 1:
                other = self.cards[self.clients + number % (self.clients // 4)]
                rows.append([matter.number, other.display, "Witness" if number % 12 == 1 else "Other Side's Attorney"])
                self.truth.row("related_contact", "carried")
        rows.append([self.matters[0].number, "Nobody, Known", "Witness"])
        self.truth.row("related_contact", "quarantined")
        self.files["Matter Parties.csv"] = delimited(["Matter No", "Contact Name", "Role"], rows, "utf-8-sig")

    # Time: one file for each year, as the web export gives it; billed work among it; sub-totals per matter.
    def _time(self) -> None:
        dice = self.chance("time")
        older: list[list[Any]] = []
        newer: list[list[Any]] = [["Time and Fees"], ["Printed on 06/03/2024"], [],
                                  ["Date", "Matter No", "Staff", "Task", "Description", "Hours", "Rate", "Amount", "Billed", "Invoice No"]]  # fmt: skip
        grand_hours = grand = Decimal(0)
        for number, matter in enumerate(self.matters):
            hours_sum = amount_sum = Decimal(0)
            lines = 0
            for turn in range(6 + number % 5):
                staff = STAFF[(number + turn) % len(STAFF)] if turn % 9 == 8 else STAFF[(number + turn) % 6]
                year = 2023 + turn % 2
                # The firm stopped at the end of May 2024; a few entries came later all the same.
                late = year == 2024 and number % 200 == 61
                months = 12 if year == 2023 else 5
                day = date(2024, 6, 1 + turn % 2) if late else date(year, 1 + (number + turn) % months, 1 + (number * 3 + turn) % 28)
                units = 1 + (number + turn) % 20
                hours, rate = Decimal(units) / 10, Decimal(180 + 20 * (turn % 6))
                amount = (hours * rate).quantize(CENT)
                billed = turn % 4 == 3
                if number % 175 == 30 and turn == 0:
                    amount += Decimal("12.50")  # written down by hand in the old system
                wrong = number % 233 == 50 and turn == 1
                where = "99-9999" if wrong else matter.number
                text = f'{dice.choice(WORK)}, re "{matter.number}"' if turn % 5 == 0 else dice.choice(WORK)
                self._time_truth(staff, hours, rate, amount, billed, wrong)
                shown = staff.initials if turn % 2 else staff.name
                if day.year == 2023:
                    older.append([day.strftime("%Y-%m-%d"), where, shown, text, units, f"${rate:,.2f}", f"${amount:,.2f}", "Yes" if billed else "No",
                                  f"INV-{number}{turn}" if billed else ""])  # fmt: skip
                else:
                    newer.append([day, where, shown, "Attend", text, float(hours), float(rate), float(amount), "Billed" if billed else "", f"INV-{number}{turn}" if billed else ""])
                    hours_sum, amount_sum, lines = hours_sum + hours, amount_sum + amount, lines + 1
            if lines:
                newer.append(["Sub Total", "", "", "", "", float(hours_sum), "", float(amount_sum)])
                grand_hours, grand = grand_hours + hours_sum, grand + amount_sum
        newer.append(["Grand Total", "", "", "", "", float(grand_hours), "", float(grand)])
        head = ["Date", "Matter No", "Staff", "Description", "Units", "Rate", "Amount", "Billed", "Invoice No"]
        self.files["WIP 2023.csv"] = delimited(head, older, "utf-8")
        if len(newer) < 1_000_000:
            self.files["WIP 2024.xlsx"] = workbook({"Sheet1": newer})
        else:  # a sheet ends at 1,048,576 rows: firms of that size get CSV
            self.files["WIP 2024.csv"] = delimited(newer[3], [[day_text(c) for c in row] for row in newer[4:]], "utf-8")

    def _time_truth(self, staff: Staff, hours: Decimal, rate: Decimal, amount: Decimal, billed: bool, wrong: bool) -> None:
        if billed:
            self.truth.row("time_entry", "excluded")
            self.truth.exclusions["billed_time_entries"] += 1
        elif wrong or staff.licence != "active" or not staff.known:
            self.truth.row("time_entry", "quarantined")
        else:
            self.truth.row("time_entry", "carried")
            self.truth.add("hours_written", hours)
            self.truth.add("time_written", (hours * rate).quantize(CENT))
            self.truth.add("time_exported", amount)

    # Aged debtors: a header on two rows, the matter named on the first of its rows only, sub-totals per client.
    def _receivables(self) -> None:
        rows: list[list[Any]] = [["Aged Debtors"], ["As at 05/31/2024"], [],
                                 ["Matter", "Debtor", "Invoice", "Invoice", "Total", "Paid", "Aged Balances", "", "Total"],
                                 ["No", "Name", "No", "Date", "", "", "Current", "30 Days", "Outstanding"]]  # fmt: skip
        grand = Decimal(0)
        for number, matter in enumerate(self.matters):
            if number % 6 != 2:
                continue
            own = Decimal(0)
            for turn in range(1 + number % 3):
                total = Decimal(300 + (number * 37 + turn * 11) % 4000) + Decimal("0.25")
                paid = Decimal(100) if turn else Decimal(0)
                due = total - paid if number % 60 != 8 else Decimal(0)
                credit = turn == 2 and number % 24 == 2 and due  # a credit note, in parentheses
                shown = f"({due:,.2f})" if credit else f"{due:,.2f}"
                due = -due if credit else due
                first = turn == 0
                rows.append([matter.number if first else "", matter.card.display if first and matter.card else "", f"INV-{number}-{turn}",
                             date(2024, 1 + turn * 2, 13 + number % 15), f"${total:,.2f}", f"{paid:,.2f}", shown, "", shown])  # fmt: skip
                own += due
                self.truth.row("receivable", "excluded" if number % 60 == 8 else "carried" if first else "merged")
            rows.append(["Total", "", "", "", "", "", "", "", f"{own:,.2f}" if own >= 0 else f"({-own:,.2f})"])
            grand += own
            self.truth.add("receivable", own)
        rows.append(["Grand Total", "", "", "", "", "", "", "", f"{grand:,.2f}"])
        rows.append(["Report generated by LEAP"])
        self.files["Aged Debtors at 31 May.xlsx"] = workbook({"Report": rows})

    def _trust(self) -> None:
        rows = [["Trust Trial Balance"], ["As at 31 May 2024"], [""], ["Matter No", "Client", "Account", "Trust Balance"]]
        total = Decimal(0)
        for number, matter in enumerate(self.matters):
            if number % 8 != 5:
                continue
            held = Decimal(1000 + (number * 91) % 20000) + Decimal("0.10")
            client = matter.card.display if matter.card else ""
            rows.append([matter.number, client, "Trust", f"{held:,.2f}"])
            rows.append([matter.number, client, "Controlled Money", "250.00 CR"])
            self.truth.row("trust", "carried")
            self.truth.row("trust", "merged")
            self.truth.add("trust", held + 250)
            total += held + 250
        lone = self.cards[1]
        rows.append(["", lone.display, "Trust", "500.00"])
        rows.append(["", "Nobody, Known", "Trust", "60.00"])
        self.truth.row("trust", "carried")
        self.truth.row("trust", "quarantined")
        self.truth.add("trust", Decimal(500))
        rows.append(["Total", "", "", f"{total + 560:,.2f}"])
        self.files["trust tb.csv"] = delimited(rows[0], rows[1:], "utf-16")

    def _papers(self) -> None:
        tasks, notes, events, mails, calls = [], [], [], [], []
        for number, matter in enumerate(self.matters):
            person = STAFF[number % 6]
            day = date(2024, 1, 1) + timedelta(days=(number * 3) % 500)
            if number % 3 == 0:
                tasks.append([f"File motion {number}", day.strftime("%d-%b-%y"), person.initials if number % 2 else "Sam Former", "High" if number % 5 else "Normal", "No", matter.number])
                self.truth.row("task", "carried")
            lost = number % 150 == 70
            notes.append([day.strftime("%m/%d/%Y"), person.name, "Attendance", f"Spoke to client.\nWill call back; see 12\" plan {number}", "88-8888" if lost else matter.number])
            self.truth.row("note", "quarantined" if lost else "carried")
            if number % 4 == 1:
                events.append([f"{matter.number} - hearing" if number % 8 == 1 else "Client meeting", day.strftime("%m/%d/%Y"), "9:30 AM", day.strftime("%m/%d/%Y"), "10:30 AM",
                               "False", person.name, "" if number % 8 == 1 else matter.number, "Court 2"])  # fmt: skip
                self.truth.row("calendar_event", "carried")
            if number % 5 == 2 and matter.card:
                mails.append([day.strftime("%m/%d/%Y"), "10:15 AM", person.email or "firm@doe-roe.example", matter.card.email or "client@mail.example", f"Re: {matter.number}", "Dear client, =SUM(A1) is no formula.", matter.number])
                self.truth.row("email", "carried")
            if number % 9 == 4:
                calls.append([day.strftime("%m/%d/%Y"), "2:05 PM", matter.client or "unknown", person.name, "+1 (603) 555-0100", "Inbound", 6 + number % 30, "-called back", matter.number])
                self.truth.row("phone_log", "carried")
        self.files["tasks.csv"] = delimited(["Task", "Due Date", "Assigned To", "Priority", "Completed", "Matter No"], tasks, "utf-8", ";")
        self.files["File Notes.txt"] = delimited(["Date", "Author", "Subject", "File Note", "Matter No"], notes, "utf-8", "\t")
        self.files["Diary.csv"] = delimited(["Subject", "Start Date", "Start Time", "End Date", "End Time", "All day event", "Staff", "Matter No", "Location"], events, "utf-8-sig")
        self.files["Mail log.csv"] = delimited(["Date", "Time", "From", "To", "Subject", "Body", "Matter No"], mails, "utf-8")
        self.files["calls.csv"] = delimited(["Date", "Time", "Caller", "Call For", "Phone Number", "Direction", "Minutes", "Message", "Matter No"], calls, "utf-8")

    def _left_out(self) -> None:
        """Kinds the target does not take."""
        ledger = [[f"{1 + n % 5:02d}/{1 + n % 28:02d}/2024", f"R{n:04d}", f"Receipt {n}", "", f"{100 + n}.00", ""] for n in range(40)]
        self.files["trust ledger.csv"] = delimited(["Date", "Rec No", "Paid to/Received from & Reason", "Withdrawal", "Deposit", "Balance"], ledger, "utf-8")
        rates = [[s.name, "350.00"] for s in STAFF]
        self.files["rates.csv"] = delimited(["Staff", "Hourly Rate"], rates, "utf-8")
        costs = [[f"2024-05-{1 + n % 28:02d}", self.matters[n].number, "Filing fee", "Court filing", "45.00"] for n in range(25)]
        self.files["disbursements.csv"] = delimited(["Date", "Matter No", "Disbursement Type", "Description", "Amount"], costs, "utf-8")
        for name, rows, record in (("trust_account_transactions", ledger, "excluded"), ("user_rates", rates, "excluded"), ("unbilled_expenses", costs, "time_entry")):
            self.truth.row(record, "excluded", len(rows))
            self.truth.exclusions[name] += len(rows)
        self.files["safe custody.csv"] = delimited(["Packet", "Shelf", "Seal"], [["P1", "A", "red"], ["P2", "B", "blue"]], "utf-8")

    def _documents(self) -> None:
        for number in range(30):
            matter = self.matters[(number * 7) % len(self.matters)]
            name = f"Documents/{matter.number} {TYPES[number % len(TYPES)]}/Letter {number}.rtf"
            self.files[name] = b"{\\rtf1 Letter %d to the client of this matter.}" % number
            self.truth.row("document", "excluded")
            self.truth.exclusions["documents"] += 1
        self.files["Aged WIP Report.pdf"] = b"%PDF-1.4\n% a report printed to PDF; its numbers are in the lists\n%%EOF\n"
        self.truth.row("document", "excluded")
        self.truth.exclusions["documents"] += 1

    def choices(self) -> dict[str, Any]:
        """The firm's `migration.json`."""
        users = [{"name": s.name, "email": s.email, "aliases": [s.initials], "licence": s.licence} for s in STAFF if s.known]
        return {
            "source": "leap", "target": "clio", "region": "us", "firm_name": "Doe & Roe LLP (made up)", "submitter": "Jane Doe",
            "account_owner": True, "users": users, "primary_subscriber": STAFF[0].email, "cut_off": "2024-05-31T18:00:00",
            "time_zone": "America/New_York",
        }  # fmt: skip


def day_text(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, date) else cell


def delimited(head: list[Any], rows: Iterable[list[Any]], encoding: str, delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    """A workbook with typed cells; equal calls give equal bytes."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})
        day = book.add_format({"num_format": "mm/dd/yyyy"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for place, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(number, place, datetime(cell.year, cell.month, cell.day), day)
                    elif isinstance(cell, int | float):
                        sheet.write_number(number, place, cell)
                    elif cell not in ("", None):
                        sheet.write_string(number, place, str(cell))
    return buffer.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    """A zip without a clock in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(zipfile.ZipInfo(name, (2024, 5, 31, 18, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("out", type=Path)
    words.add_argument("--clients", type=int, default=500)
    words.add_argument("--seed", type=int, default=7)
    given = words.parse_args()
    firm = Firm(given.clients, given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "LEAP-export.zip").write_bytes(archive(firm.files))
    (given.out / "migration.json").write_text(json.dumps(firm.choices(), indent=2) + "\n")
    (given.out / "expected.json").write_text(json.dumps(firm.truth.as_json(), indent=2) + "\n")


if __name__ == "__main__":
    main()
