"""dBase tables and their memo files. Every record is a row, whatever is odd about it."""

import struct
from collections.abc import Callable, Sequence

import pytest

from caseferry.reading.dbase import Dbase
from caseferry.reading.source import Source
from samples import dbase
from tests.crossing import ONE_MATTER, Crossings, firm


def dbf(fields: list[tuple[str, str, int]], records: Sequence[tuple[bytes, ...]], driver: int = 0x03, deleted: frozenset[int] = frozenset()) -> bytes:
    width = 1 + sum(size for _, _, size in fields)
    head = struct.pack("<BBBBIHH", 0x03, 124, 5, 31, len(records), 32 + 32 * len(fields) + 1, width) + bytes(17) + bytes([driver]) + bytes(2)
    head += b"".join(name.encode().ljust(11, b"\x00") + kind.encode() + bytes(4) + bytes([size, 0]) + bytes(14) for name, kind, size in fields) + b"\r"
    body = b"".join((b"*" if n in deleted else b" ") + b"".join(cell.ljust(size)[:size] for cell, (_, _, size) in zip(record, fields, strict=True)) for n, record in enumerate(records))
    return head + body + b"\x1a"


def test_a_dbase_table_is_a_list(crossing: Crossings) -> None:
    fields = [("CASENUM", "C", 15), ("MATTER", "C", 40), ("CLIENT", "C", 30), ("OPENED", "D", 8), ("CLOSED", "D", 8), ("ATTORNEY", "C", 6), ("NOTES", "M", 10)]
    records = [
        (b"24-0001", "Vente de l'étude".encode("cp850"), b"Smith, John", b"20240531", b"        ", b"JD", b"         7"),
        (b"24-0002", b"Deleted one", b"Smith, John", b"20240531", b"", b"JD", b""),
        (b"24-0003", b"Lease", b"Smith, John", b"20230102", b"20240102", b"RR", b""),
    ]
    data = dbf(fields, records, driver=0x02, deleted=frozenset({1}))
    files = {"cards.csv": firm()["cards.csv"], "MATTERS.DBF": data}
    run = crossing(files, source="abacuslaw", options={"dates": "dmy"})
    rows = run.rows("02_matters")
    assert [(r["custom_number"], r["description"], r["open_date"], r["close_date"], r["status"]) for r in rows] == [
        ("24-0001", "Vente de l'étude", "05/31/2024", "", "Open"), ("24-0003", "Lease", "01/02/2023", "01/02/2024", "Closed"),
    ]  # fmt: skip
    assert {note["rule"]: note["count"] for note in run.ledger["noted"] if note["rule"] in {"deleted_records", "memos_not_read"}} == {"deleted_records": 1, "memos_not_read": 1}
    assert run.check("lines")["passed"]


def test_a_dbase_table_that_is_cut_off_says_so(crossing: Crossings) -> None:
    whole = dbf([("MATTER NO", "C", 10), ("DESCRIPTIO", "C", 20), ("CLIENT", "C", 20), ("STATUS", "C", 10)], [(b"24-0001", b"Sale", b"Smith, John", b"Open"), (b"24-0002", b"Lease", b"Smith, John", b"Open")])
    run = crossing({"cards.csv": firm()["cards.csv"], "m.dbf": whole[:-20]} | {"more.csv": ONE_MATTER.replace("24-0001", "24-0009")})
    assert [note["count"] for note in run.noted("records_cut_off")] == [1]


MEMO_FIELDS = [("MATTER_NO", "C", 10), ("DESCRIPTIO", "C", 20), ("CLIENT", "C", 20), ("STATUS", "C", 10), ("NOTES", "M", 10)]
LONG = "First line\r\nsecond: Müller – " + "long " * 400


def memo_rows(kind: dbase.Kind, width: int, change: Callable[[bytes], bytes] = lambda data: data) -> tuple[list[str | None], dict[str, int]]:
    """The memos of a table with four records, one of them without one and one deleted; and what is said of the table."""
    fields = [*MEMO_FIELDS[:4], ("NOTES", "M", width)]
    records = [(f"24-{n:04d}", "Sale", "Smith, John", "Open", memo) for n, memo in enumerate(["short", LONG, None, "deleted", "last"])]
    data, memos = dbase.table(kind, fields, records, "cp1252", frozenset({3}))
    table = Dbase(Source.of(data), "m.dbf", memos=Source.of(change(memos)))
    _, cells = list(table.pieces())
    return cells["c4"].to_list(), table.notes


@pytest.mark.parametrize(("kind", "width"), [("iii", 10), ("iv", 10), ("foxpro", 10), ("visual", 4)])
def test_memos_are_read_from_the_file_beside(kind: dbase.Kind, width: int) -> None:
    found, notes = memo_rows(kind, width)
    assert (found, notes) == (["short", LONG.replace("\r\n", "\n").strip(), None, "last"], {"deleted_records": 1})


