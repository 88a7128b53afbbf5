"""`check` and `map diff`: a dry run goes to its end, past what a real run waits for a person at."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.commands.test_commands import drop
from tests.crossing import CHOICES, firm
from tests.targets.firms import TRUST
from workers.commands.app import app


def changes(folder: Path, rules: dict[str, Any], *, target: str = "wealthbox", **files: str) -> tuple[Any, list[dict[str, str]]]:
    """What the command says, and the lines of the list it writes."""
    export = drop(folder, firm(**files), CHOICES | {"target": target})
    (folder / "rules.json").write_text(json.dumps(rules))
    done = CliRunner().invoke(app, ["map", "diff", str(export), "--rules", str(folder / "rules.json"), "--out", str(folder / "diff.csv"), "--json"])
    assert done.exit_code == 0, done.output
    with (folder / "diff.csv").open(newline="", encoding="utf-8") as file:
        return json.loads(done.stdout), list(csv.DictReader(file))


@pytest.mark.requirement("C07", "E51")
def test_check_asks_about_a_trust_balance_once_and_shows_the_scope(tmp_path: Path) -> None:
    export = drop(tmp_path, firm(tr=TRUST), CHOICES | {"target": "wealthbox"})
    done = CliRunner().invoke(app, ["check", str(export), "--json"])
    assert done.exit_code == 1
    scope = json.loads(done.stdout)
    assert [q["code"] for q in scope["questions"]] == ["CF-151"]
    assert {kind: counts["rows"] for kind, counts in scope["types"].items()} == {"contact": 1, "matter": 1, "trust": 1}


@pytest.mark.requirement("E21", "E74")
def test_a_rule_that_changes_one_column_is_told_cell_by_cell(tmp_path: Path) -> None:
    rules = {"rules": {"targets": {"wealthbox": {"files": {"people": {"columns": {"Status": {"value": "Inactive"}}}}}}}}
    said, lines = changes(tmp_path, rules, tr=TRUST)
    assert said["before"] != said["after"]
    assert [(line["Column"], line["After"], line["What"]) for line in lines] == [("Status", "Inactive", "changed")]
    assert lines[0]["Before"] != "Inactive"
    assert [(one["column"], one["cells"]) for one in said["changes"]] == [("Status", 1)]


@pytest.mark.requirement("E74")
def test_a_choice_that_leaves_lines_out_tells_each_of_them(tmp_path: Path) -> None:
    said, lines = changes(tmp_path, {"options": {"trust_stays": "with the old bank"}}, tr=TRUST)
    gone = [line for line in lines if "55.55" in line["Before"]]
    assert [(line["What"], line["After"]) for line in gone] == [("only before", "")] * 2
    assert {line["Target"] for line in gone} == {"the files of our own layout", "wealthbox"}
    assert sum(one["lines"] for one in said["changes"] if one.get("what") == "only before") == len([line for line in lines if line["What"] == "only before"])


def test_rules_that_change_nothing_give_an_empty_list(tmp_path: Path) -> None:
    said, lines = changes(tmp_path, {}, tr=TRUST)
    assert said["before"] == said["after"] and said["changes"] == [] and lines == []


def check(folder: Path, choices: dict[str, Any], **files: str) -> tuple[Any, str]:
    """The scope as data and as a person reads it; whether it says to look is held against the exit code."""
    export = drop(folder, firm(**files), CHOICES | choices)
    done, read = (CliRunner().invoke(app, ["check", str(export), *more]) for more in (["--json"], []))
    scope = json.loads(done.stdout)
    assert done.exit_code == read.exit_code == int(scope["needs_a_person"])
    return scope, " ".join(read.stdout.split())


@pytest.mark.requirement("A18", "C07", "C10")
def test_rows_that_are_not_taken_are_in_the_scope_like_whole_lists(tmp_path: Path) -> None:
    time = "Date,Matter No,Staff,Hours,Rate,Invoice No\n31/05/2024,24-0001,JD,1,100,\n30/05/2024,24-0001,JD,2,100,B-1\n"
    rates = "Staff,Hourly Rate\nJane,350\n"
    scope, shown = check(tmp_path, {}, time=time, r=rates, s=rates.replace("350", "400"))
    rows = {e["name"]: e["rows"] for e in scope["exclusions"] if e["rows"]}
    assert rows == {"billed_time_entries": 1, "user_rates": 2}
    assert "1 Billed time entries" in shown and "2 Billable rates: users" in shown
    assert "billed time entries" not in shown.split("none found here:")[1]


@pytest.mark.requirement("E74", "C10")
def test_a_map_to_approve_and_a_choice_to_make_need_a_person(tmp_path: Path) -> None:
    time = "Date,Matter No,Staff,Hours,Rate\n31/05/2024,24-0001,JD,1,100\n"
    scope, shown = check(tmp_path, {"target": "wealthbox"}, time=time)
    assert scope["because"] == ["1 field map to approve", "1 scope to acknowledge", "1 decisions about what a target has no place for"]
    assert "to be approved" in shown and "Decide: bill it in the old system first" in shown
    answers = {"approved_map": {"version": scope["targets"][0]["version"], "by": "Olive Ops"}, "acknowledged_by": "Olive Ops", "options": {"decisions": {"wealthbox.time_entries": "leave it in the list"}}}
    scope, shown = check(tmp_path, {"target": "wealthbox"} | answers, time=time)
    assert not scope["needs_a_person"] and "to be approved" not in shown


@pytest.mark.requirement("B05")
def test_names_the_account_has_already_are_told_before_a_file_is_made(tmp_path: Path) -> None:
    cards = "First Name,Last Name,DOB,Website\nJohn,Smith,31/12/1970,w.example\n"
    matters = 'Matter No,Description,Client,Status,Open Date,Person Responsible,Matter Type\n24-0001,Sale,"Smith, John",Open,31/05/2024,Jane Doe,conveyancing\n'
    have = [{"name": "date of birth", "parent": "Contact", "type": "date"}, {"name": "Website", "parent": "Contact", "type": "text_line"}]
    scope, shown = check(tmp_path, {"existing_custom_fields": have, "existing_practice_areas": ["Conveyancing"]}, cards=cards, matters=matters)
    assert [(one["what"], one["clashes"]) for one in scope["in_account"]] == [
        ("custom field 'Date of Birth' of a contact", False), ("custom field 'Website' of a contact", True), ("practice area 'conveyancing'", False),
    ]  # fmt: skip
    assert scope["because"] == ["1 custom fields the account has with another type"]
    assert "there it is text_line, here url" in shown and "the account's spelling: 'Conveyancing'" in shown


@pytest.mark.requirement("E71", "E72", "E73")
def test_the_scope_says_what_lowers_a_lists_quality(tmp_path: Path) -> None:
    cards = "Card Name,First Name,Last Name,Email,Phone\nx,John,Smith,j@x.example,0412 345 678\ny,Jon,,j@x.example,+61 2 5550 1234\n"
    _, shown = check(tmp_path, {}, cards=cards)
    assert "empty, of 2: Last Name 1 in several forms: Phone duplicates: 1 groups of 2 rows by e-mail" in shown
