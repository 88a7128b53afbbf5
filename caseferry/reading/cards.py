"""vCard files as a list: a row for each card, versions 2.1 to 4 in one file if need be, in the words of a contact list.

What has no column of its own is kept in the last, so that nothing is lost. Pictures, sounds and keys are no text: they are listed
by kind, size and hash. A group of cards is a row that says so; its name stands among the categories of its members.
"""

import base64
import binascii
import hashlib
import quopri
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import polars as pl

from caseferry.reading.contentlines import Line, lines
from caseferry.reading.grid import Grid, from_lists

_NAMES = ("Last Name", "First Name", "Middle Name", "Prefix", "Suffix")
_ADDRESS = ("PO Box", "Address Line 2", "Address Line 1", "City", "State", "Postcode", "Country")
HEADINGS = (
    "Card Name", "Prefix", "First Name", "Middle Name", "Last Name", "Suffix", "Organisation", "Department", "Job Title", "Email", "Email 2", "Email 3", "Phone",
    "Mobile", "Home Phone", "Work Phone", "Fax", "Address Line 1", "Address Line 2", "PO Box", "City", "State", "Postcode", "Country", "Date of Birth", "Website", "Notes",
    "Categories", "Other Addresses", "Other Emails", "Other Phones", "Other Fields", "Card ID", "Card Type", "Birthday Without Year", "Pictures",
)  # fmt: skip
_BINARY = {"PHOTO", "LOGO", "SOUND", "KEY"}
_SILENT = {"VERSION", "PRODID", "REV", "BEGIN", "END", "PROFILE", "SORT-STRING", "CLASS", "MAILER", "X-ABADR"}
_PLAIN = {"FN": "Card Name", "TITLE": "Job Title", "BDAY": "Date of Birth", "URL": "Website", "NOTE": "Notes", "CATEGORIES": "Categories", "UID": "Card ID"}
_USUAL = {"", "home", "work", "other", "internet", "email", "main"}
"""Labels that say no more than a column's heading."""
_PHONES = (("Fax", {"fax"}), ("Mobile", {"cell", "mobile", "iphone"}), ("Home Phone", {"home"}), ("Work Phone", {"work"}), ("Phone", set[str]()))
_BIRTH = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ].*)?$", re.ASCII)
_NO_YEAR = re.compile(r"--(\d\d)-?(\d\d)(?:[T ].*)?$", re.ASCII)
_NOBODYS_YEARS = {"0000", "0001", "1604"}
"""Years programs write where none is known; 1604 is Apple's."""
GROUP = "Group of cards"
_KINDS = {"group": GROUP, "org": "Organisation", "organization": "Organisation", "individual": "Person"}
_KIND = ("KIND", "X-ADDRESSBOOKSERVER-KIND")
_MEMBER = ("MEMBER", "X-ADDRESSBOOKSERVER-MEMBER")


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
    groups = _groups(every)
    rows = [_row(card, groups.get(_id(card), ())) for card in every]
    without_year = sum(1 for row in rows if row[HEADINGS.index("Birthday Without Year")])
    notes = {name: count for name, count in (("birthdays_without_year", without_year), ("pictures_listed", sum(1 for row in rows if row[-1]))) if count}
    return from_lists(pl.Series("t", [list(HEADINGS), *rows], dtype=pl.List(pl.String)), notes=notes)


def _groups(every: list[list[Line]]) -> dict[str, list[str]]:
    """The names of the groups of each card, by its id."""
    found: dict[str, list[str]] = defaultdict(list)
    for card in every:
        if _kind(card) == GROUP:
            name = next((line.text.strip() for line in card if line.name == "FN"), "")
            for line in card:
                if line.name in _MEMBER and name:
                    found[_plain_id(line.value)].append(name)
    return found


def _kind(card: list[Line]) -> str:
    told = next((line.value.strip() for line in card if line.name in _KIND), "")
    is_company = any(line.name == "X-ABSHOWAS" and line.value.strip().upper() == "COMPANY" for line in card)
    return _KINDS.get(told.casefold(), told.capitalize()) or ("Organisation" if is_company else "")


def _id(card: list[Line]) -> str:
    return next((_plain_id(line.value) for line in card if line.name == "UID"), "")


def _plain_id(text: str) -> str:
    return re.sub(r"(?i)^urn:uuid:", "", text.strip()).casefold()


