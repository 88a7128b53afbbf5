"""A firm that leaves Clio Manage for the systems advisers use."""

import csv
import io

import pytest

from samples.sources import move
from tests.crossing import Crossed, Crossings, firm, packed
from tests.targets.firms import ANN, CARDS, JOHN


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Crossed:
    crossings = Crossings(tmp_path_factory.mktemp("advisers"))
    pdf = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
    files = move("advisers") | {"documents/00001-Client/will.pdf": pdf, "billing/history.pdf": pdf + b" "}
    files["bills.csv"] = b"Bill Number,Matter,Client,Issue Date,Due Date,Total,Balance\nB-1,00001-Client,Carla Baptiste,05/01/2024,05/31/2024,400.00,250.00\n"
    return crossings.upload(crossings.services(), packed(files)).approved()


@pytest.mark.requirement("E11")
def test_clients_matters_billing_and_documents_are_in_the_counts(run: Crossed) -> None:
    read = {t["record"]: t["read"] for t in run.ledger["types"]}
    assert read["contact"] == 6 and read["matter"] == 5 and read["time_entry"] == 10 and read["receivable"] == 1 and read["document"] == 2
    assert [r["name"] for r in run.ledger["inventory"]["reports"]] == ["billing/history.pdf"]


@pytest.mark.requirement("E20")
@pytest.mark.parametrize("target", ["wealthbox", "redtail", "salesforce_fsc", "us_tech_automations"])
def test_clios_contacts_map_to_each_adviser_target_by_themselves(run: Crossed, target: str) -> None:
    drawn = run.json("3-merge", "field-map.json")["columns"]
    fates = {one["column"]: one["becomes"] for one in drawn if one["file"] == "contacts.csv" and one["target"] == target}
    standard = {"Prefix", "First Name", "Last Name", "Company", "Title", "Primary Email Address", "Primary Phone Number", "Mobile Phone Number", "Primary Address Street",
                "Primary Address City", "Primary Address Province", "Primary Address Postal Code", "Date of Birth"}  # fmt: skip
    assert {name for name in standard if fates[name] != "mapped"} == set()
    assert all(one["decided"] for one in drawn if one["file"] == "contacts.csv")


@pytest.mark.requirement("E48")
def test_matters_keep_practice_area_and_stage(run: Crossed) -> None:
    for target, file, area, stage in (
        ("wealthbox", "03_projects", "Practice Area", "Matter Stage"), ("us_tech_automations", "03_matters", "Practice Area", "Stage"),
    ):  # fmt: skip
        rows = run.fitted(target, file)
        assert rows[0][area] == "Conveyancing"
        assert rows[0][stage] == "Discovery"


@pytest.mark.requirement("E59")
def test_days_that_start_something_stay_days(run: Crossed) -> None:
    people = run.fitted("wealthbox", "02_people")
    assert {p["Birth Date"][:4] for p in people} >= {"1960", "1961"}
    assert all(len(p["Client Since"]) in {0, 10} for p in people)
    header = next(csv.reader(io.StringIO(run.store.get(run.run.at("3-merge", "salesforce_fsc", "files", "02_person_accounts.csv")).decode())))
    assert "PersonBirthdate" in header


@pytest.mark.requirement("E59")
def test_the_old_systems_own_days_of_a_client_are_days_in_the_files(crossing: Crossings) -> None:
    cards = "Card Name,First Name,Last Name,Email,DOB,Client Since,Anniversary,Next Review Date\n"
    cards += '"Smith, John",John,Smith,j@x.example,31/12/1970,15/03/2019,13/06/2001,30/09/2024\n"Able, Ann",Ann,Able,a@x.example,,,31/02/2001,\n'
    run = crossing(firm(cards=cards), target="wealthbox", also=["us_tech_automations"]).approved()
    for target in ("wealthbox", "us_tech_automations"):
        john = next(line for line in run.fitted(target, "people") if line["Last Name"] == "Smith")
        assert "Client Since in Old System" not in john  # the target has a place for it, and the old system's own day goes there
        assert (john["Client Since"], john["Anniversary"], john["Review Date"]) == ("2019-03-15", "2001-06-13", "2024-09-30")
    assert [f["value"] for f in run.found("date_unreadable")] == ["31/02/2001"]
    assert {c["name"]: c["type"] for c in run.ledger["custom_fields"]}["Review Date"] == "date"


@pytest.mark.requirement("E14", "E65", "E67")
def test_each_says_what_it_can_not_do_and_what_the_firm_must_do_first(run: Crossed) -> None:
    for name in ("wealthbox", "redtail", "salesforce_fsc"):
        ledger = run.target(name)
        assert {limit["name"] for limit in ledger["limits"]} >= {"trust", "client_portal"}
        assert ledger["todo"]
        assert {d["records"] for d in ledger["decisions"]} >= {"time_entries", "receivables"}
    assert "months" in run.target("salesforce_fsc")["plan"]


def test_the_event_tells_each_target_by_itself(run: Crossed) -> None:
    told = next(event["data"] for event in run.events() if event["type"].endswith("job.verified"))
    assert {one["target"] for one in told["targets"]} == {"wealthbox", "redtail", "salesforce_fsc", "us_tech_automations"}
    assert all(one["in_files"] for one in told["targets"])
    assert any(one["not_held"] for one in told["targets"])


@pytest.mark.requirement("E21")
def test_a_column_that_names_the_household_goes_where_a_target_has_households_and_nobody_is_put_together_by_a_guess(crossing: Crossings) -> None:
    cards = CARDS.replace("\n", ",Orion Household,Household Role\n") + JOHN.replace("\n", ",Smith Family,Head\n") + '"Smith, Jane",Jane,Smith,,jane@x.example,,1 High St,Leeds,,,Smith Family,Wife\n' + ANN.replace("\n", ",,\n")
    columns = {"household": ["Orion Household"], "household_title": ["Household Role"]}
    rules = {"source": {"tables": {"cards": {"columns": columns}}}}
    run = crossing(firm(cards=cards), target="wealthbox", also=["salesforce_fsc", "redtail", "hubspot"], rules=rules).approved()
    assert [(p["First Name"], p["Household Name"], p["Household Title"]) for p in run.fitted("wealthbox", "02_people")] == [("John", "Smith Family", "Head"), ("Jane", "Smith Family", ""), ("Ann", "", "")]
    assert [(line["Column"], line["Value"]) for line in run.fitted("wealthbox", "left_out")] == [("Household Title", "Wife")]
    assert [p["Household__c"] for p in run.fitted("salesforce_fsc", "02_person_accounts")] == ["Smith Family", "Smith Family", ""]
    assert [p["Household"] for p in run.fitted("hubspot", "02_contacts")] == ["Smith Family", "Smith Family", ""]
    assert {line["Field"] for line in run.fitted("redtail", "custom_fields_of_contacts")} == {"Household", "Household Title"}
    for name in ("wealthbox", "salesforce_fsc", "redtail", "hubspot"):
        assert [c["name"] for c in run.target(name)["checks"] if not c["passed"]] == []
    fates = {c["target"]: c["becomes"] for c in run.json("3-merge", "field-map.json")["columns"] if c["column"] == "Orion Household"}
    assert fates == {"wealthbox": "mapped", "salesforce_fsc": "mapped", "redtail": "archived", "hubspot": "custom_field"}
    run = crossing(firm(cards=CARDS + JOHN + JOHN.replace("John", "Jane")), target="wealthbox").approved()
    assert {p["Household Name"] for p in run.fitted("wealthbox", "02_people")} == {""}
