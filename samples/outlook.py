"""Messages as Outlook saves them (`.msg`): properties in the streams of a compound file. Deterministic, and only what samples need.

Sources: MS-CFB for the file, MS-OXMSG for what its streams are called, MS-OXPROPS for the numbers.
"""

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Tree = dict[str, "bytes | Tree"]
_SECTOR, _SMALL, _CUTOFF = 512, 64, 4096
_FREE, _END, _TABLE, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF

SUBJECT, CLASS, SENDER, SENDER_ADDRESS, SENDER_SMTP, SENDER_TYPE, BODY, HEADERS, SENT, CODE_PAGE, HTML, HTML_CODE_PAGE, RTF = (
    0x0037, 0x001A, 0x0C1A, 0x0C1F, 0x5D01, 0x0C1E, 0x1000, 0x007D, 0x0039, 0x3FFD, 0x1013, 0x3FDE, 0x1009,
)  # fmt: skip
SHOWN, ADDRESS_TYPE, ADDRESS, SMTP, ROLE = 0x3001, 0x3002, 0x3003, 0x39FE, 0x0C15
DATA, LONG_NAME, SHORT_NAME, METHOD = 0x3701, 0x3707, 0x3704, 0x3705
TO, CC, BCC = 1, 2, 3
_EMBEDDED = 5

Properties = Mapping[int, Any]


def message(properties: Properties, people: Sequence[Properties] = (), files: Sequence[Properties] = (), encoding: str = "") -> bytes:
    """A message.

    Args:
        properties: of the message: text, a number, bytes, or a moment.
        people: of each recipient; `ROLE` is `TO`, `CC` or `BCC`.
        files: of each attachment; where `DATA` is the tree of another message (`tree`), it is attached as one.
        encoding: of text that is not kept as UTF-16, as before Outlook 2003.
    """
    return compound(tree(properties, people, files, encoding))


def tree(properties: Properties, people: Sequence[Properties] = (), files: Sequence[Properties] = (), encoding: str = "", *, is_inner: bool = False) -> Tree:
    head = bytes(8) + struct.pack("<4I", len(people), len(files), len(people), len(files)) + (b"" if is_inner else bytes(8))
    made: Tree = _stored(properties, head, encoding)
    if not is_inner:
        made["__nameid_version1.0"] = {f"__substg1.0_{number:04X}0102": b"" for number in (2, 3, 4)}
    for kind, some in (("__recip_version1.0_#", people), ("__attach_version1.0_#", files)):
        for number, one in enumerate(some):
            made[f"{kind}{number:08X}"] = _stored(one, bytes(8), encoding)
    return made


def _stored(properties: Properties, head: bytes, encoding: str) -> Tree:
    """The streams of some properties, and the one that lists them."""
    made: Tree = {}
    for number, value in sorted(properties.items()):
        if isinstance(value, int):
            head += struct.pack("<HHIII", 0x0003, number, 6, value, 0)
            continue
        if isinstance(value, datetime):
            ticks = (value - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()
            head += struct.pack("<HHIQ", 0x0040, number, 6, int(ticks) * 10_000_000)
            continue
        if isinstance(value, dict):
            made[f"__substg1.0_{number:04X}000D"] = value
            head += struct.pack("<HHIII", 0x000D, number, 6, 0xFFFFFFFF, 1)
            continue
        kind, data, more = (0x0102, value, 0) if isinstance(value, bytes) else (0x001E, value.encode(encoding), 1) if encoding else (0x001F, value.encode("utf-16-le"), 2)
        made[f"__substg1.0_{number:04X}{kind:04X}"] = data
        head += struct.pack("<HHIII", kind, number, 6, len(data) + more, 0)
    made["__properties_version1.0"] = head
    return made


class _Entry:
    def __init__(self, name: str, kind: int, data: bytes = b"") -> None:
        self.name, self.kind, self.data = name, kind, data
        self.left = self.right = self.child = _NONE
        self.start, self.size = _END if kind == 2 else 0, len(data)

    def packed(self) -> bytes:
        name = self.name.encode("utf-16-le")
        fixed = struct.pack("<HBBIII16sIQQIQ", len(name) + 2, self.kind, 1, self.left, self.right, self.child, b"", 0, 0, 0, self.start, self.size)
        return name.ljust(64, b"\0") + fixed


def compound(content: Tree) -> bytes:
    """A compound file of some streams and storages."""
    entries = [_Entry("Root Entry", 5)]
    entries[0].child = _laid(content, entries)
    sectors: list[bytes] = []
    table: list[int] = []

    def chained(data: bytes) -> int:
        first, count = len(sectors), -(-len(data) // _SECTOR)
        sectors.extend(data[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(data), _SECTOR))
        table.extend([*range(first + 1, first + count), _END] if count else [])
        return first if count else _END

    small, small_table = b"", list[int]()
    for entry in entries[1:]:
        if entry.kind != 2 or not entry.data:
            continue
        if entry.size >= _CUTOFF:
            entry.start = chained(entry.data)
            continue
        entry.start, count = len(small_table), -(-entry.size // _SMALL)
        small_table += [*range(entry.start + 1, entry.start + count), _END]
        small += entry.data.ljust(count * _SMALL, b"\0")
    entries[0].start, entries[0].size = chained(small), len(small)
    places = struct.pack(f"<{len(small_table)}I", *small_table)
    small_first = chained(places + b"\xff" * (-len(places) % _SECTOR))
    while len(entries) % 4:
        entries.append(_Entry("", 0))
    directory = chained(b"".join(entry.packed() for entry in entries))
    wide = 1
    while wide * 128 < len(table) + wide:
        wide += 1
    own = list(range(len(table), len(table) + wide))
    table += [_TABLE] * wide
    table += [_FREE] * (wide * 128 - len(table))
    packed = struct.pack(f"<{len(table)}I", *table)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6xIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, wide, directory, 0, _CUTOFF)
    head += struct.pack("<IIII", small_first, -(-len(small_table) // 128), _END, 0) + struct.pack("<109I", *own, *[_FREE] * (109 - wide))
    return head + b"".join(sectors) + packed


def _laid(content: Tree, entries: list[_Entry]) -> int:
    """The entries of a storage as a tree in order of their names; where its root is."""
    numbers = []
    for name in sorted(content, key=lambda one: (len(one), one.upper())):
        value = content[name]
        entry = _Entry(name, 2, value) if isinstance(value, bytes) else _Entry(name, 1)
        numbers.append(len(entries))
        entries.append(entry)
        if isinstance(value, dict):
            entry.child = _laid(value, entries)

    def root(some: list[int]) -> int:
        if not some:
            return _NONE
        middle = len(some) // 2
        entries[some[middle]].left, entries[some[middle]].right = root(some[:middle]), root(some[middle + 1 :])
        return some[middle]

    return root(numbers)
