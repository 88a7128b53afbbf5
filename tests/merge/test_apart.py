"""Batches laid side by side, by tasks of their own: the same comes out, to the byte, as if one task had laid them all."""

import json
from dataclasses import replace
from typing import Any

import pytest

from caseferry.canonical import sha256
from caseferry.keys import Run
from caseferry.services.folder import FolderStore
from caseferry.tables import read_tables, table_of
from samples.generate import Firm, archive
from tasks.intake.arrive import arrive
from tasks.journey import Ticket, next_steps
from tasks.merge.task import link
from tasks.stage import Services, perform, present, run_of
from tests.crossing import CHOICES, Crossed, Crossings, firm, packed
from tests.journey.test_parts import carried
from workers.inprocess import cross

FIRM = Firm(60, 5)
DATA = archive(FIRM.files)
TIME = "Date,Matter No,Staff,Description,Hours,Rate,Amount\n"


def outcome(run: Crossed) -> dict[str, str]:
    """A digest of all that is made from the first batch on, but for what only lies there where batches are laid apart."""
    beside = ("3-merge/laid/", "3-merge/batches", "3-merge/linked.json", "3-merge/known.zip", "4-verify/counted/")
    keys = [key for key in present(run.store, run.run) if key.startswith(("3-merge/", "4-verify/")) and not key.startswith(beside)]
    return {key: sha256(run.store.get(run.run.home + key)) for key in keys}


def laid(run: Crossed) -> list[str]:
    """The tasks that laid batches of a run."""
    return sorted(key.removeprefix("3-merge/laid/").removesuffix(".json") for key in present(run.store, run.run) if key.startswith("3-merge/laid/") and key.endswith(".json"))


@pytest.mark.parametrize("work", [{"part_rows": 11, "batch_rows": 45}, {"part_rows": 40, "batch_rows": 60}, {"portion_bytes": 3_000}])
def test_a_firm_comes_out_the_same_whoever_lays_its_batches(crossing: Crossings, work: dict[str, int]) -> None:
    alone, apart = carried(crossing, DATA, FIRM.choices(), **work), carried(crossing, DATA, FIRM.choices(), **work, lay_window=3)
    assert apart.state == alone.state and outcome(apart) == outcome(alone)
    assert len(laid(apart)) > 1 and laid(alone) == []


def test_few_batches_and_a_window_of_one_are_laid_by_one_task(crossing: Crossings) -> None:
    assert laid(carried(crossing, DATA, FIRM.choices(), lay_window=3)) == []
    assert laid(carried(crossing, DATA, FIRM.choices(), batch_rows=20, lay_window=1)) == []


def entries(count: int) -> str:
    return TIME + "".join(f"{13 + n % 15}/05/2024,24-0001,{'RR' if n > 40 else 'JD'},Work {n},0.5,300,150.00\n" for n in range(count))


def test_a_file_begins_in_whichever_batch_has_its_first_line_and_work_told_twice_is_found(crossing: Crossings) -> None:
    files = firm(a=entries(60), b=entries(3))
    alone, apart = (crossing(files, settings={"work": {"part_rows": 4, "batch_rows": 4, "lay_window": window}}) for window in (1, 2))
    assert outcome(apart) == outcome(alone) and len(laid(apart)) > 3
    begins = [part for part in laid(apart) if apart.has(f"3-merge/laid/{part}/11_activities_user-02.csv")]
    assert begins and begins[0] > laid(apart)[0]
    assert len(apart.found("same_in_two_lists")) == len(alone.found("same_in_two_lists")) == 3


def test_a_firms_own_template_is_read_once_and_known_to_all(crossing: Crossings) -> None:
    template = "Quantity,Matter,Date,Price,Note,Activity User,Type,Activity Description,Something\n"
    works = ({"part_rows": 4, "batch_rows": 4, "lay_window": window} for window in (1, 2))
    alone, apart = (crossing(firm(a=entries(60)), {"activities.csv": template}, {"work": work}) for work in works)
    assert outcome(apart) == outcome(alone) and laid(apart)
    assert apart.json("3-merge", "linked.json")["templates"][0]["header"][0] == "Quantity"


@pytest.mark.parametrize("choices", [{"target": "wealthbox"}, {"options": {"another_follows": True}}])
def test_who_wants_to_see_all_batches_in_a_row_does(crossing: Crossings, choices: dict[str, Any]) -> None:
    files = firm(a=entries(60))
    alone, apart = (crossing(files, settings={"work": {"part_rows": 4, "batch_rows": 4, "lay_window": window}}, **choices) for window in (1, 2))
    alone, apart = (run.approved() if run.state == "held" else run for run in (alone, apart))
    assert apart.state == alone.state and outcome(apart) == outcome(alone)
    assert apart.json("3-merge", "linked.json")["is_apart"] is False and laid(apart) == []


