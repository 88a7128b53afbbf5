"""What a zip holds, checked before a byte of it is unpacked.

The standard reader of Python 3.11.7 unpacks overlapping entries without a word (160,000 to 1), so the central
directory is read here and held against the local headers first. Source: PyPI's archive rules of August 2025.
"""

import hashlib
import re
import struct
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from isal import isal_zlib

from caseferry.errors import ExportRefused
from caseferry.reading.source import Source

if TYPE_CHECKING:
    from config.limits import ReadingLimits

_EOCD = b"PK\x05\x06"
_CENTRAL = b"PK\x01\x02"
_LOCAL = b"PK\x03\x04"
_ZIP64_EOCD = b"PK\x06\x06"
_MIB = 1 << 20
_PACKED, _PLAIN = _MIB, 8 * _MIB
"""Bytes of an entry that are read, and unpacked, at a time."""
NEAR = 256 << 10
"""Bytes unpacked at a time where each piece is only hashed and passed on: they stay near the processor, which halves the time."""
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
NOISE = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini", ".stfolder", "@eadir", "#recycle", "$recycle.bin", ".spotlight-v100", ".trashes"})


@dataclass(frozen=True)
class Entry:
    name: str
    method: int
    start: int
    """Where its compressed bytes begin."""
    packed: int
    size: int
    crc: int


