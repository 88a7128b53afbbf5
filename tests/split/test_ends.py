"""A list that broke off, and a file that holds no list, are told."""

import pytest

from caseferry.errors import ExportRefused
from caseferry.reading import guard, ranged
from caseferry.reading.ends import ends_midway
from caseferry.reading.guard import WORKS, ask
from caseferry.reading.source import Source
from config.limits import ReadingLimits
from tasks.split import drop
from tests.crossing import ONE_CARD, Crossings, firm


def test_a_list_that_ends_in_the_middle_of_a_row_is_told(crossing: Crossings) -> None:
    whole = ONE_CARD + '"Able, Ann",Ann,Able,,ann@x.example,0412 345 679\n'
    assert crossing(firm(cards=whole)).state == "completed"
    run = crossing(firm(cards=whole[:-30]))
    assert [note["where"] for note in run.noted("ends_midway")] == ["cards.csv"]
    assert run.type("contact")["read"] == 2
    assert run.state == "completed_with_differences"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b,c\n1,2,3\n4,5", True), ("Title\na;b;c\r\n1;2;3\r\n4;", True), ("a,b,c\n1,2,3\n4,5,6", False), ("a,b,c\n1,2,3\n4,5\n", False),
        ('a,b,c\n1,"x\ny",3\n2,"x\ny, z",3\n3,"x\ny",', False), ('a,b,c\n1,"x\ny",3\n2,"x\ny, z",3\n3,"x\ny"', True), ('a,b,c\n1,"x\ny",3\n2,"x\ny",3\n3,"x\ny",3', False),
        ('a,b,c\n' + '1,"x\ny; z",3\n' * 9_000 + '2,"x\ny"', True), ('a,b,c\n' + '1,"x\ny; z",3\n' * 9_000 + '2,"x\ny",3', False),
        ("a,b,c\n1,2,3\nPrinted on Monday", False), ('a,b,c\n1,2,"3\n4"', False), ("a,b,c\n1,2,3\n4,5,6\n", False), ("a,b\n1", False), ("", False),
    ],
)  # fmt: skip
def test_only_half_a_row_without_an_end_is_half_a_row(text: str, told: bool) -> None:
    assert ends_midway(Source.of(text.encode()), "utf-8") is told
    if text:
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
            assert ends_midway(Source.of(text.encode(encoding)), encoding) is told


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
@pytest.mark.parametrize(("text", "less"), [("a,b,c\n1,2,3\n4,5,6\n", 1), ("a,b,c\n1,2,3\n4,5,\U0001f600", 2), ("a,b,c\n" + "1,\U0001f600\u00e9,3\n" * 9_000 + "4,5,6", 3)])
def test_a_file_that_ends_within_a_letter_broke_off(encoding: str, text: str, less: int) -> None:
    data = text.encode(encoding)
    assert ends_midway(Source.of(data[:-less]), encoding) and not ends_midway(Source.of(data + ("\n".encode(encoding)[-2:] if text[-1] != "\n" else b"")), encoding)


def test_a_list_whose_last_cell_has_no_plain_letter_breaks_off_all_the_same(crossing: Crossings) -> None:
    rows = ONE_CARD + '"Able, Ann",Ann,Able,,' + "日" * 40_000
    run = crossing(firm() | {"cards.csv": rows.encode("utf-16")[:-1]})
    assert [note["where"] for note in run.noted("ends_midway")] == ["cards.csv"]


def test_a_template_that_breaks_off_is_none() -> None:
    assert ask(f"{WORKS}heading_row", "First,Last".encode("utf-16"), "t.csv", ReadingLimits()).made == ["First", "Last"]
    with pytest.raises(ExportRefused, match="CF-107"):
        ask(f"{WORKS}heading_row", "First,Last".encode("utf-16")[:-1], "t.csv", ReadingLimits())


@pytest.mark.parametrize("less", [1, 2, 3, 61])
def test_a_list_of_two_bytes_a_letter_is_read_to_where_it_broke_off(crossing: Crossings, less: int) -> None:
    whole = ONE_CARD + '"Able, Ann",Ann,Able,,ann@x.example,0412 345 679'
    run = crossing(firm() | {"cards.csv": whole.encode("utf-16")[:-less]})
    assert run.type("contact")["read"] == 2
    assert [note["where"] for note in run.noted("ends_midway")] == ([] if less == 2 else ["cards.csv"])
    assert run.state == ("completed" if less == 2 else "completed_with_differences")


def test_a_list_of_one_column_is_told_and_text_is_not_a_list(crossing: Crossings) -> None:
    run = crossing(firm() | {"mails.csv": "Newsletter\na@x.example\nb@x.example\n", "read me.txt": "Dear all\nhere are the lists\n", "empty list.csv": "Shelf,Seal\n"})
    assert [(one["file"], one["rows"]) for one in run.ledger["unknown_tables"]] == [("mails.csv", 3)]
    assert {note["where"] for note in run.noted("text_not_taken")} == {"read me.txt", "empty list.csv"}
    assert run.state == "completed_with_differences"
    assert crossing(firm() | {"read me.txt": "Dear all\nhere are the lists\n"}).state == "completed"


@pytest.mark.parametrize("odd", ["", '31/05/2024,24-0001,JD,1.5,12" pipe\n', "31/05/2024,24-0001,JD,1.5,200,and,more\n", "31/05/2024,24-0001,J\ufffd,1.5,200\n", "31/05/2024,24-0"])
def test_a_list_that_is_cut_while_it_is_read_is_cut_as_if_it_were_read_before(crossing: Crossings, monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    rows = [f"31/05/2024,24-0001,JD,1.5,200,{' '.join(str(n * prime) for prime in range(7_919, 7_940))}\n" for n in range(6_000)]
    files = firm(w="Date,Matter No,Staff,Hours,Rate,Narrative\n" + "".join(rows) + odd + ("" if odd and not odd.endswith("\n") else "".join(rows[:10])))
    whole = crossing(files)
    monkeypatch.setattr(ranged, "RANGE", 100_000)
    for room in (guard, drop):
        monkeypatch.setattr(room, "SMALL", 10_000)
    surprises, settle = list[None](), drop.Drop.settle
    monkeypatch.setattr(drop.Drop, "settle", lambda self: surprises.append(settle(self)))
    parts = crossing(files)
    assert len(surprises) == bool(odd)
    assert parts.split == whole.split and parts.ledger == whole.ledger
    assert [parts.store.get(parts.run.at("3-merge", "files", name)) for name in parts.names()] == [whole.store.get(whole.run.at("3-merge", "files", name)) for name in whole.names()]
