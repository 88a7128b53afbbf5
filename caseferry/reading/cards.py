"""vCard files as a list: a row for each card, versions 2.1 to 4 in one file if need be, in the words of a contact list.

What has no column of its own is kept in the last, so that nothing is lost; pictures, sounds and keys are not text.
"""

import re
from collections.abc import Iterable

import polars as pl

from caseferry.reading.contentlines import Line, lines
from caseferry.reading.grid import Grid, from_lists

_NAMES = ("Last Name", "First Name", "Middle Name", "Prefix", "Suffix")
_ADDRESS = ("PO Box", "Address Line 2", "Address Line 1", "City", "State", "Postcode", "Country")
HEADINGS = (
    "Card Name", "Prefix", "First Name", "Middle Name", "Last Name", "Suffix", "Organisation", "Department", "Job Title", "Email", "Email 2", "Email 3", "Phone",
    "Mobile", "Home Phone", "Work Phone", "Fax", "Address Line 1", "Address Line 2", "PO Box", "City", "State", "Postcode", "Country", "Date of Birth", "Website", "Notes",
    "Categories", "Other Addresses", "Other Emails", "Other Phones", "Other Fields", "Card ID",
)  # fmt: skip
_BINARY = {"PHOTO", "LOGO", "SOUND", "KEY"}
_SILENT = {"VERSION", "PRODID", "REV", "BEGIN", "END", "PROFILE", "SORT-STRING", "CLASS", "MAILER"}
_PLAIN = {"FN": "Card Name", "TITLE": "Job Title", "BDAY": "Date of Birth", "URL": "Website", "NOTE": "Notes", "CATEGORIES": "Categories", "UID": "Card ID"}
_PHONES = (("Fax", {"fax"}), ("Mobile", {"cell", "mobile", "iphone"}), ("Home Phone", {"home"}), ("Work Phone", {"work"}), ("Phone", set[str]()))
_BIRTH = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ].*)?$")


def read_cards(text: str) -> Grid:
    """Every card of a file."""
    every: list[list[Line]] = []
    within: list[list[Line]] = []
    for line in lines(text):
        edge = line.value.strip().upper() == "VCARD"
        if line.name == "BEGIN" and edge:
            every.append([])
            within.append(every[-1])  # perhaps in another: an agent's card within its principal's
        elif line.name == "END" and edge:
            del within[-1:]
        elif within:
            within[-1].append(line)
    return from_lists(pl.Series("t", [list(HEADINGS), *map(_row, every)], dtype=pl.List(pl.String)))


def _row(card: list[Line]) -> list[str]:
    cells: dict[str, str] = {}
    labels = {line.group: line.value for line in card if line.name == "X-ABLABEL" and line.group}
    has_address = any(line.name == "ADR" for line in card)
    card = [line for line in card if not (line.name == "LABEL" and has_address) and not (line.name == "X-ABLABEL" and line.group)]
    for line in sorted(card, key=lambda one: "pref" not in one.types and "1" not in one.parameters.get("PREF", ())):
        _put(cells, line, labels.get(line.group, ""))
    return [cells.get(heading, "") for heading in HEADINGS]


def _put(cells: dict[str, str], line: Line, label: str) -> None:
    value = line.text.strip()
    if line.name in _SILENT | _BINARY or not value:
        return
    if line.name == "N":
        for heading, part in zip(_NAMES, line.parts, strict=False):
            _take(cells, (heading,), part.strip(), "Other Fields")
        _take(cells, (), ", ".join(filter(None, line.parts[len(_NAMES) :])), "Other Fields")
    elif line.name == "ORG":
        company, *units = [part.strip() for part in line.parts]
        _take(cells, ("Organisation",), company, "Other Fields")
        _take(cells, ("Department",), ", ".join(filter(None, units)), "Other Fields")
    elif line.name == "EMAIL":
        _take(cells, ("Email", "Email 2", "Email 3"), value, "Other Emails")
    elif line.name == "TEL":
        number, words = re.sub(r"(?i)^tel:", "", value), {*line.types, *label.casefold().strip("_$!<>").split()}
        heading = next(heading for heading, marks in _PHONES if words & marks or not marks)
        shown = number if not label and not line.types else f"{number} ({', '.join(sorted(line.types)) or label})"
        _take(cells, (heading,), number, "Other Phones", shown)
        if label and heading == "Phone":
            _take(cells, (), number, "Other Fields", f"{label}: {number}")
    elif line.name == "ADR":
        parts = [part.strip() for part in line.parts]
        if any(cells.get(heading) for heading in _ADDRESS):
            _take(cells, (), ", ".join(filter(None, parts)), "Other Addresses")
        else:
            cells.update({heading: part for heading, part in zip(_ADDRESS, parts, strict=False) if part})
            _take(cells, (), ", ".join(filter(None, parts[len(_ADDRESS) :])), "Other Addresses")
    elif line.name == "LABEL":
        _take(cells, (), value, "Other Addresses")
    elif line.name == "BDAY":
        found = _BIRTH.match(value)
        _take(cells, ("Date of Birth",), "-".join(found.groups()) if found else value, "Other Fields")
    elif line.name in _PLAIN:
        _take(cells, (_PLAIN[line.name],), value, "Other Fields", f"{line.name}: {value}")
    else:
        _take(cells, (), value, "Other Fields", value if line.name == "?" else f"{label or line.name}: {value}")


def _take(cells: dict[str, str], headings: Iterable[str], value: str, beyond: str, shown: str = "") -> None:
    """Put a value where there is room for it, else behind what has none; the same value once."""
    if not value:
        return
    for heading in headings:
        if cells.get(heading) == value:
            return
        if not cells.get(heading):
            cells[heading] = value
            return
    cells[beyond] = "; ".join(filter(None, (cells.get(beyond), shown or value)))
