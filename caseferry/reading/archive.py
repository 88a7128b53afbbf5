"""What a zip holds, checked before a byte of it is unpacked.

The standard reader of Python 3.11.7 unpacks overlapping entries without a word (160,000 to 1), so the central
directory is read here and held against the local headers first. Source: PyPI's archive rules of August 2025.
"""

import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from isal import isal_zlib

from caseferry.errors import ExportRefused

_EOCD = b"PK\x05\x06"
_CENTRAL = b"PK\x01\x02"
_LOCAL = b"PK\x03\x04"
_ZIP64_EOCD = b"PK\x06\x06"
_MIB = 1 << 20
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
NOISE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini", ".stfolder")


class ArchiveLimits(Protocol):
    """The limits an archive is held to; `config.settings.LimitSettings` is one."""

    @property
    def unpacked_bytes(self) -> int: ...
    @property
    def entry_bytes(self) -> int: ...
    @property
    def ratio(self) -> int: ...
    @property
    def entries(self) -> int: ...
    @property
    def name_bytes(self) -> int: ...
    @property
    def path_bytes(self) -> int: ...


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

    Raises:
        ExportRefused: CF-103 locked, CF-111 too large, CF-121 damaged or lying, CF-122 a name that leaves the archive.
    """

    def __init__(self, data: bytes, name: str, limits: ArchiveLimits) -> None:
        self._data, self.name, self._limits = data, name, limits
        self.entries = self._directory()

    def _refuse(self, code: str, detail: str) -> ExportRefused:
        return ExportRefused(code, self.name, detail)

    def _directory(self) -> tuple[Entry, ...]:
        data = self._data
        end = data.rfind(_EOCD, max(0, len(data) - 22 - 65535))
        if end < 0 or len(data) < end + 22:
            raise self._refuse("CF-121", "it has no end: the upload may be cut short")
        disk, first_disk, here, count, size, offset, comment = struct.unpack("<HHHHIIH", data[end + 4 : end + 22])
        if end + 22 + comment != len(data):
            raise self._refuse("CF-121", "there is data after its end")
        if disk or first_disk or here != count:
            raise self._refuse("CF-121", "it is one disk of several")
        directory_end = end
        if 0xFFFF in (count, here) or 0xFFFFFFFF in (size, offset):
            count, size, offset, directory_end = self._zip64(end)
        if count > self._limits.entries:
            raise self._refuse("CF-111", f"it lists {count} entries")
        if offset + size != directory_end:
            raise self._refuse("CF-121", "its directory is not where it says")
        entries = tuple(self._entries(offset, directory_end, count))
        self._check_whole(entries, offset)
        return entries

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
        data = self._data
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
            name = self._safe_name(raw, flags)
            if name.endswith("/"):
                continue
            if flags & 1:
                raise self._refuse("CF-103", "an entry of it is encrypted")
            if (mode >> 16) & 0o170000 == 0o120000:
                raise self._refuse("CF-122", "it holds a link instead of a file")
            if method not in (0, 8):
                raise self._refuse("CF-121", "an entry is packed in a way we do not read")
            yield self._entry(name, raw, method, local, packed, size, crc)
        if at != end:
            raise self._refuse("CF-121", "its directory holds more than it counts")

    def _entry(self, name: str, raw: bytes, method: int, local: int, packed: int, size: int, crc: int) -> Entry:
        head = self._data[local : local + 30]
        if len(head) < 30 or not head.startswith(_LOCAL):
            raise self._refuse("CF-121", "an entry is not where its directory says")
        local_method = struct.unpack("<H", head[8:10])[0]
        names, extras = struct.unpack("<HH", head[26:30])
        if local_method != method or self._data[local + 30 : local + 30 + names] != raw:
            raise self._refuse("CF-121", "an entry and its directory disagree")
        start = local + 30 + names + extras
        if start + packed > len(self._data):
            raise self._refuse("CF-121", "an entry is cut short")
        return Entry(name, method, start, packed, size, crc)

    def _safe_name(self, raw: bytes, flags: int) -> str:
        try:
            name = raw.decode("utf-8" if flags & 0x800 or not raw.isascii() else "ascii")
        except UnicodeDecodeError:
            name = raw.decode("cp437")  # what old zip programs write when they set no flag
        name = unicodedata.normalize("NFC", name.replace("\\", "/"))
        parts = name.rstrip("/").split("/")
        if name.startswith("/") or ".." in parts or ":" in parts[0][:2] or any(ord(c) < 32 for c in name):
            raise self._refuse("CF-122", "an entry's name is absolute, climbs up, or holds control characters")
        if any(len(part.encode()) > self._limits.name_bytes for part in parts):
            raise self._refuse("CF-122", "an entry's name is too long")
        if len(name.encode()) > self._limits.path_bytes or "" in parts:
            raise self._refuse("CF-122", "an entry's path is too long or has an empty step")
        if any(part.split(".")[0].casefold() in _RESERVED for part in parts):
            raise self._refuse("CF-122", "an entry has a name no Windows computer can hold")
        return name

    def _check_whole(self, entries: tuple[Entry, ...], directory: int) -> None:
        folded = [entry.name.casefold() for entry in entries]
        if len(set(folded)) != len(folded):
            raise self._refuse("CF-121", "two entries have the same name")
        last = 0
        for entry in sorted(entries, key=lambda one: one.start):
            if entry.start < last or entry.start + entry.packed > directory:
                raise self._refuse("CF-121", "two entries share the same bytes")
            last = entry.start + entry.packed
        total = sum(entry.size for entry in entries)
        if total > self._limits.unpacked_bytes:
            raise self._refuse("CF-111", f"it says it unpacks to {total} bytes")
        for entry in entries:
            self._check_size(entry, entry.size)

    def _check_size(self, entry: Entry, size: int) -> None:
        if size > self._limits.entry_bytes:
            raise self._refuse("CF-111", f"one entry unpacks to more than {self._limits.entry_bytes} bytes")
        if size > _MIB and size > self._limits.ratio * max(entry.packed, 1):
            raise self._refuse("CF-111", f"one entry unpacks to more than {self._limits.ratio} times its size")

    def read(self, entry: Entry) -> bytes:
        """One entry's bytes, its size and checksum held against what the directory says."""
        packed = memoryview(self._data)[entry.start : entry.start + entry.packed]
        if entry.method == 0:
            plain = bytes(packed)
        else:
            inflate: Any = isal_zlib.decompressobj(-15)
            try:
                # One byte more than promised is enough to catch a lie, and no more is ever held.
                plain = inflate.decompress(packed, entry.size + 1)
            except Exception:  # isal raises its own class of error, which is no public type
                raise self._refuse("CF-121", "an entry is damaged") from None
        if len(plain) != entry.size or isal_zlib.crc32(plain) != entry.crc:
            raise self._refuse("CF-121", "an entry is not what its directory says")
        return plain


def is_noise(name: str) -> bool:
    """True for what operating systems add to folders by themselves, and office lock files."""
    last = name.rsplit("/", 1)[-1]
    return name.startswith(NOISE) or last in NOISE or last.startswith(("~$", "._"))


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
