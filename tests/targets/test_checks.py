"""The checks of a mapped target notice what they are for: each is shown a file that was changed after it was written."""

from pathlib import Path
from typing import Any

import pytest

from caseferry.canonical import sha256
from caseferry.choices import Migration
from caseferry.manifest import Intake, Merged, Split
from tasks.verify.checks import Careful
from tasks.verify.evidence import Evidence
from tasks.verify.fitted import Fitted
from tests.crossing import Crossed, Crossings, firm
from tests.verify.test_verify import DEBTORS, TIME, TRUST, _Changed

TASKS = "Task,Due Date,Assigned To,Matter No\nCall,13/07/2024,RR,24-0001\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Crossed:
    crossings = Crossings(tmp_path_factory.mktemp("checked"))
    return crossings(firm(d=DEBTORS, tr=TRUST, time=TIME, t=TASKS), target="generic_crm", also=["vcard"]).approved()


def judged(run: Crossed, target: str, name: str, change: Any, *, rehash: bool) -> dict[str, bool]:
    """The checks of a target, one of whose files reads otherwise."""
    key = run.run.at("3-merge", target, "files", name)
    data = change(run.store.get(key).decode()).encode()
    merged = run.json("3-merge", "manifest.json")
    fit = next(one for one in merged["fits"] if one["target"] == target)
    for entry in fit["files"] if rehash else ():
        if entry["name"] == name:
            entry["sha256"] = sha256(data)
    if rehash:
        from isal import isal_zlib

        for pieces in fit["batches"]:
            for piece in pieces:
                if piece["file"] == name:
                    piece |= {"size": len(data), "crc32": f"{isal_zlib.crc32(data):08x}"}
    evidence = Evidence(
        _Changed(run.store, {key: data}), run.run, Migration.model_validate(run.json("0-original", "admission.json")),  # type: ignore[arg-type]
        Intake.model_validate(run.json("0-original", "manifest.json")), Split.model_validate(run.split), Merged.model_validate(merged),
    )  # fmt: skip
    judge = Careful(Fitted(evidence, next(one for one in evidence.merged.fits if one.target == target)))
    for batch in evidence.batches():
        judge.see(batch)
    return {check.name.removeprefix(f"target_{target}").removeprefix("_"): check.passed for check in judge.say()}


def test_nothing_changed_is_nothing_found(run: Crossed) -> None:
    assert run.state == "completed"
    assert all(judged(run, "generic_crm", "01_people.csv", lambda text: text, rehash=True).values())


@pytest.mark.parametrize(
    ("name", "old", "new", "check"),
    [
        ("01_people.csv", '"Smith"', '"Smyth"', "values"),
        ("03_matters.csv", '"Open"', '"Ajar"', "layout"),
        ("03_matters.csv", '"Matter ID"', '"Matter"', "layout"),
        ("06_tasks.csv", '"24-0001"', '"24-0009"', "layout"),
        ("11_balances.csv", "100.10", "100.11", "money"),
        ("10_unbilled_time.csv", '"300.00"', '"300.01"', "money"),
        ("NOT-AN-IMPORT-FILE_trust_balances.csv", "55.55", "55.54", "money"),
    ],
)
def test_a_changed_cell_is_noticed_although_the_hashes_fit(run: Crossed, name: str, old: str, new: str, check: str) -> None:
    assert old in run.store.get(run.run.at("3-merge", "generic_crm", "files", name)).decode()
    found = judged(run, "generic_crm", name, lambda text: text.replace(old, new), rehash=True)
    assert not found[check], found


@pytest.mark.parametrize("name", ["01_people.csv", "06_tasks.csv"])
def test_a_line_that_is_gone_or_repeated_is_noticed(run: Crossed, name: str) -> None:
    gone = judged(run, "generic_crm", name, lambda text: text.split("\r\n")[0] + "\r\n", rehash=True)
    assert not all(gone.values())
    twice = judged(run, "generic_crm", name, lambda text: text + text.split("\r\n")[1] + "\r\n", rehash=True)
    assert not all(twice.values())


def test_a_file_that_is_not_the_one_named_is_noticed(run: Crossed) -> None:
    assert not judged(run, "generic_crm", "01_people.csv", lambda text: text + "x", rehash=False)["files"]
    assert not judged(run, "generic_crm", "01_people.csv", lambda text: text.replace("Smith", "Smyth"), rehash=False)["files"]


def test_cards_are_looked_into_too(run: Crossed) -> None:
    assert all(judged(run, "vcard", "01_contacts.vcf", lambda text: text, rehash=True).values())
    assert not judged(run, "vcard", "01_contacts.vcf", lambda text: text.replace("N:Smith", "N:Smyth"), rehash=True)["values"]
    assert not all(judged(run, "vcard", "01_contacts.vcf", lambda text: text.replace("FN:", "XN:"), rehash=True).values())


def test_the_ledger_of_a_broken_target_is_failed(run: Crossed, tmp_path: Path) -> None:
    from tasks.stage import Services
    from tasks.verify.task import verify
    from workers.inprocess import rest

    crossings = Crossings(tmp_path)
    whole = crossings(firm(t=TASKS), target="generic_crm").approved()
    key = whole.run.at("3-merge", "generic_crm", "files", "06_tasks.csv")
    whole.store.delete(key)
    whole.store.put(key, b'"ID"\r\n"x"\r\n')
    ledger = whole.run.at("4-verify", "ledger.json")
    for name in [stat.key for stat in list(whole.store.listing(whole.run.home)) if "/4-verify/" in stat.key]:
        whole.store.delete(name)
    from tasks.journey import Ticket

    verify(Services(whole.store, whole.services.settings), Ticket(whole.run.firm, whole.run.migration, whole.run.run, "verify"))
    assert b'"state": "failed"' in whole.store.get(ledger)
    assert rest(whole.services, whole.run) == "failed"
