"""Workbooks that abort their reader, swell, declare, repeat, or hold what would run."""

import io
import re
import time
import zipfile

import openpyxl

from caseferry.errors import ExportRefused
from caseferry.reading import guard
from caseferry.reading.grid import Grid
from caseferry.reading.kinds import Kind
from caseferry.reading.lists import read_lists
from config.limits import ReadingLimits
from tests.crossing import Crossings, book, firm, lists_of
from tests.faults.campaign import Counts, Ground, fault
from tests.reading import test_guard


def rebuilt(changes: dict[str, bytes | None], base: bytes = b"", more: dict[str, bytes] = {}) -> bytes:  # noqa: B006
    """A workbook with some of its parts replaced or added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(base or book([["a", "b"], ["1", "2"]]))) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, changes.get(item.filename) or old.read(item))
        for name, data in more.items():
            new.writestr(name, data)
    return buffer.getvalue()


def sheet(rows: str, before: str = "") -> bytes:
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'.encode()


def read(data: bytes, limits: ReadingLimits = ReadingLimits()) -> tuple[list[Grid], str, float]:  # noqa: B008
    began = time.monotonic()
    try:
        return lists_of(data, True, "x.xlsx", limits), "", time.monotonic() - began
    except ExportRefused as refusal:
        return [], refusal.code, time.monotonic() - began


SHEET = "xl/worksheets/sheet1.xml"


@fault(58, 44)
def a_cell_at_the_far_end(ground: Ground) -> Counts:
    """The file that aborts the reader's process; and that process killed in every other way. We are the same process after."""
    read(book([["a"]]))
    before = guard._known[0].process.pid
    data = rebuilt({SHEET: sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')})
    _, code, seconds = read(data)
    assert code == "CF-112" and seconds <= ground.within(1), (code, seconds)
    # The same without the address our own check looks for: the reader itself meets its limits, and dies alone.
    blind = rebuilt({SHEET: sheet('<row r="1048576"><c\tr="XFD1048576"><v>1</v></c></row><row r="1"><c\tr="A1"><v>1</v></c></row>')})
    _, blind_code, _ = read(blind, ReadingLimits(seconds=20, memory_bytes=1 << 30))
    assert blind_code.startswith("CF-1"), blind_code
    for work in ("abort", "crash", "leave", "panic"):
        assert test_guard.refused(work).code == "CF-123"
    assert read(book([["a", "b"], ["1", "2"]]))[0][0].width == 2
    assert guard._known[0].process.pid == before
    return {"bytes": len(data), "refused with": code, "seconds": round(seconds, 2), "past our own check": f"refused with {blind_code}", "ways to die": 4, "workers that died": 0}


@fault(45)
def a_reader_that_hangs(ground: Ground) -> Counts:
    began = time.monotonic()
    for work in ("sleep", "spin"):
        assert "longer than 2 seconds" in test_guard.refused(work).detail
    took = (time.monotonic() - began) / 2
    assert took <= ground.within(4)
    return {"limit, seconds": 2, "ended after, seconds": round(took, 1)}


@fault(43)
def a_list_larger_than_memory(ground: Ground) -> Counts:
    """A list is read a piece at a time: one several times the memory its reader may take is read to its last row, and the
    worker's own memory stays what it was.
    """
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    size = ground.n(3 << 30, 64 << 20)
    line = b'2024-05-31,24-0001,JD,1.5,200,300,"Letter to the other side about the terms of sale"\n'
    ground.folder.mkdir(exist_ok=True)
    path, block, limits = ground.folder / "large.csv", line * ((8 << 20) // len(line)), ReadingLimits(memory_bytes=1 << 30)
    with path.open("wb") as file:
        written = sum(file.write(block) // len(line) for _ in range(size // len(block)))
    (found,) = read_lists(path, Kind.DELIMITED, "large.csv", limits, 10)
    rows = sum(piece.height for piece in found.pieces())
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    path.unlink()
    assert rows == found.height == written
    grew = max(0, after - before)
    assert grew < 400
    return {"list, MiB": size >> 20, "reader may take, MiB": limits.memory_bytes >> 20, "rows lost": written - rows, "worker grew by, MiB": grew}


@fault(59)
def xml_that_declares(ground: Ground) -> Counts:
    import socket

    laughs = "<!DOCTYPE x [" + '<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + "]>"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        declared = {
            "laughs": laughs, "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>', "file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
            "address": f'<!DOCTYPE x [<!ENTITY a SYSTEM "http://127.0.0.1:{port}/x">]>', "outside": f'<!DOCTYPE x SYSTEM "http://127.0.0.1:{port}/x.dtd">',
            "lower case": "<!doctype x>", "parameter": f'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:{port}/x"> %a;]>',
        }  # fmt: skip
        cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>&i;</t></is></c></row>'
        for name, text in declared.items():
            for part in (SHEET, "xl/workbook.xml", "xl/sharedStrings.xml"):
                data = rebuilt({part: sheet(cell, text)}, more={} if part != "xl/sharedStrings.xml" else {})
                if part == "xl/sharedStrings.xml":
                    data = rebuilt({part: sheet(cell, text)}, base=book([["text", "more"]]))
                _, code, seconds = read(data)
                assert code == "CF-123" and seconds < ground.within(1), (name, part, code, seconds)
        utf16 = rebuilt({SHEET: sheet(cell, laughs).decode().replace('version="1.0"', 'version="1.0" encoding="UTF-16"').encode("utf-16")})
        assert read(utf16)[1] == "CF-123"
        include = rebuilt({SHEET: sheet(f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="http://127.0.0.1:{port}/x"/>')})
        read(include)
        try:
            server.accept()
            visited = 1
        except TimeoutError:
            visited = 0
    assert visited == 0
    return {"declarations": len(declared) * 3 + 2, "refused": len(declared) * 3 + 1, "sockets opened": visited}


@fault(60)
def workbooks_that_swell(ground: Ground) -> Counts:
    blanks = rebuilt({SHEET: sheet(" " * ground.n(300 << 20, 40 << 20))})
    _, code, seconds = read(blanks)
    assert code == "CF-112" and seconds < ground.within(2), (code, seconds)
    many = ground.n(10_000, 1_200)
    names = "".join(f'<sheet name="s{n}" sheetId="{n + 1}" r:id="rId1"/>' for n in range(many))
    sheets = rebuilt({"xl/workbook.xml": f'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{names}</sheets></workbook>'.encode()})
    _, many_code, _ = read(sheets)
    assert many_code == "CF-112", many_code
    strings = ground.n(1_000_000, 50_000)
    shared = rebuilt(
        {"xl/sharedStrings.xml": ('<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' + "".join(f"<si><t>{n}</t></si>" for n in range(strings)) + "</sst>").encode()},
        base=book([["text"]]),
    )  # fmt: skip
    grids, shared_code, _ = read(shared)
    assert grids or shared_code in {"CF-112", "CF-123"}
    live = rebuilt({}, more={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0macro", "xl/externalLinks/externalLink1.xml": b"<externalLink/>"})
    grids, code, _ = read(live)
    assert not code and grids[0].notes == {"macros": 1, "external_links": 1}, (code, grids and grids[0].notes)
    return {"blanks, MB": ground.n(300, 40), "refused after, seconds": round(seconds, 2), "sheets": many, "refused": 2, "shared strings read": strings, "macros listed": 1, "links listed, not followed": 1}


@fault(115)
def an_open_document_that_repeats(ground: Ground) -> Counts:
    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))

    def made(row: str, cell: str) -> bytes:
        body = f'<table:table-row{row}><table:table-cell office:value-type="string"{cell}><text:p>x</text:p></table:table-cell></table:table-row>'
        content = f"<office:document-content {names}><office:body><office:spreadsheet><table:table table:name='S'>{body}</table:table></office:spreadsheet></office:body></office:document-content>"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as packed:
            packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            packed.writestr("content.xml", content)
            packed.writestr("META-INF/manifest.xml", '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>')
        return buffer.getvalue()

    many = ' table:number-columns-repeated="16384"', ' table:number-rows-repeated="1048576"'
    slowest = 0.0
    for row, cell in ((many[1], many[0]), (many[1].replace("76", "760"), ""), ("", ' table:number-columns-repeated="99999999"')):
        _, code, seconds = read(made(row, cell), ReadingLimits(seconds=20, memory_bytes=1 << 30))
        assert code.startswith("CF-1"), code
        slowest = max(slowest, seconds)
    assert read(made("", ""))[0][0].cells.height == 1
    return {"sheets": 3, "refused": 3, "slowest, seconds": round(slowest, 2), "workers that died": 0}


_FORMULAS = ("=1+1", "=cmd|'/C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "=HYPERLINK(\"http://x\",\"y\")", "+61 412 345 678", "-Smith", "=IMPORTXML(1,2)", "|calc", "%0A=1", "=DDE(1)")


@fault(65)
def cells_that_begin_like_formulas(ground: Ground) -> Counts:
    """Each in a name, a description and a note: machine files keep every byte, reports hold text, each is listed."""
    quoted = [formula.replace('"', '""') for formula in _FORMULAS]
    cards = "Card Name,First Name,Last Name,Organisation,Email,Mobile\n" + "".join(f'"n{n}",,,"{text} {n}",,\n' for n, text in enumerate(quoted))
    notes = "Date,Subject,File Note,Matter No\n" + "".join(f'31/05/2024,"{text}","{text}",24-0001\n' for text in quoted)
    run = Crossings(ground.folder)(firm(cards=cards + '"Smith, John",John,Smith,,,\n', notes=notes))
    assert run.state.startswith("completed"), run.state
    book_ = openpyxl.load_workbook(io.BytesIO(run.store.get(run.run.at("4-verify", "report.xlsx"))))
    formulas = sum(1 for page in book_ for row in page.iter_rows() for one in row if one.data_type == "f")
    links = sum(len(page._hyperlinks) for page in book_)
    raw = "".join(part.decode("utf-8", "replace") for name, part in _parts(run.store.get(run.run.at("4-verify", "report.xlsx"))) if name.endswith(".xml"))
    assert formulas == links == 0 and "<f>" not in raw and "<hyperlink" not in raw
    handed = b"".join(run.raw(name) for name in run.names())
    kept = sum(1 for text in _FORMULAS if text.strip().replace('"', '""').encode() in handed)
    assert kept == len(_FORMULAS), kept
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert not re.search(r"<a [^>]*href=[\"']?http://x", page)
    listed = {found["value"] for found in run.found("formula_like")}
    assert {text.strip() for text in _FORMULAS} <= {value.strip().removesuffix(f" {n}") for value in listed for n in range(20)}, listed
    return {"probes": len(_FORMULAS), "byte for byte in machine files": kept, "formulas in reports": formulas, "links in reports": links, "listed": len(_FORMULAS)}


def _parts(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return [(name, packed.read(name)) for name in packed.namelist()]


@fault(66)
def scripts_in_names_and_notes(ground: Ground) -> Counts:
    probes = [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "javascript:alert(1)", "{{7*7}}", "${7*7}", "</title><script>x</script>", "<iframe src=//x>",
        "'-alert(1)-'", "&lt;script&gt;", "<!--<script>", "]]><script>x</script>", "<a href=javascript:x>y</a>", "[x](javascript:y)",
    ]  # fmt: skip
    quoted = [probe.replace('"', '""') for probe in probes]
    cards = "Card Name,First Name,Last Name,Organisation,Email,Mobile\n" + "".join(f'"n{n}",,,"{text}","{text}","{text}"\n' for n, text in enumerate(quoted))
    notes = "Date,Subject,File Note,Matter No\n" + "".join(f'31/05/2024,"{text}","{text}",24-000X\n' for text in quoted)
    run = Crossings(ground.folder)(firm(cards=cards + '"Smith, John",John,Smith,,,\n', notes=notes) | {"<script>alert(1)<b>.csv": "Shelf,Seal\n1,red\n"})
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    tags = {name.casefold() for name in re.findall(r"<([a-zA-Z][\w-]*)", page)}
    handlers = re.findall(r"<[^>]+\son\w+\s*=", page)
    assert not tags & {"script", "iframe", "img", "object", "embed", "form"} and "<svg onload" not in page and not handlers, (tags, handlers[:2])
    assert "49" not in re.findall(r"n1\b.{0,40}", page), "a template ran inside the page"
    policy = re.findall(r"Content-Security-Policy[^>]*content=\"([^\"]+)\"", page)
    assert policy and "default-src 'none'" in policy[0], policy
    return {"probes": len(probes), "tags that could run": 0, "handlers": 0, "policy": policy[0]}