class Archive:
    """One zip, every claim of its directory checked.

    An entry that can't be taken (a name that climbs, a link, a packing we do not read) is in `refused`, with name,
    code and detail; the others go on. An archive that two programs could read in two ways is refused as a whole.

    Raises:
        ExportRefused: CF-103 locked, CF-111 too large, CF-121 damaged or lying.
    """

    def __init__(self, data: Source, name: str, limits: "ReadingLimits") -> None:
        self._data, self.name, self._limits = data, name, limits
        self.refused: list[tuple[str, str, str]] = []
        self._spans: list[tuple[int, int, bool]] = []
        self.entries = self._directory()

    def _refuse(self, code: str, detail: str) -> ExportRefused:
        return ExportRefused(code, self.name, detail)

    def _directory(self) -> tuple[Entry, ...]:
        data = self._data
        end = self._end(len(data))
        if end < 0 or len(data) < end + 22:
            raise self._refuse("CF-121", "it has no end: the upload may be cut short")
        disk, first_disk, here, count, size, offset, comment = struct.unpack("<HHHHIIH", data[end + 4 : end + 22])
        if end + 22 + comment != len(data):
            raise self._refuse("CF-121", "there is data after its end")
        if self._ends(end) > 1:
            raise self._refuse("CF-121", "it has two ends, and programs may take either")
        if disk or first_disk or here != count:
            raise self._refuse("CF-121", "it is one disk of several")
        directory_end = end
        if 0xFFFF in (count, here) or 0xFFFFFFFF in (size, offset):
            count, size, offset, directory_end = self._zip64(end)
        if count > self._limits.entries:
            raise self._refuse("CF-111", f"it lists {count} entries")
        if offset + size != directory_end:
            raise self._refuse("CF-121", "its directory is not where it says")
        return self._check_whole(tuple(self._entries(offset, directory_end, count)), offset)

    def _end(self, before: int) -> int:
        """Where the last end record before there begins, -1 if none does: it lies in the file's last 64 KiB."""
        first = max(0, len(self._data) - 22 - 65535)
        found = self._data[first:before].rfind(_EOCD)
        return first + found if found >= 0 else -1

    def _ends(self, end: int) -> int:
        """How many end records there are that a program could take for the right one."""
        data, found, at = self._data, 0, len(self._data)
        while (at := self._end(at)) >= 0:
            comment = int.from_bytes(data[at + 20 : at + 22], "little")
            directory = int.from_bytes(data[at + 12 : at + 16], "little") + int.from_bytes(data[at + 16 : at + 20], "little")
            found += at == end or at + 22 + comment == len(data) or (directory == at and comment + 22 + at <= len(data))
        return found

    def _zip64(self, end: int) -> tuple[int, int, int, int]:
        locator = self._data[end - 20 : end]
        if len(locator) < 20 or not locator.startswith(b"PK\x06\x07"):
            raise self._refuse("CF-121", "its directory is not where it says")
        at = struct.unpack("<Q", locator[8:16])[0]
        record = self._data[at : at + 56]
        if len(record) < 56 or not record.startswith(_ZIP64_EOCD):
            raise self._refuse("CF-121", "its directory is not where it says")
        count, size, offset = struct.unpack("<QQQ", record[32:56])
        return count, size, offset, at

    def _entries(self, at: int, end: int, count: int) -> Iterator[Entry]:
        data, named = self._data, set[bytes]()
        for _ in range(count):
            head = data[at : at + 46]
            if len(head) < 46 or not head.startswith(_CENTRAL):
                raise self._refuse("CF-121", "its directory is damaged")
            (flags, method) = struct.unpack("<HH", head[8:12])
            crc, packed, size = struct.unpack("<III", head[16:28])
            names, extras, comments = struct.unpack("<HHH", head[28:34])
            mode, local = struct.unpack("<II", head[38:46])
            raw = data[at + 46 : at + 46 + names]
            extra = data[at + 46 + names : at + 46 + names + extras]
            packed, size, local = _wide(extra, packed, size, local)
            at += 46 + names + extras + comments
            if raw in named:
                raise self._refuse("CF-121", "two entries have the same name")
            named.add(raw)
            name, problem = self._name(raw, flags)
            if name.endswith("/") and not problem:
                continue
            if flags & 1:
                raise self._refuse("CF-103", "an entry of it is encrypted")
            entry = self._entry(name, raw, flags, method, local, packed, size, crc)
            kind = (mode >> 16) & 0o170000
            if problem:
                self.refused.append((name, "CF-122", problem))
            elif kind not in {0, 0o100000}:
                self.refused.append((name, "CF-122", "it is a link or a device, not a file"))
            elif method not in (0, 8):
                self.refused.append((name, "CF-123", "it is packed in a way we do not read"))
            else:
                yield entry
        if at != end:
            raise self._refuse("CF-121", "its directory holds more than it counts")

    def _entry(self, name: str, raw: bytes, flags: int, method: int, local: int, packed: int, size: int, crc: int) -> Entry:
        head = self._data[local : local + 30]
        if len(head) < 30 or not head.startswith(_LOCAL):
            raise self._refuse("CF-121", "an entry is not where its directory says")
        local_flags, local_method = struct.unpack("<HH", head[6:10])
        local_crc, local_packed, local_size = struct.unpack("<III", head[14:26])
        names, extras = struct.unpack("<HH", head[26:30])
        follows = bool(local_flags & 8)  # its sizes stand behind it
        agree = local_method == method and (local_flags ^ flags) & 0x0809 == 0 and self._data[local + 30 : local + 30 + names] == raw
        sizes = follows or 0xFFFFFFFF in (local_packed, local_size) or (local_crc, local_packed, local_size) == (crc, packed, size)
        if not agree or not sizes:
            raise self._refuse("CF-121", "an entry and its directory disagree")
        start = local + 30 + names + extras
        if start + packed > len(self._data):
            raise self._refuse("CF-121", "an entry is cut short")
        self._spans.append((local, start + packed, follows))
        return Entry(name, method, start, packed, size, crc)

    def _name(self, raw: bytes, flags: int) -> tuple[str, str]:
        """The name as it is shown, and what is wrong with it. No file is ever stored under it."""
        try:
            name = raw.decode("utf-8" if flags & 0x800 or not raw.isascii() else "ascii")
        except UnicodeDecodeError:
            name = raw.decode("cp437")  # what old zip programs write when they set no flag
        name = name.replace("\\", "/")
        parts = name.rstrip("/").split("/")
        problem = ""
        if _UNSEEN.search(name):
            problem = "its name holds characters that can't be seen"
        elif name.startswith("/") or ".." in parts or ":" in parts[0][:2]:
            problem = "its name is absolute or climbs up"
        elif "" in parts or len(name.encode()) > self._limits.path_bytes:
            problem = "its path is too long or has an empty step"
        return _UNSEEN.sub("\ufffd", unicodedata.normalize("NFC", name))[: self._limits.path_bytes], problem

    def _check_whole(self, entries: tuple[Entry, ...], directory: int) -> tuple[Entry, ...]:
        """The entries, those whose names can't be told apart numbered."""
        last = 0
        for start, end, _ in sorted(self._spans):
            if start < last or end > directory:
                raise self._refuse("CF-121", "two entries share the same bytes")
            if _LOCAL in self._data[last:start]:
                raise self._refuse("CF-121", "it holds an entry its directory does not name")
            last = end
        if _LOCAL in self._data[last:directory]:
            raise self._refuse("CF-121", "it holds an entry its directory does not name")
        total = sum(entry.size for entry in entries)
        if total > self._limits.unpacked_bytes:
            raise self._refuse("CF-111", f"it says it unpacks to {total} bytes")
        for entry in entries:
            self._check_size(entry, entry.size)
        times: Counter[str] = Counter()
        apart = []
        for entry in entries:
            times[entry.name] += 1
            stem, dot, ending = entry.name.rpartition(".")
            number = f" ({times[entry.name]})" if times[entry.name] > 1 else ""
            apart.append(replace(entry, name=f"{stem}{number}.{ending}" if dot and "/" not in ending else entry.name + number))
        return tuple(apart)

    def _check_size(self, entry: Entry, size: int) -> None:
        if size > self._limits.entry_bytes:
            raise self._refuse("CF-111", f"one entry unpacks to more than {self._limits.entry_bytes} bytes")
        if size > _MIB and size > self._limits.ratio * max(entry.packed, 1):
            raise self._refuse("CF-111", f"one entry unpacks to more than {self._limits.ratio} times its size")

    def read(self, entry: Entry) -> bytes:
        """One entry's bytes."""
        return b"".join(self.pieces(entry))

    def pieces(self, entry: Entry, most: int = _PLAIN) -> Iterator[bytes]:
        """One entry's bytes, some at a time, its size and checksum held against what the directory says.

        Raises:
            ExportRefused: at the end, if they are not what the directory says; nothing of it may be used then.
        """
        size = crc = 0
        try:
            for plain in inflated(self._data.part(entry.start, entry.start + entry.packed), entry.method, most):
                size, crc = size + len(plain), isal_zlib.crc32(plain, crc)
                if size > entry.size:
                    break  # one piece more than promised is enough to catch a lie
                yield plain
        except Damaged:
            raise self._refuse("CF-121", "an entry is damaged") from None
        if size != entry.size or crc != entry.crc:
            raise self._refuse("CF-121", "an entry is not what its directory says")


