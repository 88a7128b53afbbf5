import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from caseferry.codes import CODES
from tests.crossing import CHOICES, MATTERS, ONE_CARD, firm, packed
from tests.journey.stack import caseferry
from workers.commands.app import app
from workers.commands.show import message

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def drop(folder: Path, files: "dict[str, str | bytes]", choices: "dict[str, object] | None" = None) -> Path:
    (folder / "LEAP.zip").write_bytes(packed(files))
    if choices is not None:
        (folder / "migration.json").write_text(json.dumps(choices))
    return folder / "LEAP.zip"


def told(*words: str) -> Result:
    """What a command says, and how it ends; `caseferry` shows the same of a process of its own, which takes longer to start than to work."""
    return CliRunner().invoke(app, words)


@pytest.mark.requirement("A12", "A18", "C07", "C10")
def test_check_reads_only_and_says_what_will_and_will_not_move(tmp_path: Path) -> None:
    export = drop(tmp_path, firm(r="Staff,Hourly Rate\nJane,350\n"), CHOICES)
    before = sorted(p.name for p in tmp_path.iterdir())
    done = caseferry("check", str(export))
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert "cards" in done.stdout and "does not move" in done.stdout and "1  Billable rates: users" in done.stdout
    assert "quality, of 100" in done.stdout and "nothing needs a person" in done.stdout
    data = json.loads(told("check", str(export), "--json").stdout)
    assert data["types"]["contact"] == {"rows": 1, "carried": 1, "excluded": 0, "quarantined": 0}
    assert {"findings", "quality", "exclusions", "questions"} <= set(data)


@pytest.mark.requirement("A12")
def test_check_exits_with_one_when_something_needs_a_person(tmp_path: Path) -> None:
    export = drop(tmp_path, firm(matters=MATTERS + '1,m,"Smith, John",Open,03/04/2024,JD\n'))
    done = told("check", str(export))
    assert done.exit_code == 1
    assert "CF-106" in done.stderr and "CF-125" in done.stderr and "something needs a person" in done.stdout


def test_run_says_what_it_needs_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    export, out = drop(tmp_path, firm()), tmp_path / "out"
    words = ["run", str(export), "--source", "leap", "--target", "clio", "--out", str(out)]
    held = told(*words)
    assert held.exit_code == 3 and "CF-125" in held.stderr and "--account-owner" in held.stderr
    held = told(*words, "--account-owner")
    assert held.exit_code == 3 and "CF-126" in held.stderr
    done = told(*words, "--account-owner", "--user", "Jane Doe <jane@f.example>", "--primary-subscriber", "jane@f.example")
    assert done.exit_code == 0, done.stderr
    assert {p.name for p in out.iterdir() if not p.name.startswith(".")} == {
        "audit", "import-files", "not-import-files", "report.html", "report.xlsx", "changes.csv", "findings.csv", "ledger.json", "sample.json",
        "field-map.html", "field-map.json", "field-map.xlsx", "scope.html",
    }  # fmt: skip
    again = told(*words, "--account-owner", "--user", "Jane Doe <jane@f.example>", "--primary-subscriber", "jane@f.example")
    assert again.exit_code == 0 and "CF-109" in again.stderr
    other = told(*words, "--account-owner", "--user", "Jane Doe <jane@f.example>", "--primary-subscriber", "jane@f.example", "--region", "uk")
    assert other.exit_code == 0 and "31/05/2024" in (out / "import-files" / "02_matters.csv").read_text("utf-8-sig")


def test_a_folder_and_a_single_list_are_exports_too(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for name, data in firm().items():
        (folder / name).write_text(str(data))
    (folder / "migration.json").write_text(json.dumps(CHOICES))
    assert told("run", str(folder), "--out", str(tmp_path / "a")).exit_code == 0
    (tmp_path / "cards.csv").write_text(ONE_CARD)
    done = told("run", str(tmp_path / "cards.csv"), "--out", str(tmp_path / "b"), "--account-owner")
    assert done.exit_code == 0 and (tmp_path / "b" / "import-files" / "01_contacts.csv").is_file()


def test_a_misspelt_path_is_answered_with_the_likely_one(tmp_path: Path) -> None:
    drop(tmp_path, firm())
    done = told("run", str(tmp_path / "LAEP.zip"))
    assert done.exit_code == 1 and "did you mean" in done.stderr and "LEAP.zip" in done.stderr
    assert told("run").exit_code == 2
    assert told("explain", "CF-999").exit_code == 2


def test_differences_fail_only_the_strict(tmp_path: Path) -> None:
    export = drop(tmp_path, firm(cards=ONE_CARD + ",,,,nameless@x.example,\n"), CHOICES)
    assert told("run", str(export), "--out", str(tmp_path / "a")).exit_code == 0
    assert told("run", str(export), "--out", str(tmp_path / "b"), "--strict").exit_code == 1


def test_the_first_line_comes_before_anything_slow(tmp_path: Path) -> None:
    import subprocess
    import sys
    import time

    export = drop(tmp_path, firm(), CHOICES)
    started = time.monotonic()
    command = [sys.executable, "-m", "workers.commands", "run", str(export), "--out", str(tmp_path / "o")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ.copy())
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Caseferry")
    assert "polars" not in sys.argv and time.monotonic() - started < 60  # the true figure stands in the README
    process.communicate(timeout=600)


@pytest.mark.parametrize("code", CODES)
def test_every_message_has_its_shape(code: str) -> None:
    text = message(code, "export.zip › Matters.csv, row 3", "something was found that is rather long to say in a single line of text")
    snapshot = HERE / "messages" / f"{code}.txt"
    if not snapshot.exists() and os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(text + "\n")
    assert snapshot.read_text() == text + "\n"
    assert all(len(line) <= 80 for line in text.splitlines())
    assert re.search(r"^  do {6}\S", text, re.MULTILINE) and re.search(r"^  safe {4}\S", text, re.MULTILINE)
    assert text.startswith(f"✗ {code}  ") and text.endswith(f"caseferry explain {code}")


def test_the_first_line_needs_no_library_of_the_work() -> None:
    """What a person waits for before anything is said: the commands alone, not Polars, the models or the stack."""
    said = subprocess.run([sys.executable, "-c", "import sys, workers.commands.app; print(*sys.modules)"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"polars", "pydantic", "celery", "boto3", "tasks.stage"} & set(said.stdout.split())


def test_explain_and_completion_and_version(tmp_path: Path) -> None:
    assert "never guessed" not in told("explain", "106").stderr
    assert json.loads(told("explain", "CF-106", "--json").stdout)["code"] == "CF-106"
    assert caseferry("--version").stdout.startswith("caseferry ")
    assert "complete" in caseferry("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1").stdout.lower()


def test_webhooks_verify_judges_a_delivery(tmp_path: Path) -> None:
    from tasks.notify.sign import headers

    secret = "whsec_x3bg2buwFmPnVSEuVS5YkkE7C/JiK1ohA5D6lEJSwiA="
    (tmp_path / "h").write_text("\n".join(f"{k}: {v}" for k, v in headers([secret], "evt_1", 1000, b"{}").items()))
    (tmp_path / "b").write_bytes(b"{}")
    words = ["webhooks", "verify", str(tmp_path / "h"), str(tmp_path / "b"), "--now", "1000"]
    assert told(*words, "--secret", secret).stdout == "✓ genuine\n"
    assert caseferry(*words, CASEFERRY_WEBHOOK_SECRET="whsec_" + "A" * 44).returncode == 1
