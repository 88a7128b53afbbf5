"""Delimited text that does not close, does not fit, does not say what it is written in, or is meant to take for ever."""

import io
import json
import time
import zipfile

from tests.crossing import CARDS, CHOICES, MATTERS, Crossed, Crossings, firm
from tests.faults.campaign import Counts, Ground, fault


def accounted(run: Crossed, record: str) -> tuple[int, int]:
    """Rows of a type that were read, and rows that have a place."""
    found = run.type(record)
    return found["read"], found["carried"] + found["merged"] + found["excluded"] + found["quarantined"]


@fault(61)
def a_quotation_mark_that_never_closes(ground: Ground) -> Counts:
    rows = ground.n(10_000, 500)
    lost = 0
    for opened in ('"open', 'x"y"', '"a""b', '""open'):
        lines = [f"{n},First{n},Last{n},,a{n}@x.example,\n" for n in range(rows)]
        lines[9] = f"9,{opened},Last9,,a9@x.example,\n"
        run = Crossings(ground.folder / str(abs(hash(opened))))(firm(cards=CARDS + "".join(lines) + '"Smith, John",John,Smith,,,\n'))
        read, placed = accounted(run, "contact")
        lost += rows + 1 - read
        assert read == placed == rows + 1, (opened, read, placed)
        if opened.startswith('"') and opened != '""open':
            told = run.noted("broken_quoting")
            assert told and "row 11, column 2" in told[0]["detail"], told
    return {"rows": rows, "ways to open": 4, "rows lost": lost, "named as": "row 11 (the header is the first), column 2"}


@fault(62)
def rows_of_every_shape(ground: Ground) -> Counts:
    """Short, long, blank, with NULs, a cell over a megabyte, three kinds of line ends; each row has one place."""
    long = ground.dice.randbytes(550_000).hex()
    shapes = [
        "Ada,Ada,Lee", "Bob,Bob,Lee,,,,,,too,many", "", ",,,,,", "Nul,N\x00ul,Lee,,,", f"Long,Long,Lee,{long},,", "Cy,Cy,Lee,,,", '"Q",Q,Lee,"a\nb",,', "Dee,Dee,Lee,,,",
    ]  # fmt: skip
    counted = 0
    for end in ("\n", "\r\n", "\r"):
        text = CARDS.strip() + end + "".join(shape + end for shape in shapes) + '"Smith, John",John,Smith,,,' + end
        run = Crossings(ground.folder / f"end-{ord(end[0])}-{len(end)}")(firm(cards=text))
        read, placed = accounted(run, "contact")
        table = next(t for t in run.split["tables"] if t["record"] == "contact")
        lines = sum(table["lines"].values())
        assert read == placed and read == table["lines"]["data"] and lines == len(shapes) + 2, (end, read, placed, table["lines"])
        assert [f["row"] for f in run.found("field_too_long")] == [7], run.found("field_too_long")
        counted += read
    mixed = CARDS.strip() + "\r\n" + "A,Ada,Lee,,,\nB,Bob,Lee,,,\rC,Cy,Lee,,,\r\n" + "\ufeffD,Dee,Lee,,,\n" + '"Smith, John",John,Smith,,,\n'
    run = Crossings(ground.folder / "mixed")(firm(cards=mixed))
    assert accounted(run, "contact") == (5, 5)
    wide = Crossings(ground.folder / "wide")(firm() | {"wide.csv": ",".join(f"h{n}" for n in range(10_000)) + "\n" + "," * 9_999 + "\n"})
    assert [n["detail"] for n in wide.noted("unreadable_file")] == ["CF-130 more than 2000 columns"]
    return {"shapes": len(shapes), "line ends": 4, "rows read": counted + 5, "rows without a place": 0, "cells over a megabyte, put aside": 3, "10,000 columns": "refused by name"}


