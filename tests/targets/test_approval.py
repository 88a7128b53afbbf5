"""What a person approves or decides before a file of a mapped target is written."""

from typing import Any

import pytest

from caseferry.manifest import Split
from caseferry.services.folder import FolderStore
from tasks.journey import SAMPLES
from tasks.merge.targets.field_map import _masked, draw_map
from tasks.stage import Services, migration_of, present
from tests.crossing import Crossings, firm
from tests.targets.firms import ANN, CARDS, DEBTORS, JOHN, TRUST


@pytest.mark.requirement("E74", "E104", "E21")
def test_no_file_is_released_before_the_map_is_approved(crossing: Crossings) -> None:
    held = crossing(firm(cards="Card Name,First Name,Last Name,Email,Shoe Size\n\"Smith, John\",John,Smith,,44\n"), target="wealthbox")
    assert held.state == "held"
    assert {r["code"] for r in held.reasons} == {"CF-147", "CF-148", "CF-127"}
    assert "Shoe Size" in next(r["detail"] for r in held.reasons if r["code"] == "CF-148")
    assert not held.has("3-merge/manifest.json")
    wrong = held.release("x", acknowledged_by="x", approved_map={"version": "000000000000", "by": "x"}, options={"unknown_columns": "archive"})
    assert wrong.state == "held"
    assert [r["code"] for r in wrong.reasons] == ["CF-147"]
    done = wrong.approved()
    assert done.state == "completed"
    assert done.ledger["map_version"] == done.json("3-merge", "field-map.json")["version"]


@pytest.mark.requirement("E74", "E104", "E21", "C10")
def test_a_target_that_does_not_ask_waits_where_the_firm_wants_it(crossing: Crossings) -> None:
    cards = "Card Name,First Name,Last Name,Email,Shoe Size\n\"Smith, John\",John,Smith,,44\n"
    held = crossing(firm(cards=cards), options={"require_approval": True})
    assert held.state == "held"
    assert {r["code"] for r in held.reasons} == {"CF-147", "CF-148", "CF-127"}
    assert not held.has("3-merge/manifest.json")
    assert held.approved().state == "completed"


@pytest.mark.requirement("E21")
def test_a_run_with_a_column_nobody_decided_about_is_not_complete(crossing: Crossings) -> None:
    cards = "Card Name,First Name,Last Name,Email,Shoe Size,Fax Header\n\"Smith, John\",John,Smith,,44,\n"
    run = crossing(firm(cards=cards))
    assert run.ledger["state"] == "completed_with_differences"
    assert run.ledger["undecided"] == [{"file": "cards.csv", "sheet": "", "column": "Shoe Size", "filled": 1}]  # an empty one holds nothing
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert "cards.csv › Shoe Size: 1 values." in page
    assert crossing(firm(cards=cards), options={"unknown_columns": "archive"}).ledger["state"] == "completed"


@pytest.mark.requirement("E21", "E74")
def test_an_approval_holds_for_its_rules_alone(crossing: Crossings) -> None:
    version = crossing(firm(), target="wealthbox").json("3-merge", "field-map.json")["version"]
    approval = {"version": version, "by": "Olive Ops"}
    assert crossing(firm(), target="wealthbox", approved_map=approval, acknowledged_by="Olive Ops").state == "completed"
    rules = {"targets": {"wealthbox": {"files": {"people": {"columns": {"Status": {"value": "Inactive"}}}}}}}
    changed = crossing(firm(), target="wealthbox", approved_map=approval, acknowledged_by="Olive Ops", rules=rules)
    assert changed.state == "held"
    assert changed.approved().fitted("wealthbox", "people")[0]["Status"] == "Inactive"


