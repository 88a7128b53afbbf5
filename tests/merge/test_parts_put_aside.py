"""Parts that no worker survived: whatever is left of an export is still brought together, and adds up."""

import json
from pathlib import Path

import pytest

from caseferry.services.folder import FolderStore
from config.settings import Settings
from samples.generate import Firm, archive
from tasks.intake.arrive import arrive
from tasks.journey import Ticket, next_steps
from tasks.news import tell
from tasks.stage import Services, perform, present, run_of
from tasks.transform.rows import FINISH
from tasks.transform.task import poison
from tests.crossing import Crossed
from workers.inprocess import cross

FIRM = Firm(60, 3)


def ready(folder: Path) -> tuple[Services, list[Ticket]]:
    """A run carried on until its parts lie ready."""
    services = Services(FolderStore(folder), Settings(_env_file=None), tell=tell)
    services.store.put("drops/firm/trial/migration.json", json.dumps(FIRM.choices()).encode())
    services.store.put("drops/firm/trial/x.zip", archive(FIRM.files))
    tickets = arrive(services, "drops/firm/trial/x.zip")
    while tickets[0].step != "transform":
        assert perform(services, tickets[0])
        tickets = next_steps((tickets[0].firm, tickets[0].migration, tickets[0].run), present(services.store, run_of(tickets[0])))
    return services, tickets


@pytest.mark.parametrize("kind", [*sorted(FINISH), "every"])
def test_all_parts_of_one_kind_are_put_aside(kind: str, tmp_path: Path) -> None:
    services, tickets = ready(tmp_path)
    run = run_of(tickets[0])
    crossed = Crossed(services, run, "")
    chosen = [table for table in crossed.split["tables"] if kind in (table["record"], "every")]
    parts = {part for table in chosen for part in table["parts"]}
    assert parts
    for ticket in tickets:
        if ticket.part in parts:
            poison(services, ticket, lambda: None)
    assert cross(services, run) == "completed_with_differences"
    for told in crossed.ledger["types"]:
        assert told["read"] == sum(told[place] for place in ("carried", "merged", "excluded", "quarantined")), told
        if told["record"] in {table["record"] for table in chosen}:
            assert told["quarantined"] == told["read"], told


def test_a_part_is_put_aside_although_its_rules_fail_on_no_rows_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services, tickets = ready(tmp_path)

    def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("tasks.transform.task.transform_table", broken)
    poison(services, tickets[0], lambda: None)
    outcome = Crossed(services, run_of(tickets[0]), "").json("2-transform", f"{tickets[0].part}.json")
    assert outcome["status"] == "poison" and outcome["places"] == {"quarantined": outcome["rows"]}