@pytest.mark.parametrize(("kind", "width"), [("iii", 10), ("iv", 10), ("foxpro", 10), ("visual", 4)])
def test_a_memo_file_that_is_cut_off_or_of_another_table_says_so(kind: dbase.Kind, width: int) -> None:
    found, notes = memo_rows(kind, width, lambda data: data[:-600] if kind in {"iii", "iv"} else data[:-100])
    assert found[0] == "short" and notes["memos_lost"] in {1, 2}
    assert memo_rows(kind, width, lambda data: b"\0" * 10)[1]["memos_lost"] == 3
    found, notes = memo_rows(kind, width, lambda data: b"\xff" * len(data))
    assert len(found) == 4


def test_a_table_and_its_memos_cross_together(crossing: Crossings) -> None:
    fields = [("CASE_NO", "C", 10), ("NOTE_DATE", "D", 8), ("AUTHOR", "C", 10), ("NOTE_TEXT", "M", 10)]
    data, memos = dbase.table("foxpro", fields, [("24-0001", "20240531", "JD", LONG), ("24-0001", "20240601", "RR", None)], "cp1252")
    files = {"cards.csv": firm()["cards.csv"], "matters.csv": firm()["matters.csv"], "old/NOTES.DBF": data, "old/Notes.fpt": memos}
    run = crossing(files)
    assert [(r["date"], r["note"]) for r in run.rows("matter_notes")] == [("05/31/2024", LONG.replace("\r\n", "\n").strip())]
    assert run.type("note") | {"read": 2, "carried": 1, "quarantined": 1} == run.type("note")
    assert run.check("lines")["passed"] and not run.noted("memos_not_read")


def test_kinds_of_fields_foxpro_adds_are_read_and_its_own_column_is_none() -> None:
    fields = [("N", "N", 8), ("F", "F", 8), ("I", "I", 4), ("Y", "Y", 8), ("B", "B", 8), ("T", "T", 8), ("L", "L", 1), ("D", "D", 8)]
    data, _ = dbase.table("visual", fields, [("12.50", "0.125", "-7", "-1234.5678", "0.1", "2024-05-31T13:05:09", "T", "20240531"), (None,) * 8], "cp1252")
    table = Dbase(Source.of(data), "t.dbf")
    _, cells = list(table.pieces())
    assert cells.drop("row").rows() == [("12.50", "0.125", "-7", "-1234.5678", "0.1", "2024-05-31 13:05:09", "True", "2024-05-31"), (None, None, "0", "0", "0", None, None, None)]
    assert table.notes == {}
    hidden = bytearray(data)
    hidden[32 + 6 * 32 + 11], hidden[32 + 6 * 32 + 18] = ord("0"), 5
    assert [column.name for column in Dbase(Source.of(bytes(hidden)), "t.dbf").columns] == ["N", "F", "I", "Y", "B", "T", "D"]


FIELDS = [("MATTER NO", "C", 10), ("DESCRIPTIO", "C", 30), ("CLIENT", "C", 20), ("STATUS", "C", 10)]
RECORDS = [(b"24-0001", b"Sale", b"Smith, John", b"Open"), (b"24-0002", b"Lease", b"Smith, John", b"Open")]


def test_text_of_several_bytes_a_letter_is_read_by_bytes(crossing: Crossings) -> None:
    records = [(b"24-0001", "Müller über Straße".encode(), b"Smith, John", b"Open")]
    run = crossing({"cards.csv": firm()["cards.csv"], "m.dbf": dbf(FIELDS, records, driver=0)}, options={"encoding": {"m.dbf": "utf-8"}})
    assert run.rows("02_matters")[0]["description"] == "Müller über Straße"


def test_records_beyond_the_headers_count_are_read_and_told(crossing: Crossings) -> None:
    data = bytearray(dbf(FIELDS, RECORDS))
    data[4] = 1
    run = crossing({"cards.csv": firm()["cards.csv"], "m.dbf": bytes(data)})
    assert len(run.rows("02_matters")) == 2
    assert [note["count"] for note in run.noted("records_beyond_count")] == [1]
    assert run.check("lines")["passed"]


def test_a_table_whose_fields_are_not_its_records_is_refused(crossing: Crossings) -> None:
    data = bytearray(dbf(FIELDS, RECORDS))
    data[32 + 32 * 3 + 16] = 50
    run = crossing(firm() | {"m.dbf": bytes(data)})
    assert [note["where"] for note in run.noted("unreadable_file")] == ["m.dbf"]


@pytest.mark.parametrize("deleted", [frozenset[int](), frozenset({0, 1})])
def test_a_list_without_rows_ends_nothing(crossing: Crossings, deleted: frozenset[int]) -> None:
    table = dbf(FIELDS, RECORDS if deleted else [], deleted=deleted)
    run = crossing(firm(t="Task,Due Date,Assigned To,Matter No\n") | {"m.dbf": table}, target="wealthbox").approved()
    assert run.state.startswith("completed")
