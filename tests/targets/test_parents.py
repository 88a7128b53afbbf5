"""Whose a record is, in targets that link by key: nothing hangs on a guess, and what waits keeps what hangs on it waiting."""

import pytest

from tests.crossing import ONE_MATTER, Crossings, firm
from tests.targets.firms import ANN, CARDS, DEBTORS, JOHN, MAPPED

TWO_OF_A_NUMBER = ONE_MATTER.split("\n")[0] + '\n24-0001,Lease,"Smith, John",Open,31/05/2024,Jane Doe\n24-0001,Will,"Able, Ann",Open,31/05/2024,Jane Doe\n'

@pytest.mark.requirement("E98")
def test_open_matters_stay_with_all_that_hangs_on_them_until_they_are_closed(crossing: Crossings) -> None:
    matters = ONE_MATTER + '23-0001,Old sale,"Smith, John",Closed,31/05/2023,Jane Doe\n'
    notes = "Date,Subject,File Note,Matter No\n31/05/2024,S,B,24-0001\n31/05/2023,T,C,23-0001\n"
    files = firm(matters=matters, n=notes, d=DEBTORS)
    run = crossing(files, options={"open_matters_stay": True})
    assert [m["custom_number"] for m in run.rows("02_matters")] == ["23-0001"]
    assert [n["matter"] for n in run.rows("matter_notes")] == ["23-0001"]
    assert (run.type("matter")["excluded"], run.type("note")["excluded"], run.type("receivable")["excluded"]) == (1, 1, 1)
    assert run.state == "completed"
    assert "1 open matters stay in LEAP" in run.ledger["todo"][-1] and "options.after" in run.ledger["todo"][-1]
    assert len(run.found("open_matter_stays")) == 3


def test_a_debt_goes_to_nobody_elses_account(crossing: Crossings) -> None:
    cards = CARDS + "A:B Ltd,,,A:B Ltd,a@x.example,,,,,\nA B Ltd,,,A B Ltd,b@x.example,,,,,\n"
    matters = ONE_MATTER.split("\n")[0] + "\n24-0001,Sale,A:B Ltd,Open,31/05/2024,Jane Doe\n24-0002,Lease,A B Ltd,Open,31/05/2024,Jane Doe\n"
    debts = "Matter No,Debtor Name,Outstanding\n24-0001,A:B Ltd,5.00\n24-0002,A B Ltd,7.00\n"
    run = crossing(firm(cards=cards, matters=matters, d=debts), target="quickbooks_online").approved()
    assert [(m["DisplayName"], m["ParentRef"]) for m in run.fitted("quickbooks_online", "02_sub_customers")] == [("24-0001", "A B Ltd")]
    assert [(i["Invoice Number"], i["Item Amount"]) for i in run.fitted("quickbooks_online", "03_invoices")] == [("OB-24-0001", "5.00")]
    assert len(run.fitted("quickbooks_online", "invoices_waiting")) == 1


def test_clients_without_a_card_in_two_spellings_are_two(crossing: Crossings) -> None:
    matters = ONE_MATTER.split("\n")[0] + "\n24-0001,Sale,Acme Ltd,Open,31/05/2024,Jane Doe\n24-0002,Lease,ACME LTD,Open,31/05/2024,Jane Doe\n"
    run = crossing(firm(matters=matters), target="wealthbox", also=["generic_crm"]).approved()
    assert run.state == "completed"
    assert len(run.fitted("wealthbox", "01_organizations")) == 2


def test_who_waits_keeps_what_hangs_on_him_waiting(crossing: Crossings) -> None:
    cards = CARDS + JOHN + "Solo,Solo,,,s@x.example,,,,,\n"
    matters = ONE_MATTER + "24-0002,Lease,Solo,Open,31/05/2024,Jane Doe\n"
    tasks = "Task,Due Date,Assigned To,Matter No\nCall,13/07/2024,RR,24-0002\n"
    run = crossing(firm(cards=cards, matters=matters, t=tasks), target="wealthbox", also=["redtail"]).approved()
    for target in ("wealthbox", "redtail"):
        keys = {line for f in run.target(target)["files"] if f["is_import"] for row in run.fitted(target, f["name"]) for line in row.values()}
        assert "24-0002" not in keys


def test_a_users_id_stands_where_the_target_wants_an_owner(crossing: Crossings) -> None:
    users = [{"name": "Jane Doe", "email": "jane@firm.example", "ids": {"salesforce_fsc": "0055e000001AbCdAAK"}}, {"name": "Richard Roe", "email": "richard@firm.example"}]
    run = crossing(firm(), target="salesforce_fsc", users=users)
    version = run.json("3-merge", "field-map.json")["version"]
    assert version == crossing(firm(), target="salesforce_fsc").json("3-merge", "field-map.json")["version"]
    assert [case["OwnerId"] for case in run.approved().fitted("salesforce_fsc", "03_cases_of_people")] == ["0055e000001AbCdAAK"]