@fault(63)
def old_encodings(ground: Ground) -> Counts:
    plain = "".join(f"n{n},First{n},Last{n},,a{n}@x.example,\n" for n in range(ground.n(2000, 200)))
    right, asked = 0, 0
    for name, encoding in (
        ("Renée Müller, Zoë, François, Peña, Åse, Jürgen", "cp1252"), ("Renée Müller Zoë François Peña Åse", "cp850"), ("Renée Müller Zoë François Peña Åse", "mac_roman"),
        ("Łukasz Woźniak Jiří Škoda", "cp1250"), ("Renée", "utf-16-le"), ("Renée", "utf-8"),
    ):  # fmt: skip
        text = CARDS + plain + f'last,"{name}",Last,,,\n' + '"Smith, John",John,Smith,,,\n'
        run = Crossings(ground.folder / encoding)(firm(cards=text.encode(encoding)))  # type: ignore[arg-type]
        assert run.state.startswith("completed"), (encoding, run.state)
        assert any(row.get("first_name") == name for row in run.all_rows("contacts")), (encoding, name)
        right += 1
    broken = (CARDS + plain + "bad,Ren").encode() + b"\xe9e," + 'Müller,,,\n"Smith, John",John,Smith,,,\n'.encode() + "é".encode() * 0
    run = Crossings(ground.folder / "one-bad")(firm(cards=broken))  # type: ignore[arg-type]
    noted = run.noted("repaired_bytes") or run.noted("encoding_assumed")
    assert noted and run.state.startswith("completed")
    for byte in (b"\x81", b"\x8f\x90", b"\x9d"):
        held = Crossings(ground.folder / f"undecidable-{byte.hex()}")(firm(cards=CARDS.encode() + b"x,R" + byte + b"z,Lee,,,\n" + b'"Smith, John",John,Smith,,,\n'))  # type: ignore[arg-type]
        if held.state == "held":
            assert held.reasons[0]["code"] == "CF-146", held.reasons
            answered = held.release(options={"encoding": "cp850"})
            assert answered.state.startswith("completed"), answered.state
            asked += 1
        else:
            assert held.noted("encoding_assumed"), byte
    assert asked >= 1
    return {"encodings told right": right, "asked, then read as answered": asked, "one stray byte": "read and named", "guessed in silence": 0}


def _stored(crossings: Crossings, files: dict[str, str | bytes]) -> Crossed:
    """A crossing whose archive is not pressed: a text of one letter would be told as a bomb."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    services = crossings.services()
    services.store.put("migrations/firm/trial/migration.json", json.dumps(CHOICES).encode())
    return crossings.upload(services, buffer.getvalue())


@fault(64)
def texts_meant_to_take_for_ever(ground: Ground) -> Counts:
    """Long runs of what each pattern hesitates over, in every field of a card, a matter, a time entry and a note."""
    size = ground.n(100_000, 20_000)
    parts = ["a", "a.", "a@", "1,", "1 ", "(", "(1", "-", "1-", "/", "1/", ".", "a b ", "&", "; ", "+1", "$1,", "Mr ", "é", "' ", "\u00a0", "0", "@", "a.a@a.", "<", "=", "1:", "x,y;"]
    texts = [(part * (size // len(part)))[:size] for part in parts] + ["a" * 29 + "!", "1,1,1,1,1,1,1,1,1,1,1,1,1,1x", "a@" + "a." * (size // 2)]
    slowest, worst = 0.0, ""
    for number, some in enumerate([[text] for text in texts] if ground.full else [texts]):  # each by itself, or all in one export
        cells = ['"' + text.replace('"', '""') + '"' for text in some]
        cards = CARDS + "".join(f"{cell},{cell},{cell},{cell},{cell},{cell}\n" for cell in cells) + '"Smith, John",John,Smith,,,\n'
        matters = MATTERS + "".join(f"{cell},{cell},{cell},{cell},{cell},{cell}\n" for cell in cells) + '24-0001,Sale of shop,"Smith, John",Open,31/05/2024,Jane Doe\n'
        work = "Date,Matter No,Staff,Hours,Rate,Amount,Description\n" + "".join(f"{cell},24-0001,{cell},{cell},{cell},{cell},{cell}\n" for cell in cells) + "31/05/2024,24-0001,JD,1,200,,x\n"
        began = time.monotonic()
        run = _stored(Crossings(ground.folder / f"{number}"), firm(cards=cards, matters=matters, time=work))
        took = time.monotonic() - began
        assert run.state in {"completed", "completed_with_differences", "held"}, (some[0][:20], run.state)
        if took > slowest:
            slowest, worst = took, some[0][:6]
    base = time.monotonic()
    Crossings(ground.folder / "base")(firm())
    base = time.monotonic() - base
    assert slowest < base + ground.within(10), (slowest, base, worst)
    return {"texts": len(texts), "characters each, up to": size, "fields each": 18, "slowest run, seconds": round(slowest, 1), "a plain run, seconds": round(base, 1)}