@pytest.mark.requirement("E21")
def test_a_column_nobody_knows_is_mapped_dropped_or_archived_by_a_rule(crossing: Crossings) -> None:
    cards = "Card Name,First Name,Last Name,Email,Shoe Size,Fax Header,Old Ref\n\"Smith, John\",John,Smith,,44,x,y\n"
    rules = {"source": {"tables": {"cards": {"custom": {"Shoe Size": {"headings": [], "parent": "Contact"}}, "leave": ["Fax Header"], "archive": ["Old Ref"]}}}}
    run = crossing(firm(cards=cards), target="generic_crm", rules=rules)
    assert [r["code"] for r in run.reasons] == ["CF-147", "CF-127"]
    fates = {one["column"]: one["becomes"] for one in run.json("3-merge", "field-map.json")["columns"]}
    assert (fates["Shoe Size"], fates["Fax Header"], fates["Old Ref"]) == ("custom_field", "dropped", "archived")
    assert run.approved().fitted("generic_crm", "people")[0]["Shoe Size"] == "44"


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"targets": {"wealthbox": {"files": {"people": {"columns": {"Shoe": {"from": "shoe"}}}}}}}, "no field 'shoe'"),
        ({"targets": {"hubspot": {}}}, "not a target of this migration"),
        ({"source": {"tables": {"cards": {"columns": {"shoe": ["Shoe"]}}}}}, "no field 'shoe'"),
        ({"targets": {"wealthbox": {"files": {"notes": None, "email_notes": None}}}}, "does not say what becomes of"),
    ],
)
def test_a_rule_that_can_not_hold_is_a_message(crossing: Crossings, rules: dict[str, Any], problem: str) -> None:
    run = crossing(firm(), target="wealthbox", rules=rules)
    assert run.state == "held"
    assert any(r["code"] == "CF-124" and problem in r["detail"] for r in run.reasons), run.reasons


@pytest.mark.requirement("E49", "E51", "E52", "E53")
def test_what_a_target_has_no_place_for_is_a_decision(crossing: Crossings) -> None:
    run = crossing(firm(d=DEBTORS, tr=TRUST), target="wealthbox").approved()
    decisions = {d["records"]: d for d in run.target("wealthbox")["decisions"]}
    assert decisions["trust_balances"]["total"] == "55.55"
    assert decisions["trust_balances"]["choices"] == ["keep in Clio", "QuickBooks Trust Accounting", "AbacusLaw", "LEAP"]
    assert [line["amount"] for line in run.fitted("wealthbox", "trust_balances")] == ["55.5500"]
    assert run.ledger["state"] == "completed_with_differences"
    assert {"trust", "client_portal", "matters"} <= {limit["name"] for limit in run.target("wealthbox")["limits"]}
    chosen = {"wealthbox.trust_balances": "keep in Clio", "wealthbox.receivables": "collect in the old system"}
    run = crossing(firm(d=DEBTORS, tr=TRUST), target="wealthbox", options={"decisions": chosen}).approved()
    assert {d["records"]: d["choice"] for d in run.target("wealthbox")["decisions"]} == {"trust_balances": "keep in Clio", "receivables": "collect in the old system"}
    assert run.ledger["state"] == "completed"
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert "Wealthbox keeps no trust ledger" in page


@pytest.mark.requirement("E50")
def test_trust_that_stays_is_in_no_file(crossing: Crossings) -> None:
    for target in ("wealthbox", "clio"):
        run = crossing(firm(tr=TRUST), target=target, options={"trust_stays": "LEAP"}).approved()
        files = run.names() + [f["name"] for t in run.ledger["targets"] for f in t["files"]]
        assert not any("trust" in name for name in files)
        assert run.check("money_trust")["passed"]
        assert next(m for m in run.ledger["money"] if m["type"] == "trust")["not_taken"] == "55.55"
        assert any("stays in LEAP" in todo for todo in run.ledger["todo"])


@pytest.mark.requirement("E49", "E50")
def test_a_decision_for_the_old_system_leaves_trust_money_there(crossing: Crossings) -> None:
    both = {"wealthbox.trust_balances": "LEAP", "hubspot.trust_balances": "keep in LEAP"}
    run = crossing(firm(tr=TRUST), target="wealthbox", also=["hubspot"], options={"decisions": both}).approved()
    assert not any("trust" in name for name in run.names() + [f["name"] for t in run.ledger["targets"] for f in t["files"]])
    assert next(m for m in run.ledger["money"] if m["type"] == "trust")["not_taken"] == "55.55"
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert page.count("stays in LEAP") >= 3  # once for the firm, once for each target
    assert run.ledger["state"] == "completed"
    for said in ("keep in Clio", "QuickBooks Trust Accounting"):  # it moves to a third: its balances are handed over, beside
        run = crossing(firm(tr=TRUST), target="wealthbox", also=["hubspot"], options={"decisions": both | {"hubspot.trust_balances": said}}).approved()
        assert [line["amount"] for line in run.fitted("hubspot", "trust_balances")] == ["55.5500"]
        assert [d["choice"] for d in run.target("hubspot")["decisions"]] == [said]