@pytest.mark.requirement("E66")
def test_two_matters_of_one_number_stay_two_and_nothing_hangs_on_either(crossing: Crossings) -> None:
    files = {
        "n": "Date,Subject,File Note,Matter No\n31/05/2024,S,Said in confidence,24-0001\n", "t": "Task,Due Date,Assigned To,Matter No\nCall,13/07/2024,Jane Doe,24-0001\n",
        "p": "Matter No,Role,Card Name\n24-0001,Witness,\"Able, Ann\"\n",
    }  # fmt: skip
    run = crossing(firm(cards=CARDS + JOHN + ANN, matters=TWO_OF_A_NUMBER, **files), also=MAPPED).approved()
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []
    assert {(f["table"].split("-")[1], f["outcome"]) for f in run.found("matter_number_of_two")} == {("notes", "quarantined"), ("tasks", "quarantined"), ("parties", "quarantined")}
    made = {(m["Description"], m["Client"], m["Matter ID"]) for m in run.fitted("generic_crm", "03_matters")}
    assert {(what, client, key.partition("~")[0]) for what, client, key in made} == {("Lease", "John Smith", "24-0001"), ("Will", "Ann Able", "24-0001")}
    assert all("~" in key for *_, key in made)  # which of them had the plain number would follow the order of the rows
    for name in MAPPED:
        assert [c["name"] for c in run.target(name)["checks"] if not c["passed"]] == []


def test_who_is_meant_by_his_id_is_meant_also_where_two_have_one_name(crossing: Crossings) -> None:
    cards = "Card ID,Card Name,First Name,Last Name,Email\n1,\"Baker, Bob\",Bob,Baker,bob@one.example\n2,\"Baker, Bob\",Bob,Baker,bob@two.example\n"
    matters = ONE_MATTER.split("\n")[0] + '\n24-0001,Lease,"Baker, Bob",Open,31/05/2024,Jane Doe\n24-0002,Will,2,Open,31/05/2024,Jane Doe\n'
    trust = 'Matter No,Client,Trust Balance\n,2,5.00\n,1,7.00\n,"Baker, Bob",9.00\n'
    notes = 'Date,Subject,File Note,Client\n31/05/2024,S,One,2\n31/05/2024,T,Two,"Baker, Bob"\n'
    run = crossing(firm(cards=cards, matters=matters, tb=trust, n=notes), target="neutral", also=["generic_crm"]).approved()
    assert {m["Matter ID"]: m["Client ID"] for m in run.fitted("generic_crm", "03_matters")} == {"24-0001": "", "24-0002": "2"}
    assert {n["Subject"]: n["Contact ID"] for n in run.fitted("generic_crm", "05_notes")} == {"S": "2", "T": ""}
    assert [t["amount"] for t in run.rows("trust_balances")] == ["5.00", "7.00"]
    assert [f["row"] for f in run.found("contact_ambiguous")] == [4]
    assert sorted(f["row"] for f in run.found("client_name_shared")) == [2, 3]


def test_a_credit_waits_with_its_amount_and_fails_nobody(crossing: Crossings) -> None:
    run = crossing(firm(cards=CARDS + JOHN, d='Matter No,Debtor Name,Outstanding\n24-0001,"Smith, John",-12.50\n'), target="quickbooks_online", also=["generic_crm"]).approved()
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []
    assert [line["Item Amount"] for line in run.fitted("quickbooks_online", "invoices_waiting")] == ["-12.50"]


@pytest.mark.requirement("E98")
def test_open_matters_may_stay_whatever_the_target(crossing: Crossings) -> None:
    matters = ONE_MATTER + '24-0002,Will,"Smith, John",Closed,31/05/2024,Jane Doe\n'
    run = crossing(firm(cards=CARDS + JOHN, matters=matters), target="neutral", also=["generic_crm"], options={"open_matters_stay": True}).approved()
    assert [m["Matter ID"] for m in run.fitted("generic_crm", "03_matters")] == ["24-0002"]
    assert [c["Is Client"] for c in run.fitted("generic_crm", "01_people")] == ["yes"]


@pytest.mark.requirement("E50")
def test_money_of_one_client_never_goes_to_another(crossing: Crossings) -> None:
    matters = ONE_MATTER.split("\n")[0] + '\n24-0001,Lease,"Smith, John",Open,31/05/2024,Jane Doe\n24-0002,Will,"Able, Ann",Open,31/05/2024,Jane Doe\n'
    matters += "24-0003,Estate,Estate of Smith,Open,31/05/2024,Jane Doe\n"
    trust = 'Matter No,Client,Trust Balance\n24-0001,"Able, Ann",5.00\n24-0002,"Able, Ann",7.00\n24-0003,"Smith, John",9.00\n'
    debts = 'Matter No,Debtor Name,Outstanding\n24-0002,"Smith, John",3.00\n24-0001,"Smith, John",4.00\n'
    run = crossing(firm(cards=CARDS + JOHN + ANN, matters=matters, tb=trust, d=debts))
    assert [(f["row"], f["outcome"]) for f in run.found("money_of_another_client")] == [(2, "quarantined")]
    assert sorted((f["table"].split("-")[1], f["row"], f["outcome"]) for f in run.found("owed_by_another")) == [("receivables", 2, "carried"), ("trust_listing", 4, "carried")]
    assert {t["matter"]: t["amount"] for t in run.rows("trust_balances")} == {"24-0002": "7.00", "24-0003": "9.00"}
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []
