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
