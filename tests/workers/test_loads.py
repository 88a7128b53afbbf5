"""Small parts are carried together: fewer messages, the same run."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry.errors import PassingFault
from caseferry.keys import Run
from tasks import stage
from tasks.intake.arrive import arrive
from tasks.journey import Ticket, loads, next_steps, state_of
from tasks.stage import Services, perform, present, run_of
from tests.crossing import CHOICES, Crossings, firm, packed
from workers import app, carriers
from workers.inprocess import cross


@given(st.dictionaries(st.text("abcdef", min_size=1), st.integers(0, 9_000), min_size=1), st.integers(1, 9_000))
def test_every_part_is_in_one_load_and_no_load_is_much_longer_than_asked_for(rows: dict[str, int], most: int) -> None:
    found = loads([Ticket("f", "m", "r", "transform", part) for part in rows], rows, most)
    assert sorted(ticket.part for load in found for ticket in load) == sorted(rows)
    assert all(found) and max(sum(rows[ticket.part] for ticket in load) for load in found) <= most + max(rows.values())


@pytest.fixture
def split(crossing: Crossings, monkeypatch: pytest.MonkeyPatch) -> tuple[Services, list[tuple[str, dict[str, Any], str]]]:
    """A run that is cut into parts, and all messages that are put on a queue from then on."""
    services = crossing.services()
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/x.zip", packed(firm()))
    [ticket] = arrive(services, "drops/firm/trial/x.zip")
    for module in (app, carriers):
        monkeypatch.setattr(module, "services", lambda: services)
    put: list[tuple[str, dict[str, Any], str]] = []
    monkeypatch.setattr(app, "_put", lambda *message: put.append(message))
    monkeypatch.setattr(app, "tell_of", lambda *_: None)
    monkeypatch.setattr(carriers, "tell_of", lambda *_: None)
    while ticket.step != "split":
        perform(services, ticket)
        [ticket] = next_steps((ticket.firm, ticket.migration, ticket.run), present(services.store, run_of(ticket)))
    carriers.CARRIERS["split"].run(ticket.firm, ticket.migration, ticket.run)
    return services, put


def _load(split: tuple[Services, list[tuple[str, dict[str, Any], str]]]) -> tuple[Services, list[tuple[str, dict[str, Any], str]], dict[str, Any], Run]:
    """The run's services and messages, and of its one load the words of the message, and the run."""
    services, put = split
    [(_, words, _)] = put
    return services, put, words, run_of(Ticket(words["firm"], words["migration"], words["run"], ""))


def test_a_small_run_is_sent_as_loads_and_whoever_carries_the_last_merges_it(split: tuple[Services, list[tuple[str, dict[str, Any], str]]]) -> None:
    services, put = split
    [(name, words, queue)] = put
    assert (name, queue) == ("caseferry.transform", "parts") and len(words["parts"]) > 1
    run = run_of(Ticket(words["firm"], words["migration"], words["run"], ""))
    first, *others = words["parts"]
    put.clear()
    carriers.CARRIERS["transform"].run(**words | {"parts": [first]})
    assert put == []  # the others are on their way, in another load
    carriers.CARRIERS["transform"].run(**words | {"parts": others})
    assert [(name, queue) for name, _, queue in put] == [("caseferry.verify", "merge")] and "3-merge/manifest.json" in present(services.store, run)
    carriers.CARRIERS["transform"].run(**words)  # the message again: what is done is not done twice
    assert not any(".1." in key for key in present(services.store, run) if key.startswith("attempts/"))
    assert cross(services, run) == "completed"


