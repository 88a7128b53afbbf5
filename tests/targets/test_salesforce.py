"""Salesforce: ids of the org's own are asked for, texts it reads otherwise are listed, and a plan says how each file is loaded."""

import json

import pytest

from caseferry.mapping.layers import as_key
from caseferry.mapping.mapped import load_mapped
from caseferry.mapping.profile import ProfileError
from tests.crossing import MATTERS, Crossings, firm
from tests.targets.firms import ANN, CARDS, JOHN

PEOPLE, COMPANIES = "0125e000000AbCdAAK", "0125e000000XyZwAAK"


def given(people: str | None, companies: str | None) -> dict[str, object]:
    ids = {"person_accounts": people, "business_accounts": companies}
    return {"targets": {"salesforce_fsc": {"files": {file: {"columns": {"RecordTypeId": {"value": one}}} for file, one in ids.items() if one is not None}}}}


@pytest.mark.requirement("E67")
def test_record_types_are_asked_for_until_the_firm_gives_them_and_are_never_made_up(crossing: Crossings) -> None:
    cards = CARDS + JOHN + "Acme Ltd,,,Acme Ltd,a@x.example,,,,,\n"
    run = crossing(firm(cards=cards), target="salesforce_fsc")
    asked = [(r["where"], r["answer_with"]) for r in run.reasons if r["code"] == "CF-152"]
    there = "rules.targets.salesforce_fsc.files.{}.columns.RecordTypeId.value"
    assert asked == [("target Salesforce Financial Services Cloud", there.format(file)) for file in ("business_accounts", "person_accounts")]
    assert not run.has("3-merge/manifest.json")
    version = run.json("3-merge", "field-map.json")["version"]
    run = crossing(firm(cards=cards), target="salesforce_fsc", rules=given(PEOPLE, ""), approved_map={"version": version, "by": "Olive Ops"}, acknowledged_by="Olive Ops", options={"unknown_columns": "archive"})
    assert run.state.startswith("completed"), run.reasons  # the ids of an org are no part of what is approved
    assert [p["RecordTypeId"] for p in run.fitted("salesforce_fsc", "02_person_accounts")] == [PEOPLE]
    assert [a["RecordTypeId"] for a in run.fitted("salesforce_fsc", "01_business_accounts")] == [""]


def test_an_id_that_can_not_be_one_is_refused_when_it_is_given() -> None:
    with pytest.raises(ProfileError, match="person_accounts.columns.RecordTypeId: 'Individual' is not of the form"):
        load_mapped("salesforce_fsc", rules=as_key(given("Individual", None)["targets"]["salesforce_fsc"]))  # type: ignore[index]


@pytest.mark.requirement("E66", "E67")
def test_the_load_plan_says_in_which_order_and_how_each_file_is_loaded(crossing: Crossings) -> None:
    matters = MATTERS + "".join(f'24-{n:04d},Sale,"Smith, John",Open,31/05/2024,Jane Doe\n' for n in range(5))
    rules = given(PEOPLE, COMPANIES)
    rules["targets"]["salesforce_fsc"]["files"]["cases_of_people"] = {"rows": 2}  # type: ignore[index]
    run = crossing(firm(matters=matters), target="salesforce_fsc", also=["hubspot"], rules=rules).approved()
    plan = run.json("3-merge", "salesforce_fsc", "load-plan.json")
    steps = [(s["order"], s["file"], s["object"], s["operation"], s["key"], s["rows"]) for s in plan["steps"]]
    assert steps == [
        (1, "02_person_accounts.csv", "Account", "upsert", "Legacy_Id__c", 1), (2, "03_cases_of_people.csv", "Case", "upsert", "Legacy_Id__c", 2),
        (3, "03_cases_of_people_2.csv", "Case", "upsert", "Legacy_Id__c", 2), (4, "03_cases_of_people_3.csv", "Case", "upsert", "Legacy_Id__c", 1),
    ]  # fmt: skip
    assert plan["steps"][1]["waits_for"] == ["person_accounts"]
    assert (plan["line_ending"], plan["encoding"], plan["reads_as_empty"]) == ("LF", "utf-8", ["#N/A"])
    assert {s["sha256"] for s in plan["steps"]} == {f["sha256"] for f in run.target("salesforce_fsc")["files"] if f["is_import"]}
    assert json.loads(run.store.get(run.run.at("3-merge", "hubspot", "load-plan.json")))["line_ending"] == "CRLF"
    for step in plan["steps"]:
        data = run.store.get(run.run.at("3-merge", "salesforce_fsc", "files", step["file"]))
        assert b"\r" not in data
        assert data.startswith(b'"Legacy_Id__c",')