@pytest.mark.requirement("E49", "E02")
def test_our_own_package_keeps_no_trust_ledger_and_clio_does(crossing: Crossings) -> None:
    run = crossing(firm(tr=TRUST), target="neutral", also=["wealthbox"])
    asked = [r for r in run.reasons if r["code"] == "CF-151"]
    assert [r["answer_with"] for r in asked] == ["options.decisions.wealthbox.trust_balances"]
    assert all(word in asked[0]["detail"] for word in ("Clio", "QuickBooks", "AbacusLaw", "LEAP"))
    run = crossing(firm(tr=TRUST), target="clio", also=["wealthbox"]).approved()
    assert [d["choice"] for d in run.target("wealthbox")["decisions"]] == ["Clio Manage takes them in this run"]
    assert run.ledger["state"] == "completed"


@pytest.mark.requirement("E49", "E74")
def test_a_decision_may_change_what_is_handed_over_and_then_what_is_approved(crossing: Crossings) -> None:
    cards = CARDS + JOHN + ANN
    plain = crossing(firm(cards=cards), target="quickbooks_online")
    chosen = crossing(firm(cards=cards), target="quickbooks_online", options={"decisions": {"quickbooks_online.contacts": "make them customers"}})
    assert plain.json("3-merge", "field-map.json")["version"] != chosen.json("3-merge", "field-map.json")["version"]
    assert [c["Name"] for c in plain.approved().fitted("quickbooks_online", "01_customers")] == ["John Smith"]
    assert [c["Name"] for c in chosen.approved().fitted("quickbooks_online", "01_customers")] == ["John Smith", "Ann Able"]
    left = {"documents": True, "decisions": {"wealthbox.documents": "leave in the archive"}}
    run = crossing(firm() | {"24-0001/deed.pdf": b"%PDF-1.4 x"}, target="wealthbox", options=left).approved()
    assert not any("documents" in f["name"] for f in run.target("wealthbox")["files"])
    assert [(d["choice"], d["rows"]) for d in run.target("wealthbox")["decisions"]] == [("leave in the archive", 1)]
    assert [c["name"] for c in run.ledger["checks"] if not c["passed"]] == []


def test_a_rule_takes_a_column_away_although_users_have_ids(crossing: Crossings) -> None:
    users = [{"name": "Jane Doe", "email": "jane@firm.example", "ids": {"salesforce_fsc": "0055e000001AbCdAAK"}}]
    rules = {"targets": {"salesforce_fsc": {"files": {"cases_of_people": {"columns": {"Matter_Stage__c": None}}}}}}
    run = crossing(firm(), target="salesforce_fsc", users=users, rules=rules).approved()
    case = run.fitted("salesforce_fsc", "03_cases_of_people")[0]
    assert "Matter_Stage__c" not in case
    assert case["OwnerId"] == "0055e000001AbCdAAK"


def test_a_rule_drops_or_archives_a_column_the_profile_maps(crossing: Crossings) -> None:
    for word, fate in (("leave", "dropped"), ("archive", "archived")):
        rules = {"source": {"tables": {"cards": {word: ["Mobile"]}}}}
        run = crossing(firm(), target="wealthbox", rules=rules).approved()
        assert next(one["becomes"] for one in run.json("3-merge", "field-map.json")["columns"] if one["column"] == "Mobile") == fate
        assert run.fitted("wealthbox", "02_people")[0]["Mobile Phone"] == ""


