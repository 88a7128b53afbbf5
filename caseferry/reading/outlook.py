"""A message as Outlook keeps it (`.msg`), in the cells of a row of `caseferry.reading.mails`.

Sources: MS-OXMSG for the file, as its reader has it; MS-OXPROPS for the properties; MS-OXRTFCP for compressed text.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.parser import HeaderParser
from typing import Any

from oxmsg import Message as Opened
from oxmsg.properties import Properties
from oxmsg.storage import Storage

_CLASS, _SUBJECT, _HEADERS, _BODY, _HTML, _HTML_TEXT, _RTF = 0x001A, 0x0037, 0x007D, 0x1000, 0x1013, 0x1013, 0x1009
_SENT, _DELIVERED, _MESSAGE_ID = 0x0039, 0x0E06, 0x1035
_SENDER, _SENDER_ADDRESSES = (0x0C1A, 0x0042), (0x5D01, 0x5D02, 0x0C1F, 0x0065)
"""Of addresses the one for the net first: on an Exchange server the other is a path in its directory."""
_SHOWN, _ADDRESSES, _ROLE, _CC, _BCC = 0x3001, (0x39FE, 0x3003), 0x0C15, 2, 3
_DATA, _NAMES = 0x3701, (0x3707, 0x3704, 0x3001)
_BINARY, _STRING, _STRING8, _OBJECT = 0x0102, 0x001F, 0x001E, 0x000D
_INNER_HEADER, _PART_HEADER = 24, 8
_RTF_BEGINS = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
    rb"{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What every compressed text may refer back to."""


@dataclass(frozen=True)
class Letter:
    """What one message says."""

    headers: dict[str, str]
    """As they came through the net, by name in lower case; still encoded. Nothing where the message never did."""
    sent: datetime | None
    sender: str
    to: str
    copies: str
    hidden: str
    subject: str
    body: str
    page: str
    message_id: str
    files: tuple[tuple[str, bytes | None], ...]
    """Name and bytes; none of a message that is attached, whose own files follow it."""
    kind: str
    """Such as `IPM.Note`."""


def opened(data: bytes) -> Letter:
    """The message of a file."""
    message = Opened.load(io.BytesIO(data))
    store: Any = message._storage
    found = message.properties
    people = [(_number(one, _ROLE), _person(one, store, (_SHOWN,), _ADDRESSES)) for one, store in _parts(store, "__recip_version1.0_#")]
    page, packed = _page(found, store), _bytes(store, _RTF)
    body = _text(found, store, _BODY)
    files = list(_files(store))
    if packed and not body and not page:
        files.append(("text of the message.rtf", unpacked(packed)))
    head = HeaderParser().parsestr(_text(found, store, _HEADERS))
    headers = {key.casefold(): ", ".join(head.get_all(key, [])) for key in head}
    return Letter(
        headers, _moment(found, _SENT) or _moment(found, _DELIVERED), _person(found, store, _SENDER, _SENDER_ADDRESSES),
        ", ".join(who for role, who in people if role not in {_CC, _BCC}), ", ".join(who for role, who in people if role == _CC), ", ".join(who for role, who in people if role == _BCC),
        _text(found, store, _SUBJECT), body, page, _text(found, store, _MESSAGE_ID), tuple(files), _text(found, store, _CLASS),
    )  # fmt: skip


def _parts(store: Storage, prefix: str) -> Iterator[tuple[Properties, Storage]]:
    for one in store.storages:
        if one.name.startswith(prefix):
            yield Properties(one, properties_header_offset=_PART_HEADER), one


def _files(store: Storage, within: str = "") -> Iterator[tuple[str, bytes | None]]:
    """What is attached, and behind an attached message what that holds."""
    for found, one in _parts(store, "__attach_version1.0_#"):
        name = within + (next(filter(None, (_text(found, one, number) for number in _NAMES)), "") or "attachment").replace("/", "-")
        inner = next((inside for inside in one.storages if inside.name == f"__substg1.0_{_DATA:04X}{_OBJECT:04X}"), None)
        if inner is None:
            yield name, _bytes(one, _DATA)
        else:
            name = name if name.casefold().endswith(".msg") else f"{name}.msg"
            yield name, None
            yield from _files(inner, f"{name}/")


def _person(found: Properties, store: Storage, names: tuple[int, ...], addresses: tuple[int, ...]) -> str:
    name = next(filter(None, (_text(found, store, number) for number in names)), "")
    known = [text for number in addresses if (text := _text(found, store, number))]
    address = next((text for text in known if "@" in text), known[0] if known and not name else "")
    return f"{name} <{address}>" if name and address and name != address else name or address


def _text(found: Properties, store: Storage, number: int) -> str:
    """A text; where it is not written in what the message says, as Western text of Windows."""
    try:
        return str(found.str_prop_value(number) or "").strip("\0")
    except Exception:  # an encoding nobody knows, or bytes that are none of its letters
        return _bytes(store, number, _STRING8).decode("cp1252", "replace")


def _bytes(store: Storage, number: int, kind: int = _BINARY) -> bytes:
    name = f"__substg1.0_{number:04X}{kind:04X}"
    return next((one.bytes_ for one in store.streams if one.name == name), b"")


def _page(found: Properties, store: Storage) -> str:
    """The message as a page, if it has one."""
    data = _bytes(store, _HTML)
    if not data:
        return _text(found, store, _HTML_TEXT)
    try:
        encoding = found.body_encoding
    except Exception:  # a number of no encoding
        encoding = "utf-8"
    for one in (encoding, "utf-8", "cp1252"):
        try:
            return data.decode(one)
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1")


def _number(found: Properties, number: int) -> int:
    try:
        return int(found.int_prop_value(number) or 0)
    except (TypeError, ValueError, struct.error):
        return 0


def _moment(found: Properties, number: int) -> datetime | None:
    try:
        return found.date_prop_value(number)
    except (OverflowError, ValueError, struct.error):
        return None


def unpacked(data: bytes) -> bytes:
    """Rich text out of its compressed form; as it is where it is none, or ends too early. Source: MS-OXRTFCP, 3.1."""
    if len(data) < 16:
        return data
    size, mark = int.from_bytes(data[4:8], "little"), data[8:12]
    if mark == b"MELA":
        return data[16 : 16 + size]
    if mark != b"LZFu":
        return data
    window, place, made, at = bytearray(_RTF_BEGINS.ljust(4096, b"\0")), len(_RTF_BEGINS), bytearray(), 16
    while at < len(data):
        flags, at = data[at], at + 1
        for bit in range(8):
            if flags >> bit & 1:
                pair, at = int.from_bytes(data[at : at + 2], "big"), at + 2
                if pair >> 4 == place:
                    return bytes(made)
                some = [(pair >> 4) + step & 4095 for step in range((pair & 15) + 2)]
            else:
                some, at = [-1], at + 1
            for source in some:
                letter = window[source] if source >= 0 else data[at - 1] if at <= len(data) else 0
                window[place], place = letter, place + 1 & 4095
                made.append(letter)
            if at >= len(data):
                return bytes(made[:size])
    return bytes(made[:size])
