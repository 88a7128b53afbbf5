"""A made-up export of any size, and what must become of its work. Equal calls give equal bytes.

Sizes: `small` is a firm of 500 clients, `large` the most a vendor's move takes (90,000 cards, 65,000 matters, a million
time entries), `huge` the same firm with ten times the work, `long` a smaller one whose notes are a list of 10 GB,
`sheets` the large one whose work comes as a workbook. Columns are made by arithmetic on the row's number, so a
million rows take a second. `python -m bench.export FOLDER SIZE` writes one.
"""

import csv
import json
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

_SHEET = 1_000_000
_BLOCK = 500_000
"""Rows made at a time, so that ten million take no more memory than half a million."""


@dataclass(frozen=True)
class Size:
    """How many rows of each list."""

    cards: int
    matters: int
    time: int
    notes: int
    emails: int
    events: int
    tasks: int
    calls: int
    balances: int
    sentences: int = 1
    """Of a note, about 150 bytes each."""
    in_sheets: bool = False
    """The work comes as a workbook, a million rows a sheet."""


SIZES = {
    "small": Size(625, 700, 8_000, 3_000, 500, 400, 400, 300, 200),
    "middle": Size(9_000, 6_500, 100_000, 30_000, 10_000, 5_000, 6_000, 5_000, 2_000),
    "large": Size(90_000, 65_000, 1_000_000, 300_000, 100_000, 50_000, 60_000, 50_000, 20_000),
    "huge": Size(90_000, 65_000, 10_000_000, 1_000_000, 100_000, 50_000, 60_000, 50_000, 20_000),
    "long": Size(9_000, 6_500, 100_000, 5_050_000, 10_000, 5_000, 6_000, 5_000, 2_000, sentences=14),
    "sheets": Size(90_000, 65_000, 1_000_000, 300_000, 100_000, 50_000, 60_000, 50_000, 20_000, in_sheets=True),
}
_FIRST = ["Anna", "Ben", "Chloé", "David", "Emma", "Farid", "Grace", "Hugo", "Iris", "Jack", "Kofi", "Lena", "Miguel", "Nora", "Omar", "Pia", "Quinn", "Rosa", "Sam", "Tomás"]
_LAST = ["Adams", "Baker", "Clarke", "Diaz", "Evans", "Fischer", "García", "Hughes", "Ivanov", "Jones", "Kim", "López", "Miller", "Nguyen", "O'Brien", "Patel", "Quiroz", "Rossi", "Smith", "Turner"]
_STAFF = [("Jane Doe", "JD"), ("Richard Roe", "RR"), ("Maria Lind", "ML"), ("Tom Hardy", "TH"), ("Aisha Khan", "AK"), ("Paul Weber", "PW")]
_WORK = ["Draft letter to the other side", "Telephone call with client", "Review of disclosure, volume \"B\"", "Prepare for hearing", "Research, limitation", "Settle terms; send to counsel"]
_TYPES = ["Conveyancing", "Family", "Commercial lease", "Probate", "Litigation"]
_BODY = "Spoke to the client about the next steps. We are to wait for the valuation before the offer is made, and to diarise a call for the week after.\n"


_SAID = [
    "The other side will not agree to the draft as it stands, and asks for the schedule of works to be attached before completion, reference ",
    "Counsel advises that the limitation point should be pleaded, but not relied upon until the medical evidence is in, paragraph ",
    "Client is content to wait until the end of the quarter if the deposit is released to the stakeholder in the meantime, under ",
    "We discussed the costs so far and the estimate to trial; a further payment on account is due before the next hearing, invoice ",
    "The search has come back with an entry that nobody expected: a right of way over the yard behind the premises, plan ",
    "Agreed to instruct the surveyor jointly, each side to bear its own costs, with a report to be exchanged by the month's end, file ",
]


def pick(words: list[str], number: pl.Expr) -> pl.Expr:
    """One of the words by the row's number."""
    return number.cast(pl.UInt32).mod(len(words)).replace_strict(list(range(len(words))), words, return_dtype=pl.String)