def test_whoever_links_the_first_asks_what_the_merge_would(crossing: Crossings) -> None:
    work = {"part_rows": 4, "batch_rows": 4, "lay_window": 2}
    run = crossing(firm(a=entries(60)), settings={"work": work}, options={"require_acknowledgement": True})
    assert run.state == "held" and run.has("holds/link-1.json") and not laid(run)


MANY = {"part_rows": 4, "batch_rows": 4, "lay_window": 2}


def carried_to(step: str, services: Services) -> tuple[Run, list[Ticket]]:
    """A run up to this step, which can be begun now."""
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/export.zip", packed(firm(a=entries(60))))
    run = run_of(arrive(services, "drops/firm/trial/export.zip")[0])
    while (tickets := next_steps((run.firm, run.migration, run.run), present(services.store, run)))[0].step != step:
        assert all([perform(services, ticket) for ticket in tickets])
    return run, tickets


@pytest.mark.parametrize("harm", ["flipped", "shorter", "missing"])
def test_a_stretch_that_is_not_what_was_laid_is_never_handed_over(crossing: Crossings, harm: str) -> None:
    services = crossing.services(work=MANY)
    run, tickets = carried_to("merge", services)
    key = next(stat.key for stat in services.store.listing(run.at("3-merge", "laid") + "/") if "activities" in stat.key)
    data = services.store.get(key)
    services.store.delete(key)
    if harm != "missing":
        services.store.put(key, data[:-1] if harm == "shorter" else data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    perform(services, tickets[0])
    assert "3-merge/manifest.json" not in present(services.store, run)
    assert json.loads(services.store.get(run.at("failed.json")))["code"] == "CF-132"


def test_stretches_laid_out_in_two_ways_are_not_put_behind_each_other(crossing: Crossings) -> None:
    services = crossing.services(work=MANY)
    run, tickets = carried_to("merge", services)
    key = run.at("3-merge", "laid", "0005.json")
    laying = json.loads(services.store.get(key))
    laying["files"][0]["header"].reverse()
    services.store.put(key, json.dumps(laying).encode())
    perform(services, tickets[0])
    assert json.loads(services.store.get(run.at("failed.json")))["code"] == "CF-132"


def test_what_flips_on_its_way_is_read_again(crossing: Crossings, monkeypatch: pytest.MonkeyPatch) -> None:
    services = crossing.services(work=MANY)
    run, tickets = carried_to("merge", services)
    real, flipped = services.store.get_range, set[tuple[str, int]]()

    def once(key: str, start: int, length: int) -> bytes:
        data = real(key, start, length)
        if "/3-merge/files/" in key and (key, start) not in flipped:
            flipped.add((key, start))
            return data[:-1] + bytes([data[-1] ^ 1])
        return data

    monkeypatch.setattr(services.store, "get_range", once)
    assert perform(services, tickets[0]) and len(flipped) > 2
    monkeypatch.undo()
    assert cross(services, run).startswith("completed")


def test_whoever_links_again_takes_the_batches_of_the_first(crossing: Crossings) -> None:
    services = crossing.services(work=MANY)
    run, tickets = carried_to("link", services)
    wide = replace(services, settings=services.settings.model_copy(update={"work": services.settings.work.model_copy(update={"batch_rows": 30})}))
    link(services, tickets[0])
    before = {key: services.store.get(run.home + key) for key in present(services.store, run) if key.startswith("3-merge/")}
    link(wide, tickets[0])
    assert {key: services.store.get(run.home + key) for key in present(services.store, run) if key.startswith("3-merge/")} == before
    assert cross(wide, run).startswith("completed")
    assert outcome(Crossed(wide, run, "")) == outcome(crossing(firm(a=entries(60)), settings={"work": MANY | {"lay_window": 1}}))


def test_what_an_older_worker_began_is_laid_as_it_would(crossing: Crossings) -> None:
    services = crossing.services(work=MANY)
    run, _ = carried_to("split", services)
    arrival = json.loads(services.store.get(run.at("arrival.json")))
    services.store.put(run.at("arrival.json"), json.dumps(arrival | {"format": 8}).encode())
    store = services.store
    assert isinstance(store, FolderStore)
    fresh = replace(services, store=FolderStore(store.root))  # a process that has not read it yet
    assert cross(fresh, run).startswith("completed")
    there = Crossed(fresh, run, "")
    assert laid(there) == [] and not there.has("1-split/apart.json")
    lines = table_of(read_tables(fresh.store.get(run.at("3-merge", "rows", "0009.zip"))), "lineage")
    assert lines["line"].to_list() == list(range(lines["line"][0], lines["line"][0] + lines.height)) and lines["line"][0] > 2
