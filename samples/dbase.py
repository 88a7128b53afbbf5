"""Tables of dBase III, dBase IV and FoxPro, with their memo files. Deterministic, and only what samples need."""

import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

Kind = Literal["iii", "iv", "foxpro", "visual"]
_VERSIONS: dict[Kind, int] = {"iii": 0x83, "iv": 0x8B, "foxpro": 0xF5, "visual": 0x30}
_CODE_PAGES = {"cp437": 0x01, "cp850": 0x02, "cp1252": 0x03}
_FIRST = 8
"""The first block of a text; those before it are the file's header."""
Field = tuple[str, str, int]
"""Name, kind and width."""


def table(kind: Kind, fields: Sequence[Field], records: Sequence[Sequence[str | None]], encoding: str, deleted: frozenset[int] = frozenset()) -> tuple[bytes, bytes]:
    """A table and its memo file.

    Args:
        records: cells as text: a day as 20240531, a moment as in ISO 8601, a memo as it reads; none is blank.
        deleted: the places of records their program has deleted.
    """
    memos = _Memos(kind)
    width = 1 + sum(size for _, _, size in fields)
    backlink = bytes(263) if kind == "visual" else b""
    begin = 32 + 32 * len(fields) + 1 + len(backlink)
    head = struct.pack("<BBBBIHH", _VERSIONS[kind], 124, 5, 31, len(records), begin, width) + bytes(17) + bytes([_CODE_PAGES[encoding]]) + bytes(2)
    at = 1
    for name, letter, size in fields:
        place, at = at if kind == "visual" else 0, at + size
        head += name.encode().ljust(11, b"\0") + letter.encode() + struct.pack("<I", place) + bytes([size, 2 if letter == "N" else 0]) + bytes(14)
    body = b""
    for number, record in enumerate(records):
        body += b"*" if number in deleted else b" "
        for cell, (_, letter, size) in zip(record, fields, strict=True):
            body += memos.place(cell, size, encoding) if letter == "M" else _cell(cell, letter, size, encoding)
    return head + b"\r" + backlink + body + b"\x1a", memos.file()


def _cell(cell: str | None, letter: str, size: int, encoding: str) -> bytes:
    if letter == "I":
        return int(cell or 0).to_bytes(4, "little", signed=True)
    if letter == "Y":
        return round(float(cell or 0) * 10_000).to_bytes(8, "little", signed=True)
    if letter == "B":
        return struct.pack("<d", float(cell or 0))
    if letter == "T":
        if not cell:
            return bytes(8)
        moment = datetime.fromisoformat(cell)
        return struct.pack("<ii", moment.toordinal() + 1_721_425, (moment.hour * 3600 + moment.minute * 60 + moment.second) * 1000)
    text = (cell or "").encode(encoding)
    return (text.rjust(size) if letter in "NF" else text.ljust(size))[:size]


class _Memos:
    def __init__(self, kind: Kind) -> None:
        self._kind, self._blocks = kind, b""
        self._size = 64 if kind in {"foxpro", "visual"} else 512

    def place(self, text: str | None, width: int, encoding: str) -> bytes:
        """Put a text into the file; what the record says of it."""
        if not text:
            return bytes(4) if width == 4 else b" " * width
        number, data = _FIRST + len(self._blocks) // self._size, text.encode(encoding)
        if self._kind == "iii":
            block = data + b"\x1a\x1a"
        elif self._kind == "iv":
            block = b"\xff\xff\x08\x00" + struct.pack("<I", len(data) + 8) + data
        else:
            block = struct.pack(">II", 1, len(data)) + data
        self._blocks += block.ljust(-(-len(block) // self._size) * self._size, b"\0")
        return struct.pack("<I", number) if width == 4 else str(number).rjust(width).encode()

    def file(self) -> bytes:
        following = _FIRST + len(self._blocks) // self._size
        if self._kind in {"foxpro", "visual"}:
            head = struct.pack(">IHH", following, 0, self._size)
        else:
            head = struct.pack("<I", following) + (bytes(16) + struct.pack("<H", self._size) if self._kind == "iv" else bytes(12) + b"\x03")
        return head.ljust(_FIRST * self._size, b"\0") + self._blocks