def stir(number: pl.Expr, salt: int, below: int) -> pl.Expr:
    """A number that jumps about, from 0 up to `below`, told by the row's number."""
    mixed = (number.cast(pl.UInt64) + salt) * 2_654_435_761 % 4_294_967_296
    return (mixed * 40_503 // 65_536 % 1_000_003 % below).cast(pl.Int64)


def _cents(units: pl.Expr) -> pl.Expr:
    """An amount of whole cents as a report prints it."""
    whole, rest = units // 100, units % 100
    return pl.concat_str(whole.cast(pl.String), pl.lit("."), rest.cast(pl.String).str.zfill(2))


def _number(matter: pl.Expr) -> pl.Expr:
    return pl.concat_str((matter % 15 + 10).cast(pl.String), pl.lit("-"), matter.cast(pl.String).str.zfill(5))


def _card_name(card: pl.Expr) -> pl.Expr:
    return pl.concat_str(pick(_LAST, card // 20), pl.lit("-"), (card // 400).cast(pl.String), pl.lit(", "), pick(_FIRST, card))


def _day(number: pl.Expr) -> pl.Expr:
    """A day in 2023 or 2024, printed in one of four ways; each can be read in one way only."""
    day = pl.date(2023, 1, 13) + pl.duration(days=stir(number, 5, 500))
    shape = stir(number, 6, 20)
    return (
        pl.when(shape < 14).then(day.dt.strftime("%Y-%m-%d"))
        .when(shape < 17).then(day.dt.strftime("%d-%b-%Y"))
        .when(shape < 19).then(day.dt.strftime("%-d %B %Y"))
        .otherwise((day - pl.date(1899, 12, 30)).dt.total_days().cast(pl.String))
    )  # fmt: skip


def _staff(number: pl.Expr) -> pl.Expr:
    full, short = [name for name, _ in _STAFF], [initials for _, initials in _STAFF]
    return pl.when(stir(number, 9, 3) == 0).then(pick(full, number)).otherwise(pick(short, number))


def _cards(n: pl.Expr, size: Size) -> dict[str, pl.Expr]:
    first, last = pick(_FIRST, n), pl.concat_str(pick(_LAST, n // 20), pl.lit("-"), (n // 400).cast(pl.String))
    company = n % 7 == 6
    mail = pl.concat_str(pl.lit("c"), n.cast(pl.String), pl.lit("@mail.example"))
    phone = pl.concat_str(pl.lit("("), (stir(n, 1, 700) + 201).cast(pl.String), pl.lit(") 555-"), (n % 10_000).cast(pl.String).str.zfill(4))
    return {
        "Card ID": pl.concat_str(pl.lit("C"), n.cast(pl.String).str.zfill(6)),
        "Card Name": _card_name(n),
        "Card Type": pl.when(company).then(pl.lit("Organisation")).otherwise(pl.lit("People")),
        "Title": pl.when(company).then(pl.lit("")).otherwise(pick(["Mr", "Ms", "Dr", ""], stir(n, 2, 4))),
        "First Name": pl.when(~company).then(first),
        "Last Name": pl.when(n % 43 == 5).then(mail).when(~company).then(last),
        "Organisation": pl.when(company).then(pl.concat_str(last, pl.lit(" Holdings LLC"))),
        "Email": pl.when(n % 37 == 2).then(mail + "; " + mail.str.replace("@mail", "@work")).when(n % 43 != 5).then(mail),
        "Phone": pl.when(n % 50 == 7).then(pl.lit("call after 5")).when(n % 3 == 0).then(phone),
        "Mobile": phone,
        "Address": pl.concat_str(n.cast(pl.String), pl.lit(" Main Street")),
        "City": pick(["Concord", "Dover", "Keene", "Nashua"], n),
        "State": pl.lit("NH"),
        "Zip": (3000 + n % 999).cast(pl.String).str.zfill(5),
    }


def _matters(n: pl.Expr, size: Size) -> dict[str, pl.Expr]:
    opened = pl.date(2015, 1, 13) + pl.duration(days=stir(n, 3, 3000))
    return {
        "Matter No": _number(n),
        "Description": pl.concat_str(pick(_TYPES, n), pl.lit(" - "), pick(_LAST, n // 20)),
        "Client": pl.when(n % 90 == 31).then(pl.concat_str(pl.lit("Estate of "), pick(_LAST, n), pl.lit(" "), n.cast(pl.String))).otherwise(_card_name(n % size.cards)),
        "Matter Type": pick(_TYPES, n),
        "Matter Status": pick(["In progress", "Open", "Closed", "Archived"], n),
        "Open Date": opened.dt.strftime("%Y-%m-%d"),
        "Close Date": pl.when(n % 4 >= 2).then((opened + pl.duration(days=200)).dt.strftime("%Y-%m-%d")),
        "Person Responsible": pick([name for name, _ in _STAFF], n),
    }


def _time(n: pl.Expr, size: Size) -> dict[str, pl.Expr]:
    units, rate = stir(n, 11, 40) + 1, (stir(n, 12, 12) + 9) * 2000
    amount = units * rate // 10 + pl.when(n % 175 == 30).then(1250).otherwise(0)
    text = pl.concat_str(pick(_WORK, stir(n, 13, 6)), pl.lit(" no. "), stir(n, 14, 5_000).cast(pl.String))
    billed = stir(n, 15, 4) == 3
    return {
        "Date": _day(n),
        "Matter No": pl.when(n % 977 == 50).then(pl.lit("99-99999")).otherwise(_number(stir(n // 15, 16, size.matters))),
        "Staff": _staff(n),
        "Description": pl.when(n % 50 == 0).then(text + "\nSee the file.").otherwise(text),
        "Units": units.cast(pl.String),
        "Rate": pl.concat_str(pl.lit("$"), _cents(rate)),
        "Amount": pl.concat_str(pl.lit("$"), _cents(amount)),
        "Billed": pl.when(billed).then(pl.lit("Yes")).otherwise(pl.lit("No")),
        "Invoice No": pl.when(billed).then(pl.concat_str(pl.lit("INV-"), (n // 40).cast(pl.String))),
    }


def _notes(n: pl.Expr, size: Size) -> dict[str, pl.Expr]:
    more = [pl.concat_str(pick(_SAID, stir(n, 80 + place, 6)), stir(n, 100 + place, 90_000).cast(pl.String), pl.lit(".\n")) for place in range(size.sentences - 1)]
    body = pl.concat_str(pl.lit(_BODY), *more, pl.lit("Folder "), n.cast(pl.String), pl.lit(", 12\" plan.\r\n"), pl.when(n % 3 == 0).then(pl.lit(_BODY)).otherwise(pl.lit("")))
    return {
        "Date": _day(n), "Author": _staff(n), "Subject": pick(["Attendance", "Telephone call", "Advice"], n), "File Note": body,
        "Matter No": _number(stir(n, 21, size.matters)),
    }  # fmt: skip


def _emails(n: pl.Expr, size: Size) -> dict[str, pl.Expr]:
    return {
        "Date": _day(n), "Time": pl.lit("10:15 AM"), "From": pl.lit("jane@doe-roe.example"), "To": pl.concat_str(pl.lit("c"), (n % size.cards).cast(pl.String), pl.lit("@mail.example")),
        "Subject": pl.concat_str(pl.lit("Re: your matter, "), n.cast(pl.String)), "Body": pl.lit(_BODY * 4), "Matter No": _number(stir(n, 31, size.matters)),
    }  # fmt: skip


def _events(n: pl.Expr, size: Size) -> dict[str, pl.Expr]:
    day = _day(n)
    return {
        "Subject": pl.lit("Client meeting"), "Start Date": day, "Start Time": pl.lit("9:30 AM"), "End Date": day, "End Time": pl.lit("10:30 AM"),
        "All day event": pl.lit("False"), "Staff": _staff(n), "Matter No": _number(stir(n, 41, size.matters)), "Location": pl.lit("Court 2"),
    }  # fmt: skip


def _tasks(n: pl.Expr, size: Size) -> dict[str, pl.Expr]:
    return {
        "Task": pl.concat_str(pl.lit("File motion "), n.cast(pl.String)), "Due Date": _day(n), "Assigned To": _staff(n),
        "Priority": pick(["High", "Normal"], n), "Completed": pl.lit("No"), "Matter No": _number(stir(n, 51, size.matters)),
    }  # fmt: skip


def _calls(n: pl.Expr, size: Size) -> dict[str, pl.Expr]:
    return {
        "Date": _day(n), "Time": pl.lit("2:05 PM"), "Caller": _card_name(n % size.cards), "Call For": _staff(n), "Phone Number": pl.lit("+1 (603) 555-0100"),
        "Direction": pl.lit("Inbound"), "Minutes": (6 + n % 30).cast(pl.String), "Message": pl.lit("called back"), "Matter No": _number(stir(n, 61, size.matters)),
    }  # fmt: skip


def _balances(n: pl.Expr, size: Size) -> dict[str, pl.Expr]:
    due = pl.concat_str(pl.lit("$"), _cents(30_000 + stir(n, 71, 400_000)))
    return {
        "Matter No": _number(n % size.matters), "Debtor": _card_name(n % size.cards), "Invoice No": pl.concat_str(pl.lit("INV-B"), n.cast(pl.String)),
        "Invoice Date": pl.lit("2024-05-13"), "Total": due, "Paid": pl.lit("0.00"), "Total Outstanding": due,
    }  # fmt: skip


LISTS = {
    "Cards.csv": ("cards", _cards), "Matters.csv": ("matters", _matters), "WIP.csv": ("time", _time), "File Notes.csv": ("notes", _notes),
    "Mail log.csv": ("emails", _emails), "Diary.csv": ("events", _events), "Tasks.csv": ("tasks", _tasks), "Calls.csv": ("calls", _calls),
    "Aged Debtors.csv": ("balances", _balances),
}  # fmt: skip


def make_list(folder: Path, name: str, size: Size) -> Path:
    """Write one list of the export."""
    field, columns = LISTS[name]
    count, path = getattr(size, field), folder / name
    with path.open("wb") as out:
        for start in range(0, count, _BLOCK):
            numbers = pl.DataFrame({"n": pl.int_range(start, min(start + _BLOCK, count), dtype=pl.Int64, eager=True)})
            rows = numbers.select(expression.alias(heading) for heading, expression in columns(pl.col("n"), size).items())
            rows.write_csv(out, include_header=start == 0, line_terminator="\r\n")
    return path


def make_workbook(path: Path) -> Path:
    """The same rows as sheets of a workbook, each filled to a million."""
    import xlsxwriter

    made = path.with_suffix(".xlsx")
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with path.open(newline="") as file, xlsxwriter.Workbook(made, options) as book:
        rows = csv.reader(file)
        head = next(rows)
        for number, row in enumerate(rows):
            line = number % _SHEET
            if line == 0:
                sheet = book.add_worksheet(f"WIP {number // _SHEET + 1}")
                sheet.write_row(0, 0, head)
            for place, cell in enumerate(row):
                if cell:
                    sheet.write_string(line + 1, place, cell)
    return made


def expected(size: Size) -> dict[str, Any]:
    """What must come out of the work: rows by place, and the cents of what is written."""
    totals = {"carried": 0, "excluded": 0, "quarantined": 0, "cents": 0}
    for start in range(0, size.time, _BLOCK):
        n = pl.int_range(start, min(start + _BLOCK, size.time), dtype=pl.Int64, eager=True).alias("n").to_frame()
        row = pl.col("n")
        billed, lost = stir(row, 15, 4) == 3, row % 977 == 50
        written = (stir(row, 11, 40) + 1) * (stir(row, 12, 12) + 9) * 200
        block = n.select(
            excluded=billed.sum(), quarantined=(lost & ~billed).sum(), carried=(~lost & ~billed).sum(),
            cents=written.filter(~lost & ~billed).sum(),
        ).row(0, named=True)  # fmt: skip
        totals = {name: value + block[name] for name, value in totals.items()}
    return totals


def choices() -> dict[str, Any]:
    """The firm's `migration.json`."""
    users = [{"name": name, "email": f"{short.lower()}@doe-roe.example", "aliases": [short]} for name, short in _STAFF]
    return {
        "source": "leap", "target": "clio", "region": "us", "firm_name": "Doe & Roe LLP (made up)", "submitter": "Jane Doe", "account_owner": True,
        "users": users, "primary_subscriber": users[0]["email"], "time_zone": "America/New_York",
    }  # fmt: skip


def make_export(folder: Path, name: str) -> Path:
    """`export.zip`, `migration.json`, `expected.json` and `rows.json` of one size, below `folder`; the lists lie in `lists/`."""
    size, lists = SIZES[name], folder / "lists"
    lists.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "export.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for one in LISTS:
            path = make_list(lists, one, size)
            if size.in_sheets and one == "WIP.csv":
                path = make_workbook(path)
            archive.write(path, path.name)
    (folder / "migration.json").write_text(json.dumps(choices(), indent=1) + "\n")
    (folder / "rows.json").write_text(json.dumps(sum(getattr(size, field) for field, _ in LISTS.values())) + "\n")
    (folder / "expected.json").write_text(json.dumps(expected(size), indent=1) + "\n")
    return folder / "export.zip"


def main() -> None:
    make_export(Path(sys.argv[1]), sys.argv[2])


if __name__ == "__main__":
    main()
