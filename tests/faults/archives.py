"""Archives that swell, lie, climb, clash, or mean two things at once."""

import hashlib
import io
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from caseferry.errors import ExportRefused
from caseferry.manifest import Refusal
from caseferry.reading.guard import WORKS, ask
from caseferry.services.scratch import Scratch
from config.limits import ReadingLimits
from tasks.intake.unpack import Found, unpack
from tests.crossing import Crossings, firm, packed
from tests.faults.campaign import Counts, Ground, fault

Entry = tuple[bytes, bytes, dict[str, Any]]


def handmade(entries: Iterable[Entry], *, before: bytes = b"", between: bytes = b"", after: bytes = b"", comment: bytes = b"", count: int = -1) -> bytes:
    """A zip byte by byte. What an entry says of itself may be overridden, here and in the directory (`c_` before)."""
    body, central, number = before, b"", 0
    for name, data, said in entries:
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        pressed = compressor.compress(data) + compressor.flush() if said.get("method", 0) == 8 else data
        facts = {"flags": 0x800, "method": 0, "crc": zlib.crc32(data), "packed": len(pressed), "size": len(data), "mode": 0, "at": len(body)} | said
        listed = facts | {key[2:]: value for key, value in said.items() if key.startswith("c_")}
        facts |= {key[2:]: value for key, value in said.items() if key.startswith("l_")}
        local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, facts["flags"], facts["method"], 0, 0, facts["crc"], facts["packed"], facts["size"], len(name), 0)
        if "shared" not in said:
            body += local + name + pressed + between
        shown = said.get("c_name") or name
        central += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, listed["flags"], listed["method"], 0, 0, listed["crc"], listed["packed"], listed["size"],
            len(shown), 0, 0, 0, 0, listed["mode"] << 16, said.get("shared", listed["at"]),
        ) + shown  # fmt: skip
        number += 1
    said_count = number if count < 0 else count
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, said_count, said_count, len(central), len(body), len(comment))
    return body + central + end + comment + after


def taken(data: bytes, limits: ReadingLimits = ReadingLimits()) -> tuple[list[Found], list[Refusal], str, float]:  # noqa: B008
    """What the intake makes of an archive: files, what was left out, the code it was refused with, and the seconds."""
    refused: list[Refusal] = []
    began = time.monotonic()
    try:
        with Scratch() as scratch:
            found, code = list(unpack(data, "x.zip", limits, 1, refused, scratch)), ""
    except ExportRefused as refusal:
        found, code = [], refusal.code
    return found, refused, code, time.monotonic() - began


def written_by(data: bytes) -> int:
    """Bytes a reader writes for an archive before it gives up, whichever way it is asked."""
    from caseferry.reading import guard

    most = 0
    real = guard._nameless

    def watched(size: int) -> int:
        file = real(size)
        files.append(file)
        return file

    files: list[int] = []
    sizes: list[int] = []
    close = os.close

    def closing(fd: int) -> None:
        if fd in files[1:]:  # the first is what was handed over
            sizes.append(os.fstat(fd).st_size)
        close(fd)

    guard._nameless, os.close = watched, closing
    try:
        taken(data)
    finally:
        guard._nameless, os.close = real, close
    most = max(sizes, default=0)
    return most


@fault(48)
def deflate_bombs(ground: Ground) -> Counts:
    bomb = packed({"bomb.csv": bytes(500 << 20 if ground.full else 100 << 20)})
    lying = handmade([(b"a.csv", bytes(20 << 20), {"method": 8, "c_size": 1000, "l_size": 1000})])
    many = packed({f"{n}.csv": bytes(2 << 20) for n in range(60)})
    inside = packed({"inner.zip": packed({"bomb.csv": bytes(50 << 20)}), "good.csv": b"a,b\n"})
    slowest, most = 0.0, 0
    for data in (bomb, lying, many):
        _, refused, code, seconds = taken(data)
        assert code in {"CF-111", "CF-121"} or all(r.code in {"CF-111", "CF-121"} for r in refused) and refused, code
        slowest, most = max(slowest, seconds), max(most, written_by(data))
    found, refused, code, seconds = taken(inside)
    assert [f.name for f in found] == ["good.csv"] and [r.code for r in refused] == ["CF-111"] and not code
    assert slowest <= ground.within(1) and most <= 2 << 20, (slowest, most)
    return {"bombs": 4, "largest, MB packed in KB": f"{500 if ground.full else 100} in {len(bomb) >> 10}", "slowest, seconds": round(slowest, 2), "most bytes written": most}