class Damaged(Exception):
    """Bytes that no packing makes."""


def inflated(packed: Source, method: int, most: int = _PLAIN) -> Iterator[bytes]:
    """What an entry's bytes unpack to, some at a time.

    Args:
        method: 0 where they lie as they are, 8 where they are deflated.
        most: bytes in one piece of them.
    """
    pieces = packed.pieces(size=min(_PACKED, most))
    if method == 0:
        yield from pieces
        return
    inflate: Any = isal_zlib.decompressobj(-15)
    while not inflate.eof and (piece := next(pieces, b"")):
        while piece and not inflate.eof:
            plain, piece = _next(inflate, piece, most)
            if plain:
                yield plain
    while not inflate.eof and (plain := _next(inflate, b"", most)[0]):
        yield plain


def _next(inflate: Any, piece: bytes, most: int) -> tuple[bytes, bytes]:
    """What comes next, and what is left of the piece."""
    try:
        return inflate.decompress(piece, most), inflate.unconsumed_tail
    except Exception:  # isal raises its own class of error, which is no public type
        raise Damaged from None


def same_again(packed: Source, method: int, size: int, sha256: str) -> Iterator[bytes]:
    """An entry that was read before, some at a time.

    Raises:
        ExportRefused: CF-145, at the end, if it is another than it was; nothing of it may be used then.
    """
    digest, length = hashlib.sha256(), 0
    with suppress(Damaged):
        for plain in inflated(packed, method, NEAR):
            length += len(plain)
            if length > size:
                break
            digest.update(plain)
            yield plain
    if length != size or digest.hexdigest() != sha256:
        raise ExportRefused("CF-145", "", "it is not what came")


class Flowing(Source):
    """An entry that was read before, unpacked while it is read: once, from its beginning on. Bytes may be asked for again
    until some behind them are.

    Args:
        packed, method, size, sha256: as `same_again` takes them.
    """

    def __init__(self, packed: Source, method: int, size: int, sha256: str) -> None:
        super().__init__(self._flow, 0, size)
        self._pieces, self._held, self._at = same_again(packed, method, size, sha256), b"", 0

    def _flow(self, start: int, length: int) -> bytes:
        if start < self._at:
            raise ValueError("these bytes have gone by")
        some, held = [self._held], self._at + len(self._held)
        while held < start + length and (piece := next(self._pieces, b"")):
            some.append(piece)
            held += len(piece)
        self._held, self._at = b"".join(some)[start - self._at :], start
        return self._held[:length]

    def run_dry(self) -> None:
        """Unpack what nobody has asked for.

        Raises:
            ExportRefused: CF-145, it is another than it was.
        """
        for _ in self._pieces:
            pass


def is_noise(name: str) -> bool:
    """True for what operating systems add to folders by themselves, and office lock files."""
    steps = name.split("/")
    return any(step.casefold() in NOISE for step in steps) or steps[-1].startswith(("~$", "._"))


def _wide(extra: bytes, packed: int, size: int, local: int) -> tuple[int, int, int]:
    """The 64-bit sizes of an entry, where its 32-bit ones are all ones."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack("<HH", extra[at : at + 4])
        if tag == 1:
            numbers = list(struct.unpack(f"<{length // 8}Q", extra[at + 4 : at + 4 + length // 8 * 8]))
            if size == 0xFFFFFFFF and numbers:
                size = numbers.pop(0)
            if packed == 0xFFFFFFFF and numbers:
                packed = numbers.pop(0)
            if local == 0xFFFFFFFF and numbers:
                local = numbers.pop(0)
        at += 4 + length
    return packed, size, local
