"""What a target takes at most: files cut at the very byte, each with its header, and texts counted as the target counts them."""

import csv
import io

import pytest

from tests.crossing import MATTERS, ONE_MATTER, Crossed, Crossings, firm
from tests.targets.firms import CARDS, JOHN

NOTES = "Date,Subject,File Note,Matter No\n" + "".join(f'{13 + n}/05/2024,S{n},"Said ""{n}"",\r\nand 😀 wrote\nit, down {"x" * n}",24-0001\n' for n in range(9))


def files_of(run: Crossed, target: str, file: str) -> list[bytes]:
    return [run.store.get(run.run.at("3-merge", target, "files", f["name"])) for f in run.target(target)["files"] if f["file"] == file]


def of_at_most(size: int) -> dict[str, object]:
    return {"targets": {"generic_crm": {"files": {"notes": {"bytes": size}}}}}


@pytest.mark.requirement("E66")
def test_a_file_of_exactly_the_limit_is_whole_and_one_byte_less_makes_two_with_a_header_each(crossing: Crossings) -> None:
    whole = files_of(crossing(firm(n=NOTES), target="generic_crm").approved(), "generic_crm", "notes")
    assert len(whole) == 1
    size = len(whole[0])
    assert files_of(crossing(firm(n=NOTES), target="generic_crm", rules=of_at_most(size)).approved(), "generic_crm", "notes") == whole
    run = crossing(firm(n=NOTES), target="generic_crm", rules=of_at_most(size - 1), settings={"work": {"batch_rows": 2}}).approved()
    parts = files_of(run, "generic_crm", "notes")
    assert len(parts) == 2
    read = [list(csv.reader(io.StringIO(part.decode(), newline=""))) for part in parts]
    assert read[0][0] == read[1][0]
    assert [*read[0], *read[1][1:]] == list(csv.reader(io.StringIO(whole[0].decode(), newline="")))
    assert {len(row) for part in read for row in part} == {len(read[0][0])}
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []


@pytest.mark.parametrize(("text", "fits"), [("é" * 80, True), ("é" * 81, False), ("😀" * 40, True), ("😀" * 41, False), ("👩‍👩‍👧" * 10, True), ("漢" * 80, True)])
def test_a_name_is_counted_as_salesforce_counts_it(crossing: Crossings, text: str, fits: bool) -> None:
    run = crossing(firm(cards=CARDS + f'"{text}, John",John,{text},,john@x.example,,,,,\n', matters=MATTERS), target="salesforce_fsc").approved()
    assert [p["LastName"] for p in run.fitted("salesforce_fsc", "02_person_accounts")] == ([text] if fits else [])
    assert [p["LastName"] for p in run.fitted("salesforce_fsc", "person_accounts_waiting")] == ([] if fits else [text])  # a person has to shorten it
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []


@pytest.mark.requirement("E91")
@pytest.mark.parametrize(("name", "fits"), [("é" * 127, True), ("é" * 128, False), ("😀" * 63, True), ("😀" * 64, False), ("a" * 255, True), ("a" * 256, False)])
def test_mailchimp_counts_bytes(crossing: Crossings, name: str, fits: bool) -> None:
    run = crossing(firm(cards=CARDS + f'"{name}, Ann",Ann,{name},,ann@x.example,,,,Yes,\n', matters=MATTERS), target="mailchimp").approved()
    assert [m["Last Name"] for m in run.fitted("mailchimp", "02_subscribed")] == [name if fits else ""]


def test_ids_that_differ_in_capitals_are_not_loaded_over_each_other(crossing: Crossings) -> None:
    cards = "Card ID,Card Name,First Name,Last Name,Email\nC1,\"Baker, Bob\",Bob,Baker,bob@one.example\nc1,\"Cook, Cy\",Cy,Cook,cy@two.example\n"
    matters = MATTERS + '24-0001,Lease,"Baker, Bob",Open,31/05/2024,Jane Doe\n24-0002,Will,"Cook, Cy",Open,31/05/2024,Jane Doe\n'
    run = crossing(firm(cards=cards, matters=matters), target="salesforce_fsc").approved()
    assert [p["Legacy_Id__c"] for p in run.fitted("salesforce_fsc", "02_person_accounts")] == ["C1"]
    assert [line["Why it waits"] for line in run.fitted("salesforce_fsc", "person_accounts_waiting")] == ["Legacy_Id__c: another line has the same"]
    assert [m["Account.Legacy_Id__c"] for m in run.fitted("salesforce_fsc", "03_cases_of_people")] == ["C1"]
    assert [m["Account.Legacy_Id__c"] for m in run.fitted("salesforce_fsc", "cases_of_people_waiting")] == ["c1"]


def test_a_note_as_long_as_a_field_is_taken_to_the_letter(crossing: Crossings) -> None:
    note = 'He said: ""no""\r\n' * 10 + "x" * 31_000
    notes = f'Date,Subject,File Note,Matter No\n31/05/2024,S,"{note}",24-0001\n31/05/2024,T,"{"y" * 32_001}",24-0001\n'
    run = crossing(firm(cards=CARDS + JOHN, matters=ONE_MATTER, n=notes), target="salesforce_fsc").approved()
    assert [n["Description"] for n in run.fitted("salesforce_fsc", "09_notes_of_cases")] == [note.replace('""', '"')]
    assert [n["Description"] for n in run.fitted("salesforce_fsc", "notes_of_cases_waiting")] == ["y" * 32_001]
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []
