from typing import Any

import pytest

from tests.crossing import CARDS, MATTERS, ONE_CARD, ONE_MATTER, Crossings, firm

TWO_CARDS = ONE_CARD + '"Smith, Mary",Mary,Smith,,mary@x.example,0412 345 679\n'


@pytest.mark.requirement("A19", "A20", "A32")
def test_matters_without_an_active_user_go_to_the_primary_subscriber_and_are_listed(crossing: Crossings) -> None:
    rows = "".join(f'{n},m,"Smith, John",Open,31/05/2024,{who}\n' for n, who in enumerate(["Richard Roe", "Greta Holm", "Sam Former", ""], 1))
    run = crossing(firm(matters=MATTERS + rows))
    found = [(r["responsible_attorney"], r["name_in_old_system"], r["rule"]) for r in run.rows("matter_users")]
    assert found == [("Richard Roe", "Richard Roe", ""), ("Jane Doe", "Greta Holm", "primary subscriber"), ("Jane Doe", "Sam Former", "primary subscriber"),
                     ("Jane Doe", "", "primary subscriber")]  # fmt: skip
    assert {(f["name"], f["count"]) for f in run.ledger["fallbacks"]} == {("Greta Holm", 1), ("Sam Former", 1)}
    assert ("Responsible in Old System", "Sam Former") in {(f["field"], f["value"]) for f in run.rows("matter_custom_fields")}


@pytest.mark.requirement("A19")
def test_a_template_with_a_column_for_the_user_gets_an_active_one_in_every_row(crossing: Crossings) -> None:
    template = "status,description,open_date,custom_number,client_first_name,client_last_name,client_company_name,responsible_attorney\n"
    rows = "".join(f'{n},m,"Smith, John",Open,31/05/2024,{who}\n' for n, who in enumerate(["Richard Roe", "Greta Holm", "Nobody"], 1))
    run = crossing(firm(matters=MATTERS + rows), templates={"matters.csv": template})
    assert [r["responsible_attorney"] for r in run.rows("02_matters")] == ["Richard Roe", "Jane Doe", "Jane Doe"]
    assert list(run.rows("02_matters")[0]) == template.strip().split(",")


@pytest.mark.requirement("A21")
@pytest.mark.parametrize("text", ["U1", "JANE@firm.example", "jd", "jane doe", "Doe, Jane", "Jane  Doe"])
def test_a_user_is_found_by_id_email_alias_or_full_name(crossing: Crossings, text: str) -> None:
    run = crossing(firm(matters=MATTERS + f'1,m,"Smith, John",Open,31/05/2024,"{text}"\n'), primary_subscriber="richard@firm.example")
    assert run.rows("matter_users")[0]["responsible_attorney"] == "Jane Doe"


@pytest.mark.requirement("A21")
def test_two_candidates_are_no_match(crossing: Crossings) -> None:
    users = [{"name": "Jane Doe", "email": "a@f.example"}, {"name": "jane doe", "email": "b@f.example"}, {"name": "Al Po", "email": "c@f.example"}]
    run = crossing(firm(), users=users, primary_subscriber="c@f.example")
    assert run.rows("matter_users")[0]["responsible_attorney"] == "Al Po"
    assert run.ledger["fallbacks"][0]["name"] == "Jane Doe"


@pytest.mark.requirement("A22")
def test_without_a_primary_subscriber_nothing_is_written(crossing: Crossings) -> None:
    held = crossing(firm(matters=ONE_MATTER.replace("Jane Doe", "Sam Former")), primary_subscriber=...)
    assert (held.state, held.reasons[0]["code"]) == ("held", "CF-126")
    assert not any(key.startswith("3-merge/files") for key in __import__("tasks.stage").stage.present(held.store, held.run))
    assert held.release(primary_subscriber="jane@firm.example").state == "completed"


@pytest.mark.requirement("A26", "D16", "D18")
def test_matter_numbers_are_text_and_always_written(crossing: Crossings) -> None:
    rows = "".join(f'{n},m,"Smith, John",Open,31/05/2024,JD\n' for n in ["00012", "24-05", "2024/12a", "00012"])
    run = crossing(firm(matters=MATTERS + rows.replace("00012,m", "00012,other", 1)), options={"target_numbering": True})
    assert [r["custom_number"] for r in run.rows("02_matters")] == ["00012", "24-05", "2024/12a", "00012"]
    assert len(run.found("duplicate_matter_number")) == 2
    assert [r["old_number"] for r in run.rows("matter_numbers")] == ["00012", "24-05", "2024/12a", "00012"]
    assert any("numbering" in text for text in run.ledger["todo"])


def test_a_number_that_a_spreadsheet_made_a_date_waits(crossing: Crossings) -> None:
    import datetime as dt

    from tests.crossing import book

    rows: list[list[Any]] = [["Matter No", "Description", "Status"], [dt.datetime(2024, 5, 24), "x", "Open"], ["TBA", "y", "Open"], ["", "z", "Open"], [1001, "w", "Open"]]
    run = crossing({"c.csv": ONE_CARD, "m.xlsx": book(rows)})
    assert {f["rule"] for f in run.notes("findings") if f["outcome"] == "quarantined"} == {"number_is_a_date", "number_pending", "no_number"}
    assert [r["custom_number"] for r in run.rows("02_matters")] == ["1001"]