def _row(card: list[Line], groups: Sequence[str] = ()) -> list[str]:
    cells: dict[str, str] = {}
    labels = {line.group: _label(line.text) for line in card if line.name == "X-ABLABEL" and line.group}
    has_address = any(line.name == "ADR" for line in card)
    kind = _kind(card)
    card = [line for line in card if not (line.name == "LABEL" and has_address) and not (line.name == "X-ABLABEL" and line.group)]
    for line in sorted(card, key=_preference):
        _put(cells, line, labels.get(line.group, "") or _own_label(line))
    for group in groups:
        _take(cells, (), group, "Categories")
    return [cells.get(heading, "") for heading in HEADINGS[:-3]] + [kind, cells.get("Birthday Without Year", ""), cells.get("Pictures", "")]


def _preference(line: Line) -> int:
    """What is preferred goes first. Sources: RFC 2426 `TYPE=pref`, RFC 6350 `PREF=1` to 100."""
    told = next(iter(line.parameters.get("PREF", ())), "")
    return 1 if "pref" in line.types else int(told) if re.fullmatch(r"[0-9]{1,3}", told) else 101


def _own_label(line: Line) -> str:
    """The label Android writes among the parameters: `TEL;X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,Zentrale):`."""
    told = next((values for name, values in line.parameters.items() if name.startswith("X-CUSTOM(")), [])
    text = told[-1].removesuffix(")") if told else ""
    return quopri.decodestring(text.encode()).decode("utf-8", "replace") if "=" in text else text


def _label(text: str) -> str:
    """A label without the marks Apple puts around its own."""
    return re.sub(r"^_\$!<(.*)>!\$_$", r"\1", text.strip())


def _put(cells: dict[str, str], line: Line, label: str) -> None:
    value = line.text.strip()
    if line.name in _SILENT or line.name in _KIND or line.name == "X-ABSHOWAS" or not value:
        return
    if line.name in _BINARY:
        _take(cells, (), _listed(line), "Pictures")
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
        if label and label.casefold() not in _USUAL:
            _take(cells, (), f"{label}: {value}", "Other Fields")
    elif line.name == "TEL":
        number, words = re.sub(r"(?i)^tel:", "", value), {*line.types, *label.casefold().split()}
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
        if label and label.casefold() not in _USUAL:
            _take(cells, (), f"{label}: {', '.join(filter(None, parts))}", "Other Fields")
    elif line.name == "LABEL":
        _take(cells, (), value, "Other Addresses")
    elif line.name == "BDAY":
        _put_birth(cells, line, value)
    elif line.name in _PLAIN:
        _take(cells, (_PLAIN[line.name],), value, "Other Fields", f"{label or line.name}: {value}")
    else:
        _take(cells, (), value, "Other Fields", value if line.name == "?" else f"{label or line.name}: {value}")


def _put_birth(cells: dict[str, str], line: Line, value: str) -> None:
    """A day of birth; one without its year is no date, and none is made of it."""
    whole, bare = _BIRTH.match(value), _NO_YEAR.match(value)
    if whole and whole[1] not in {*_NOBODYS_YEARS, *line.parameters.get("X-APPLE-OMIT-YEAR", ())}:
        _take(cells, ("Date of Birth",), "-".join(whole.groups()), "Other Fields")
    elif whole or bare:
        month, day = (whole.groups()[1:] if whole else bare.groups()) if whole or bare else ("", "")  # type: ignore[union-attr]
        _take(cells, ("Birthday Without Year",), f"--{month}-{day}", "Other Fields")
    else:
        _take(cells, ("Date of Birth",), value, "Other Fields")


def _listed(line: Line) -> str:
    """A picture, sound or key by its kind, size and hash; one that lies elsewhere by where."""
    text = line.value.strip()
    encoded = {one.casefold() for one in line.parameters.get("ENCODING", ())} | line.types
    inline = re.match(r"(?i)data:([^;,]*)(?:;[^,]*)?;base64,", text)
    if not inline and not encoded & {"b", "base64"}:
        return f"{line.name}: {text[:500]}"
    kind = inline[1] if inline else "/".join(sorted(line.types - {"base64", "b"}))
    try:
        data = base64.b64decode(re.sub(r"\s", "", text[inline.end() if inline else 0 :]), validate=True)
    except (ValueError, binascii.Error):
        return f"{line.name} {kind}: cut off or damaged"
    return f"{line.name} {kind}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}"


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