@fault(49, 52, 116)
def archives_that_mean_two_things(ground: Ground) -> Counts:
    """Shared bytes, two directories, entries only one reader sees: each refused before a byte of it is inflated."""
    plain: Entry = (b"a.csv", b"a,b\n1,2\n", {})
    hidden = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 0, zlib.crc32(b"x"), 1, 1, 6, 0) + b"hidden" + b"x"
    second = handmade([(b"b.csv", b"b\n", {})])
    kernel = bytes(21 << 10)
    shared = [(b"0", kernel, {"method": 8})] + [(b"%d" % n, kernel, {"method": 8, "shared": 0}) for n in range(1, 250)]
    cases = {
        "250 entries on the same bytes": handmade(shared),
        "quoted overlap": handmade([(b"a", b"x" * 100, {}), (b"b", b"x" * 50, {"c_at": 10, "shared": 10})]),
        "local and listed name differ": handmade([(b"a.csv", b"x", {"c_name": b"b.csv"})]),
        "local and listed method differ": handmade([(b"a.csv", b"x" * 9, {"c_method": 8})]),
        "local and listed size differ": handmade([(b"a.csv", b"x" * 9, {"l_size": 5})]),
        "one name twice": handmade([plain, (b"a.csv", b"other", {})]),
        "two ends": handmade([plain], comment=second[-22:]),
        "an end in the comment": handmade([plain], comment=b"x" * 8 + second),
        "bytes behind the end": handmade([plain], after=b"tail"),
        "an archive before the archive": second + handmade([plain]),
        "an entry nobody lists": handmade([plain], between=hidden),
        "an entry before all": handmade([plain], before=hidden),
        "fewer listed than there are": handmade([plain, (b"b.csv", b"x", {})], count=1),
        "more listed than there are": handmade([plain], count=2),
    }
    for name, data in cases.items():
        found, _, code, seconds = taken(data)
        assert code == "CF-121" and not found and seconds < ground.within(1), (name, code, [f.name for f in found])
    good, _, code, _ = taken(handmade([plain, (b"b.csv", b"x", {})]))
    assert len(good) == 2 and not code
    return {"shapes": len(cases), "refused before anything was read": len(cases), "plain ones refused": 0}


@fault(50)
def zips_in_zips(ground: Ground) -> Counts:
    deep = packed({"x.csv": "a\n"})
    for _ in range(7):
        deep = packed({"inner.zip": deep, "beside.csv": b"a\n"})
    found, refused, _, seconds = taken(deep)
    assert [f.name for f in found] == ["beside.csv", "inner.zip/beside.csv"], [f.name for f in found]
    assert [r.code for r in refused] == ["CF-111"]
    wide = packed({f"{n}.zip": packed({f"{m}.zip": packed({"x": bytes(1000)}) for m in range(10)}) for n in range(10)})
    found, refused, _, wide_seconds = taken(wide)
    assert found == [] and len(refused) == 100 and {r.code for r in refused} == {"CF-111"}
    return {"levels": 8, "read": 2, "refused at the third": 1, "seconds": round(seconds, 2), "42 in small: inner ones refused": 100, "its seconds": round(wide_seconds, 2)}


@fault(51)
def sizes_that_lie_and_archives_cut_short(ground: Ground) -> Counts:
    cases = ground.n(2000, 120)
    whole = packed({f"{n}.csv": f"a,b\n{n},2\n" * 50 for n in range(8)})
    outcomes = {"taken": 0, "refused": 0, "entries left out": 0}
    for _ in range(cases):
        data = bytearray(whole)
        kind = ground.dice.randrange(3)
        if kind == 0:
            del data[ground.dice.randrange(len(data)) :]
        elif kind == 1:
            for _ in range(ground.dice.randrange(1, 4)):
                data[ground.dice.randrange(len(data))] ^= 1 << ground.dice.randrange(8)
        else:
            at = data.find(b"PK\x01\x02", ground.dice.randrange(len(data)))
            data[at + 24 : at + 28] = struct.pack("<I", ground.dice.randrange(1 << 31))
        found, refused, code, seconds = taken(bytes(data))
        assert seconds < ground.within(2)
        for one in found:  # what is taken is what was packed, to the byte
            assert any(one.sha256 == hashlib.sha256(f"a,b\n{n},2\n".encode() * 50).hexdigest() for n in range(8)), one.name
        outcomes["refused" if code else "taken"] += 1
        outcomes["entries left out"] += len(refused)
    broken = bytearray(whole)
    broken[42] ^= 1  # inside the first entry
    found, refused, code, _ = taken(bytes(broken))
    assert len(found) == 7 and len(refused) == 1 and refused[0].code == "CF-121", (code, refused)
    return {"archives": cases, **outcomes, "wrong bytes taken": 0, "others kept beside a damaged entry": 7}