def test_what_salesforce_would_read_as_nothing_is_listed_and_a_rule_may_clear_a_field(crossing: Crossings) -> None:
    cards = CARDS + '"Smith, John",John,Smith,,john@x.example,,#N/A,Leeds,,\n' + ANN
    rules = given(PEOPLE, COMPANIES)
    rules["targets"]["salesforce_fsc"]["files"]["person_accounts"]["columns"]["PersonMailingCity"] = {"empty": "#N/A"}  # type: ignore[index]
    run = crossing(firm(cards=cards), target="salesforce_fsc", rules=rules).approved()
    people = {p["LastName"]: (p["PersonMailingStreet"], p["PersonMailingCity"]) for p in run.fitted("salesforce_fsc", "02_person_accounts")}
    assert people == {"Smith": ("", "Leeds"), "Able": ("", "#N/A")}
    assert [(line["Column"], line["Value"]) for line in run.fitted("salesforce_fsc", "left_out")] == [("PersonMailingStreet", "#N/A")]
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []


def test_no_cell_line_or_header_is_longer_than_the_target_takes(crossing: Crossings) -> None:
    header = CARDS.replace("\n", ",Essay,Memoir,Diary\n")
    cards = header + JOHN.replace("\n", f',{"e" * 60},{"m" * 40},{"d" * 20}\n') + ANN.replace("\n", f',{"é" * 50},{"m" * 50},{"d" * 50}\n')
    rules = given(PEOPLE, COMPANIES)
    rules["targets"]["salesforce_fsc"]["limits"] = {"cell": 50, "line": 150, "columns": 23}  # type: ignore[index]
    run = crossing(firm(cards=cards), target="salesforce_fsc", rules=rules, options={"unknown_columns": "custom_field"}).approved()
    people = run.fitted("salesforce_fsc", "02_person_accounts")
    assert [(p["LastName"], p["Essay__c"]) for p in people] == [("Smith", "")]
    assert "Memoir__c" not in people[0]
    assert [(line["Column"], line["Value"]) for line in run.fitted("salesforce_fsc", "left_out")] == [("Essay__c", "e" * 60)]
    assert [line["Why it waits"] for line in run.fitted("salesforce_fsc", "person_accounts_waiting")] == ["the record is longer than 150 characters"]
    assert {line["Field"] for line in run.fitted("salesforce_fsc", "custom_fields_of_contacts")} == {"Memoir"}
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []


@pytest.mark.requirement("E21")
def test_custom_fields_are_written_as_the_targets_types_and_what_is_none_is_listed(crossing: Crossings) -> None:
    matters = MATTERS.replace("\n", ",Settlement,Heard,Appealed,Pages\n") + "".join(
        f'24-000{n},Sale,"Smith, John",Open,31/05/2024,Jane Doe,{amount},{day},{flag},{pages}\n'
        for n, (amount, day, flag, pages) in enumerate([('"$1,234.50"', "31/01/2024", "Yes", "12"), ("about 5", "", "perhaps", "1.5"), ("€7", "28/02/2024", "n", "many")])
    )  # fmt: skip
    custom = {name: {"headings": [], "parent": "Matter", "type": kind} for name, kind in {"Settlement": "currency", "Heard": "date", "Appealed": "checkbox", "Pages": "numeric"}.items()}
    rules = given(PEOPLE, COMPANIES) | {"source": {"tables": {"matters": {"custom": custom}}}}
    run = crossing(firm(matters=matters), target="salesforce_fsc", also=["hubspot", "wealthbox"], rules=rules).approved()
    fields = ("Settlement", "Heard", "Appealed", "Pages")
    assert [tuple(m[f"{f}__c"] for f in fields) for m in run.fitted("salesforce_fsc", "03_cases")] == [
        ("1234.50", "2024-01-31", "true", "12"), ("", "", "", "1.5"), ("", "2024-02-28", "false", "")
    ]  # fmt: skip
    assert [tuple(m[f] for f in fields) for m in run.fitted("hubspot", "03_deals")][0] == ("1234.50", "2024-01-31", "true", "12")
    assert [m["Settlement"] for m in run.fitted("wealthbox", "03_projects")] == ["1234.50", "about 5", "€7"]
    left = {(line["Column"], line["Value"], line["Why"]) for line in run.fitted("salesforce_fsc", "left_out")}
    assert left == {
        ("Settlement__c", "about 5", "Settlement__c: not an amount of the account's currency"), ("Settlement__c", "€7", "Settlement__c: not an amount of the account's currency"),
        ("Appealed__c", "perhaps", "Appealed__c: not yes or no"), ("Pages__c", "many", "Pages__c: not a number"),
    }  # fmt: skip
    kinds = {c["heading"]: c["type"] for c in run.target("salesforce_fsc")["custom_fields"]}
    assert {f: kinds[f"{f}__c"] for f in fields} == {"Settlement": "currency", "Heard": "date", "Appealed": "checkbox", "Pages": "numeric"}
    assert (kinds["Opened_On__c"], kinds["Practice_Area__c"]) == ("date", "text_line")
    assert run.state == "completed_with_differences"
