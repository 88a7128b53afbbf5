"""What a file is, by its content. Names are never asked: firms name files as they like."""

import re
from enum import StrEnum


class Kind(StrEnum):
    ARCHIVE = "archive"
    WORKBOOK = "workbook"
    DELIMITED = "delimited"
    PDF = "pdf"
    MAIL = "mail"
    CALENDAR = "calendar"
    CARDS = "cards"
    MAILBOX = "mailbox"
    DBASE = "dbase"
    ACCESS = "access"
    JSON = "json"
    DOCUMENT = "document"
    EMPTY = "empty"
    PROGRAM = "program"


LISTS = frozenset({Kind.WORKBOOK, Kind.DELIMITED, Kind.CALENDAR, Kind.CARDS, Kind.MAILBOX, Kind.DBASE})
"""Kinds that hold lists."""
READ = LISTS | {Kind.ACCESS, Kind.MAIL, Kind.JSON}
"""Kinds of which more is read than what they are."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_DOCUMENTS = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM", b"RIFF", b"{\\rtf",
    b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"\x00\x00\x00", b"ID3", b"OggS",
)  # fmt: skip
_PROGRAMS = (b"MZ\x90", b"MZ\x00", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!/", b"\x4c\x00\x00\x00\x01\x14\x02\x00")
_MAIL = re.compile(rb"^(?:Return-Path|Received|From|To|Date|Subject|Message-ID|MIME-Version|Delivered-To):", re.I)
_DBASE = frozenset({0x02, 0x03, 0x30, 0x31, 0x32, 0x43, 0x83, 0x8B, 0xF5})
_MAILBOX = re.compile(rb"From [^\r\n]+\r?\n(?=[!-9;-~]+:)")
_OUTLOOK = "__substg1.0_".encode("utf-16-le")
_UTF16_NAMES = ("Workbook", "Book")
_OFFICE = {b"[Content_Types].xml", b"mimetype", b"_rels/.rels"}


def kind_of(data: bytes, tail: bytes = b"") -> Kind:
    """Tell a file by its first bytes (and, for a package, its last).

    Args:
        data: the file, or at least its first 4 KiB.
        tail: its last bytes, at least 64 KiB, when `data` is only the beginning.
    """
    if not data:
        return Kind.EMPTY
    if data.startswith(_ZIP):
        return _zip_kind(data, tail)
    if data.startswith(_OLE):
        names = (name.encode("utf-16-le") for name in _UTF16_NAMES)
        if any(_OUTLOOK in some for some in (data, tail)):
            return Kind.MAIL
        return Kind.WORKBOOK if any(name in data or name in tail for name in names) else Kind.DOCUMENT
    head = data[:4096]
    if head[4:19] in {b"Standard Jet DB", b"Standard ACE DB"}:
        return Kind.ACCESS
    if _is_dbase(head):
        return Kind.DBASE
    if head.startswith(b"%PDF"):
        return Kind.PDF
    if head.startswith(_PROGRAMS):
        return Kind.PROGRAM
    if (head.startswith(_DOCUMENTS) and (_is_binary(head) or head.startswith(b"{\\rtf"))) or _is_binary(head):
        return Kind.DOCUMENT
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return Kind.EMPTY if not data.strip() and not tail.strip() else Kind.DELIMITED
    begins = text[:20].upper()
    if begins.startswith(b"BEGIN:VCALENDAR"):
        return Kind.CALENDAR
    if begins.startswith(b"BEGIN:VCARD"):
        return Kind.CARDS
    if text[:1] in b"{" and b'"' in text[:64]:
        return Kind.JSON
    if _MAILBOX.match(text):
        return Kind.MAILBOX
    if _MAIL.match(text) and b"\n" in text and len(_headers(text)) >= 2:
        return Kind.MAIL
    if text[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return Kind.DOCUMENT
    return Kind.DELIMITED


def _is_dbase(head: bytes) -> bool:
    """A version that exists, a day that exists, and a header that ends where it says."""
    if len(head) < 66 or head[0] not in _DBASE or not (1 <= head[2] <= 12 and 1 <= head[3] <= 31):
        return False
    begin, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
    field = head[32:64]
    return begin >= 65 and width > 1 and field[11:12].isalpha() and field[:1].isalpha() and (begin > len(head) or b"\r" in head[64:begin])


def _zip_kind(data: bytes, tail: bytes) -> Kind:
    """An office file is a zip with certain names at its top; an archive may hold such files, one level down."""
    names = _zip_names(tail or data)
    if not names:  # cut short, or its directory is out of sight: the first entry is all there is to go by
        names = _first_name(data)
        if names & _OFFICE and b"xl/" in data:
            return Kind.WORKBOOK
    if any(name.startswith(b"xl/workbook") for name in names):
        return Kind.WORKBOOK
    if names & _OFFICE:
        is_sheet = b"opendocument.spreadsheet" in data[:256] or any(name.startswith(b"xl/") for name in names)
        return Kind.WORKBOOK if is_sheet else Kind.DOCUMENT
    return Kind.ARCHIVE


def _zip_names(data: bytes) -> set[bytes]:
    """The names in a zip's directory, as far as it lies in these last bytes of the file."""
    end = data.rfind(b"PK\x05\x06")
    if end < 0 or len(data) < end + 22:
        return set()
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    at, names = end - size, set()
    while 0 <= at < end and data[at : at + 4] == b"PK\x01\x02":
        lengths = [int.from_bytes(data[at + n : at + n + 2], "little") for n in (28, 30, 32)]
        names.add(data[at + 46 : at + 46 + lengths[0]])
        at += 46 + sum(lengths)
    return names


def _first_name(data: bytes) -> set[bytes]:
    length = int.from_bytes(data[26:28], "little")
    return {data[30 : 30 + length]}


def _is_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    zeros = head.count(0)
    # UTF-16 without a mark: about every other byte of Western text is NUL.
    odd, even = head[1::2].count(0), head[0::2].count(0)
    looks_utf16 = zeros and max(odd, even) > len(head) * 0.3 and min(odd, even) < len(head) * 0.05
    controls = sum(head.count(code) for code in range(9)) + sum(head.count(code) for code in range(14, 32))
    return not looks_utf16 and (zeros > len(head) * 0.01 or controls > len(head) * 0.02)


def _headers(text: bytes) -> list[bytes]:
    head = re.split(rb"\r?\n\r?\n", text, maxsplit=1)[0]
    return [line for line in head.splitlines() if re.match(rb"^[A-Za-z][A-Za-z0-9-]+:(?:[ \t]|$)", line)]