def _heard(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The state of the run, each time that its news is told from now on."""
    told = list[str]()
    telling = replace(services, tell=lambda services, run, seen=None: told.append(state_of(present(services.store, run))))
    for module in (app, carriers):
        monkeypatch.setattr(module, "services", lambda: telling)
    return told


def test_of_two_who_carry_the_last_loads_one_merges_and_the_other_tells_the_news(
    split: tuple[Services, list[tuple[str, dict[str, Any], str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    services, put, words, run = _load(split)
    told = _heard(services, monkeypatch)
    services.store.put_once(run.at("attempts", "merge.0.json"), b"{}")  # somebody has just begun it
    carriers.CARRIERS["transform"].run(**words)
    assert told == ["transformed"]
    services.store.put_once(run.at("attempts", "merge.0.ended.json"), b"{}")
    put.clear()
    carriers.CARRIERS["transform"].run(**words)
    assert told[-1] == "merged" and [name for name, _, _ in put] == ["caseferry.verify"]


def test_what_came_of_a_load_is_told_even_if_its_merge_has_to_be_tried_again(
    split: tuple[Services, list[tuple[str, dict[str, Any], str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    services, put, words, run = _load(split)
    told = _heard(services, monkeypatch)
    real = stage._enter

    def away(*_: object) -> None:
        raise PassingFault("the store does not answer")

    monkeypatch.setattr(stage, "_enter", lambda room: away if room.startswith("tasks.merge") else real(room))
    with pytest.raises(PassingFault):
        carriers.CARRIERS["transform"].run(**words)
    assert told[-1] == "transformed"
    monkeypatch.setattr(stage, "_enter", real)
    told.clear()
    carriers.CARRIERS["transform"].run(**words)  # as it is tried again: what is done is neither done nor told once more
    assert told == ["merged"]
    assert not any(key.endswith(".lost.json") for key in present(services.store, run))


def test_a_part_that_ended_its_process_leaves_its_load(split: tuple[Services, list[tuple[str, dict[str, Any], str]]]) -> None:
    services, put, words, run = _load(split)
    suspect, *others = words["parts"]
    for attempt in range(2):
        services.store.put_once(run.at("attempts", f"transform-{suspect}.{attempt}.json"), b"{}")
        services.store.put_once(run.at("attempts", f"transform-{suspect}.{attempt}.lost.json"), b"{}")
    put.clear()
    carriers.CARRIERS["transform"].run(**words)
    assert [(message["part"], queue) for _, message, queue in put] == [(suspect, "suspect")]
    seen = present(services.store, run)
    assert all(f"2-transform/{part}.json" in seen for part in others) and f"2-transform/{suspect}.json" not in seen


def test_a_load_ends_with_its_run_and_goes_on_past_a_passing_fault(
    split: tuple[Services, list[tuple[str, dict[str, Any], str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    services, put, words, run = _load(split)
    load = [Ticket(run.firm, run.migration, run.run, "transform", part) for part in words["parts"]]
    real, carried = stage.carry_out, list[str]()

    def carry_out(services: Services, ticket: Ticket, seen: frozenset[str], **words: Any) -> frozenset[str]:
        carried.append(ticket.part)
        if ticket == load[0]:
            raise PassingFault("the store does not answer")
        return real(services, ticket, seen, **words)

    monkeypatch.setattr(stage, "carry_out", carry_out)
    with pytest.raises(PassingFault):
        stage.carry_load(services, load, present(services.store, run))
    assert carried == words["parts"]
    assert sum(f"2-transform/{ticket.part}.json" in present(services.store, run) for ticket in load) == len(load) - 1

    def failed(services: Services, ticket: Ticket, seen: frozenset[str], **_: Any) -> frozenset[str]:
        carried.append(ticket.part)
        return seen | {"failed.json"}

    carried.clear()
    monkeypatch.setattr(stage, "carry_out", failed)
    stage.carry_load(services, load, present(services.store, run))
    assert carried == words["parts"][:1]


def test_a_run_of_more_rows_than_a_part_may_have_is_sent_part_by_part(split: tuple[Services, list[tuple[str, dict[str, Any], str]]], monkeypatch: pytest.MonkeyPatch) -> None:
    services, put = split
    [(_, words, _)] = put
    work = services.settings.work.model_copy(update={"part_rows": 1})
    large = replace(services, settings=services.settings.model_copy(update={"work": work}))
    monkeypatch.setattr(app, "services", lambda: large)
    done = Ticket(words["firm"], words["migration"], words["run"], "split")
    put.clear()
    app.go_on(done, present(services.store, run_of(done)))
    assert [message["part"] for _, message, _ in put] == sorted(words["parts"])