@pytest.mark.requirement("A28")
def test_status_is_open_or_closed_and_every_other_word_is_listed(crossing: Crossings) -> None:
    matters = "Matter No,Description,Client,Status,Close Date,Archived\n"
    for n, (status, closed, archived) in enumerate([("Open", "", ""), ("closed", "", "No"), ("Discovery", "", ""), ("Discovery", "31/05/2024", ""), ("Open", "", "Yes"), ("", "", "")], 1):
        matters += f'{n},m,"Smith, John",{status},{closed},{archived}\n'
    run = crossing(firm(matters=matters))
    assert [r["status"] for r in run.rows("02_matters")] == ["Open", "Closed", "Open", "Closed", "Closed", "Open"]
    assert {f["value"] for f in run.found("status_not_in_map")} == {"Discovery"}
    mapped = crossing(firm(matters=matters), options={"status_map": {"Discovery": "Closed"}})
    assert [r["status"] for r in mapped.rows("02_matters")][2] == "Closed"


@pytest.mark.requirement("A30", "B07")
def test_an_open_date_that_can_not_be_read_is_left_empty_and_listed(crossing: Crossings) -> None:
    run = crossing(firm(matters=MATTERS + '1,m,"Smith, John",Open,31/02/2024,JD\n2,n,"Smith, John",Open,31/05/2024,JD\n'))
    assert [r["open_date"] for r in run.rows("02_matters")] == ["", "05/31/2024"]
    assert run.found("date_unreadable")[0]["value"] == "31/02/2024"


@pytest.mark.requirement("A33", "B07")
def test_descriptions_are_whole_and_an_empty_one_gets_the_placeholder(crossing: Crossings) -> None:
    run = crossing(firm(matters=MATTERS + '1,"Line one\nZwölf Straße ✓","Smith, John",Open,31/05/2024,JD\n2,,"Smith, John",Open,31/05/2024,JD\n'))
    assert [r["description"] for r in run.rows("02_matters")] == ["Line one\nZwölf Straße ✓", "No description"]
    assert [f["row"] for f in run.found("no_description")] == [3]


@pytest.mark.requirement("B07")
def test_a_matter_without_client_goes_to_the_unknown_client(crossing: Crossings) -> None:
    run = crossing(firm(matters=MATTERS + "1,m,,Open,31/05/2024,JD\n"))
    assert run.rows("02_matters")[0]["client_company_name"] == "Unknown Client"
    assert run.rows("01_contacts")[-1]["company"] == "Unknown Client"
    assert run.found("no_client")


def test_clients_are_found_by_exact_then_normal_form_and_never_by_likeness(crossing: Crossings) -> None:
    names = ['"Smith, John"', "john  SMITH", "Jon Smith", "Smith John"]
    rows = "".join(f"{n},m,{name},Open,31/05/2024,JD\n" for n, name in enumerate(names, 1))
    run = crossing(firm(matters=MATTERS + rows))
    found = [(r["client_first_name"], r["client_last_name"], r["client_company_name"]) for r in run.rows("02_matters")]
    assert found == [("John", "Smith", ""), ("John", "Smith", ""), ("", "", "Jon Smith"), ("", "", "Smith John")]
    assert [c["before"] for c in run.changed("client_by_normal_form")] == ["john  SMITH"]
    assert {f["value"] for f in run.found("client_not_in_cards")} == {"Jon Smith", "Smith John"}


def test_several_clients_are_split_only_when_each_is_a_contact(crossing: Crossings) -> None:
    rows = '1,m,"Smith, John; Smith, Mary",Open,31/05/2024,JD\n2,n,John and Mary Smith,Open,31/05/2024,JD\n3,o,"Smith, John & Nobody, Known",Open,31/05/2024,JD\n'
    run = crossing(firm(cards=TWO_CARDS, matters=MATTERS + rows))
    assert [r["client_first_name"] for r in run.rows("02_matters")] == ["John", "John", ""]
    assert [(r["matter"], r["contact"], r["relationship"]) for r in run.rows("related_contacts")] == [("1", "Mary Smith", "Client"), ("2", "Mary Smith", "Client")]
    assert [f["row"] for f in run.found("several_clients_not_split")] == [4]


def test_a_name_two_cards_answer_to_is_nobody(crossing: Crossings) -> None:
    cards = CARDS + "A,John,Smith,,a@x.example,\nB,,,John Smith,b@x.example,\n"
    run = crossing(firm(cards=cards, matters=MATTERS + "1,m,John Smith,Open,31/05/2024,JD\n"))
    assert run.found("client_ambiguous")
    assert run.rows("02_matters")[0]["client_company_name"] == "Unknown Client"


def test_exact_copies_become_one_and_likely_ones_are_proposed(crossing: Crossings) -> None:
    cards = ONE_CARD + ONE_CARD.split("\n")[1] + "\n" + 'Jack,John,Smith,,other@x.example,0412345678\n"Smith, Eve",Eve,Smith,,john@x.example,\n'
    run = crossing(firm(cards=cards))
    assert (run.type("contact")["carried"], run.type("contact")["merged"]) == (3, 1)
    assert {f["value"] for f in run.found("possible_duplicate")} == {"same_email", "same_name_and_phone"}


def test_parties_in_columns_become_related_contacts(crossing: Crossings) -> None:
    run = crossing(firm(matters='Matter No,Description,Client,Other Side,Other Side\'s Solicitor\n1,m,"Smith, John",Acme Ltd,"Smith, John"\n'))
    assert [(r["contact"], r["relationship"]) for r in run.rows("related_contacts")] == [("Acme Ltd", "Other Side"), ("John Smith", "Other Side's Lawyer")]
    assert run.type("contact")["derived"] == 1