_NAMES = [
    "../up", "../../etc/passwd", "/etc/passwd", "a/../../b", "..\\..\\x", "C:\\x", "C:x", "\\\\server\\share\\x", "//server/x", "a//b", "./../x", "a/..", "..", "x\x00y", "tab\there", "new\nline",
    "bell\x07", "r\u202etl.exe", "zero\u200bwidth", "CON", "con.txt", "NUL", "aux.csv", "COM1", "LPT9.txt", "dot.", "dots...", "space ", " lead", "n" * 300, "d/" * 200 + "x", "p" * 1100,
    "Café", "Cafe\u0301", "FILE.csv", "file.csv", "=cmd|x", "-rf", "~root", "%2e%2e%2fx", "$(touch x)", "`id`", "a;b", "日本",
]  # fmt: skip


@fault(53, 54)
def names_and_kinds_of_entries(ground: Ground) -> Counts:
    """Each name beside a good list: the run goes on, nothing is stored under the name, twins are both kept."""
    made = handmade([(name.encode(), f"{n},x\n".encode(), {}) for n, name in enumerate(_NAMES)])
    found, refused, code, _ = taken(made)
    assert not code and len(found) + len(refused) == len(_NAMES), (code, len(found), len(refused))
    names = [f.name for f in found]
    assert len(set(names)) == len(names), "two files have one name"
    assert all(".." not in name.split("/") and not name.startswith("/") and name.isprintable() for name in names)
    kinds = {"link": 0o120777, "pipe": 0o010644, "device": 0o060644, "terminal": 0o020644, "socket": 0o140755}
    odd = handmade([(kind.encode(), b"/etc/passwd", {"mode": mode}) for kind, mode in kinds.items()] + [(b"setuid", b"x", {"mode": 0o104755})])
    kept, left, code, _ = taken(odd)
    assert [f.name for f in kept] == ["setuid"] and {r.code for r in left} == {"CF-122"} and len(left) == len(kinds)
    crossing = Crossings(ground.folder)
    entries: list[Entry] = [(name.encode(), str(text).encode(), {}) for name, text in firm().items()]
    services = crossing.services()
    import json

    from tests.crossing import CHOICES

    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    run = crossing.upload(services, handmade([*entries, *((name.encode(), b"1,x\n", {}) for name in _NAMES)]))
    outside = [path for path in Path(ground.folder).rglob("*") if path.is_file() and not path.relative_to(services.store.root).as_posix().startswith(("migrations/firm/trial/", "drops/firm/trial/", "open/firm/trial/", ".lock"))]
    assert run.state.startswith("completed") and not outside, (run.state, outside[:3])
    return {"names": len(_NAMES), "left out and listed": len(refused), "kept under names of their own": len(found), "files outside the firm's prefix": len(outside), "links and devices left out": len(left)}


@fault(55)
def too_many_and_too_large(ground: Ground) -> Counts:
    many = handmade([(b"%d" % n, b"", {}) for n in range(70 if not ground.full else 65_000)])
    limits = ReadingLimits(entries=50 if not ground.full else 60_000)
    _, _, code, seconds = taken(many, limits)
    assert code == "CF-111" and seconds < ground.within(1.5), (code, seconds)
    at_limit, _, code, _ = taken(handmade([(b"%d" % n, b"", {}) for n in range(50)]), ReadingLimits(entries=50))
    assert not code and len(at_limit) == 50
    huge = handmade([(b"huge.csv", b"x", {"method": 8, "c_size": 0xFFFFFFFE, "l_size": 0xFFFFFFFE})])
    _, _, code, _ = taken(huge, ReadingLimits(entry_bytes=1 << 30))
    assert code == "CF-111"
    return {"entries": 65_000 if ground.full else 70, "refused with the number": 1, "seconds": round(seconds, 2), "one too large refused": 1, "as many as allowed taken": 50}


@fault(56)
def locked_archives(ground: Ground) -> Counts:
    locked = handmade([(b"a.csv", b"x", {"flags": 0x801})])
    assert taken(locked)[2] == "CF-103"
    # An OLE container as Excel writes it around an encrypted workbook.
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    run = Crossings(ground.folder)(firm() | {"locked.xlsx": ole})
    assert run.state.startswith("completed")
    return {"archives": 1, "said to be locked": 1, "workbooks locked": 1, "the run went on": 1}


@fault(57)
def files_under_false_names(ground: Ground) -> Counts:
    from tests.crossing import ONE_CARD, ONE_MATTER, book

    rows = [line.split(",") for line in ["First Name,Last Name,Email", "Ada,Lee,ada@x.example"]]
    eicar = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    files: dict[str, str | bytes] = {
        "cards.csv": book(rows), "matters.xls": ONE_MATTER.encode("utf-16"), "report.xls": "<html><table><tr><td>x</td></tr></table></html>", "tool.csv": b"MZ\x90\x00" + bytes(200),
        "elf.csv": b"\x7fELF" + bytes(200), "eicar.csv": eicar, "script.csv": "#!/bin/sh\ntouch /tmp/ran\n", "macro.docm": packed({"[Content_Types].xml": "x", "word/vbaProject.bin": "x"}),
    }  # fmt: skip
    run = Crossings(ground.folder)(files)
    assert run.state.startswith("completed") and run.type("contact")["read"] == 1 and run.type("matter")["read"] == 1, run.state
    kinds = {f["name"]: f["kind"] for f in run.json("0-original", "manifest.json")["files"]}
    assert kinds["cards.csv"] == "workbook" and kinds["matters.xls"] == "delimited" and kinds["tool.csv"] == kinds["elf.csv"] == kinds["script.csv"] == "program", kinds
    assert not Path("/tmp/ran").exists() and ONE_CARD
    return {"files": len(files), "told by content": len(files), "programs named": len(run.noted("program")), "run": 0}


@fault(68)
def random_bytes_at_every_reader(ground: Ground) -> Counts:
    """Noise, and real files with some bytes changed, at each function that reads foreign bytes."""
    from tests.crossing import ONE_CARD, book

    seeds = [packed({"a.csv": ONE_CARD}), book([["a", "b"], ["1", 2.5]]), ONE_CARD.encode(), ONE_CARD.encode("utf-16"), b'{"users": [{"name": "x"}]}', "Renée;Müller\n".encode("cp1252") * 30]
    works: list[tuple[str, dict[str, Any]]] = [
        ("kind", {}), ("directory", {"file": "x"}), ("entries", {"file": "x", "numbers": [0]}), ("lists", {"kind": "workbook", "file": "x"}),
        ("lists", {"kind": "delimited", "file": "x"}), ("lists", {"kind": "calendar", "file": "x"}), ("lists", {"kind": "cards", "file": "x"}), ("heading_row", {}), ("mapping", {}),
    ]  # fmt: skip
    rounds = ground.n(250, 25)
    answered = refused = 0
    slowest = 0.0
    limits = ReadingLimits(seconds=10, memory_bytes=2 << 30)
    for _ in range(rounds):
        for work, words in works:
            data = bytearray(ground.dice.choice(seeds)) if ground.dice.random() < 0.8 else bytearray(ground.dice.randbytes(ground.dice.randrange(1, 3000)))
            for _ in range(ground.dice.randrange(0, 12)):
                where = ground.dice.randrange(len(data))
                if ground.dice.random() < 0.5:
                    data[where] = ground.dice.randrange(256)
                else:
                    data[where:where] = ground.dice.choice([b'"', b"\x00", b"PK", b"\r", b"\xff\xfe", b"<", b"{[" * 50])
            began = time.monotonic()
            try:
                ask(f"{WORKS}{work}", bytes(data), "x", limits, **words)
                answered += 1
            except ExportRefused as refusal:
                assert refusal.code.startswith("CF-")
                refused += 1
            slowest = max(slowest, time.monotonic() - began)
    assert slowest < ground.within(5), slowest
    return {"inputs": rounds * len(works), "answered": answered, "refused by name": refused, "hangs": 0, "slowest, seconds": round(slowest, 2)}


@fault(67)
def mail_and_database_files_damaged(ground: Ground) -> Counts:
    """They are kept as documents and never parsed here; what they are is told by their first bytes, in a child."""
    import email.message

    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@x.example", "b@x.example", "hello"
    message.set_content("text")
    seeds = [bytes(message), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"\x00\x01\x00\x00Standard Jet DB" + bytes(500), b"\x03\x7e\x01\x01" + bytes(400), b"!BDN" + bytes(500), b"%PDF-1.7\n" + bytes(300)]
    rounds = ground.n(10_000, 200)
    kinds: dict[str, int] = {}
    batch: dict[str, bytes] = {}
    for n in range(rounds):
        data = bytearray(ground.dice.choice(seeds))
        for _ in range(ground.dice.randrange(1, 8)):
            data[ground.dice.randrange(len(data))] = ground.dice.randrange(256)
        batch[f"{n:05d}.bin"] = bytes(data)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in batch.items():
            archive.writestr(name, body)
    found, refused, code, _ = taken(buffer.getvalue())
    assert not code and len(found) + len(refused) == rounds
    for one in found:
        kinds[one.kind.value] = kinds.get(one.kind.value, 0) + 1
    return {"files": rounds, "told": len(found), "refused": len(refused), "readers that died": 0, "kinds": len(kinds)}