@pytest.mark.parametrize(
    "columns",
    [
        {"Status": {"from": "key", "pattern": "("}}, {"Birth Date": {"from": "birth_on", "form": "%Q%"}}, {"Status": {"from": "{}"}}, {"Status": {"from": [""]}},
        {"Status": {"from": "shoe"}}, {"Status": {"from": "key", "row": 4}},
    ],
)  # fmt: skip
def test_rules_that_can_not_work_are_told_before_the_run(crossing: Crossings, columns: dict[str, Any]) -> None:
    run = crossing(firm(), target="wealthbox", rules={"targets": {"wealthbox": {"files": {"people": {"columns": columns}}}}})
    assert run.state == "held"
    assert {r["code"] for r in run.reasons} == {"CF-124"}


def test_a_decision_about_nothing_is_told(crossing: Crossings) -> None:
    run = crossing(firm(), target="wealthbox", options={"decisions": {"wealthbox.time_entriez": "x"}})
    assert [r["code"] for r in run.reasons] == ["CF-124"]


@pytest.mark.requirement("E02", "E49")
def test_where_trust_money_stays_is_said_before_a_file_is_written(crossing: Crossings) -> None:
    files = firm(tb="Matter No,Client,Trust Balance\n24-0001,,55.55\n")
    held = crossing(files, target="wealthbox", also=["redtail"])
    asked = [reason for reason in held.reasons if reason["code"] == "CF-151"]
    assert [(reason["where"], "keep in Clio, QuickBooks Trust Accounting, AbacusLaw, LEAP" in reason["detail"]) for reason in asked] == [("target Wealthbox", True), ("target Redtail", True)]
    assert held.state == "held" and not held.has("3-merge/manifest.json")
    version = held.json("3-merge", "field-map.json")["version"]
    still = held.release("Olive", acknowledged_by="Olive", approved_map={"version": version, "by": "Olive"}, options={"unknown_columns": "archive", "decisions": {"wealthbox.trust_balances": "keep in Clio"}})
    assert [reason["where"] for reason in still.reasons] == ["target Redtail"]
    done = still.release("Olive", options={"decisions": {"redtail.trust_balances": "AbacusLaw"}})
    assert done.state == "completed"
    assert [(d["records"], d["choice"], d["total"]) for name in ("wealthbox", "redtail") for d in done.target(name)["decisions"]] == [
        ("trust_balances", "keep in Clio", "55.55"), ("trust_balances", "AbacusLaw", "55.55"),
    ]  # fmt: skip
    assert crossing(files, target="clio", also=["wealthbox"]).reasons[0]["code"] != "CF-151"  # Clio takes it


@pytest.mark.requirement("E74")
def test_the_firms_own_words_are_part_of_what_is_approved(crossing: Crossings) -> None:
    plain = crossing(firm(), target="wealthbox").json("3-merge", "field-map.json")
    worded = crossing(firm(), target="wealthbox", options={"status_map": {"Open": "Closed"}}).json("3-merge", "field-map.json")
    assert plain["version"] != worded["version"]
    assert [entry["rule"].split("; in")[-1] for entry in worded["columns"] if entry["column"] == "Status"] == [" your own words: Open → Closed"]


def test_a_masked_sample_shows_no_letter_and_no_digit_of_any_script() -> None:
    assert _masked("Aé1 ß-ǅ ٣ 山 \U00031350 \U0002ebf0") == "Aa9 a-a 9 a a a"  # the last two are younger than some Pythons


def test_samples_come_along_from_the_split_or_are_read_from_the_parts(crossing: Crossings) -> None:
    run = crossing(firm(), target="wealthbox", options={"show_samples": True})
    samples = {entry["column"]: entry["samples"] for entry in run.json("3-merge", "field-map.json")["columns"]}
    assert samples["Matter No"] == ["24-0001"] and samples["Status"] == ["Open"]
    run.store.delete(run.run.home + SAMPLES)  # as of a run whose lists an earlier version cut
    other = Services(FolderStore(run.store.root), run.services.settings)
    split = Split.model_validate(run.split)
    drawn = draw_map(other, run.run, migration_of(other.store, run.run), split)
    assert {entry.column: list(entry.samples) for entry in drawn.entries} == samples


def test_answers_are_the_same_told_from_what_was_seen(crossing: Crossings) -> None:
    run = crossing(firm(), account_owner=False).release("A", cleared=True)
    seen = present(run.store, run.run)
    assert any(key.endswith(".released.json") for key in seen)
    assert migration_of(run.store, run.run, seen) == migration_of(run.store, run.run)
