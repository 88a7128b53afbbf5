import io
import random
import struct
import zipfile
import zlib

import pytest

from caseferry.errors import ExportRefused
from caseferry.reading.archive import Archive, is_noise
from caseferry.reading.source import Source
from config.settings import LimitSettings

LIMITS = LimitSettings(unpacked_bytes=50_000_000, entry_bytes=20_000_000, ratio=200, entries=50)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def left_out(data: bytes) -> list[str]:
    return [code for _, code, _ in Archive(Source.of(data), "x.zip", LIMITS).refused]


def refusal(data: bytes) -> str:
    with pytest.raises(ExportRefused) as caught:
        archive = Archive(Source.of(data), "x.zip", LIMITS)
        for entry in archive.entries:
            archive.read(entry)
    return caught.value.code


def test_a_sound_archive_gives_its_bytes_back() -> None:
    files = {"a/b.csv": b"x" * 500, "ünïcode.txt": b"y", "empty": b""}
    archive = Archive(Source.of(zipped(files)), "x.zip", LIMITS)
    assert {entry.name: archive.read(entry) for entry in archive.entries} == files


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    assert refusal(zipped({"bomb": b"\0" * 15_000_000})) == "CF-111"
    assert refusal(zipped({"big": random.Random(1).randbytes(21_000_000)}, zipfile.ZIP_STORED)) == "CF-111"
    assert refusal(zipped({f"f{n}": b"" for n in range(51)})) == "CF-111"


def test_a_size_that_lies_is_refused() -> None:
    data = bytearray(zipped({"a": b"hello" * 1000}))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    assert refusal(bytes(data)) == "CF-121"


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../../b", "..\\..\\x", "C:\\x", "a//b", "tab\there", "r\u202etl", "n" * 1100])
def test_an_entry_whose_name_leaves_the_archive_is_left_out_by_name(name: str) -> None:
    raw = name.encode()
    made = local_entry(raw, b"x") + local_entry(b"good", b"y") + directory([(raw, b"x", 0), (b"good", b"y", 31 + len(raw))])
    assert left_out(made) == ["CF-122"]
    assert [entry.name for entry in Archive(Source.of(made), "x.zip", LIMITS).entries] == ["good"]


def test_awkward_names_are_only_names() -> None:
    names = ["con.txt", "dot.", "n" * 300, "Café.csv", "Cafe\u0301.csv", "A.csv", "a.csv"]
    made, entries = b"", []
    for name in names:
        entries.append((name.encode(), b"x", len(made)))
        made += local_entry(name.encode(), b"x")
    found = [entry.name for entry in Archive(Source.of(made + directory(entries)), "x.zip", LIMITS).entries]
    assert len(set(found)) == len(names) and found[3:5] == ["Café.csv", "Café (2).csv"]


def local_entry(name: bytes, data: bytes, flags: int = 0x800) -> bytes:
    return struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, flags, 0, 0, 0, zlib.crc32(data), len(data), len(data), len(name), 0) + name + data


def directory(entries: list[tuple[bytes, bytes, int]], flags: int = 0x800, mode: int = 0, offset: int | None = None) -> bytes:
    central = b"".join(
        struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, flags, 0, 0, 0, zlib.crc32(d), len(d), len(d), len(n), 0, 0, 0, 0, mode << 16, at) + n
        for n, d, at in entries
    )
    start = sum(30 + len(n) + len(d) for n, d, _ in entries) if offset is None else offset
    return central + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(central), start, 0)


def test_overlapping_entries_are_refused() -> None:
    body = local_entry(b"a", b"same")
    made = body + directory([(b"a", b"same", 0), (b"a", b"same", 0)], offset=len(body))
    assert refusal(made) == "CF-121"


def test_a_locked_entry_a_link_and_a_twin_name_are_refused() -> None:
    assert refusal(local_entry(b"a", b"x", 0x801) + directory([(b"a", b"x", 0)], flags=0x801)) == "CF-103"
    for mode in (0o120777, 0o010600, 0o020600, 0o060600, 0o140600):
        assert left_out(local_entry(b"a", b"x") + directory([(b"a", b"x", 0)], mode=mode)) == ["CF-122"]
    twins = local_entry(b"a", b"x") + local_entry(b"a", b"y")
    assert refusal(twins + directory([(b"a", b"x", 0), (b"a", b"y", 32)])) == "CF-121"


def test_a_cut_or_padded_archive_is_refused() -> None:
    whole = zipped({"a": b"x" * 100})
    assert refusal(whole[:-30]) == "CF-121"
    assert refusal(whole + b"tail") == "CF-121"
    assert refusal(whole[:40] + b"\xff" + whole[41:]) == "CF-121"


def test_what_systems_leave_behind_is_noise() -> None:
    assert is_noise("__MACOSX/a.csv") and is_noise("x/~$Letter.docx") and is_noise("a/.DS_Store")
    assert not is_noise("a/Letter.docx")
