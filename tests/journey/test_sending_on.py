"""What a step sends on, and when: once it is done, before its news is written, and never while others are at work on it."""

import json
from collections.abc import Callable
from dataclasses import replace

from config.settings import WorkSettings
from tasks.intake.arrive import arrive
from tasks.journey import JOURNEY, ROWS, STEPS, Ticket, counts_of, follow, next_steps
from tasks.stage import Services, carry_out, perform, present, run_of
from tests.crossing import CHOICES, Crossings, firm, packed


def arrived(crossing: Crossings) -> tuple[Services, Ticket]:
    services = crossing.services()
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/x.zip", packed(firm()))
    return services, arrive(services, "drops/firm/trial/x.zip")[0]


def noted(ticket: Ticket, sent: list[Ticket]) -> Callable[[frozenset[str]], frozenset[str]]:
    def send_on(seen: frozenset[str]) -> frozenset[str]:
        sent.extend(follow(ticket, seen, WorkSettings()))
        return seen

    return send_on


def test_what_comes_next_is_sent_before_the_news_is_written(crossing: Crossings) -> None:
    services, ticket = arrived(crossing)
    order: list[str] = []

    def tell(*_: object) -> None:
        order.append("news")

    def send_on(seen: frozenset[str]) -> frozenset[str]:
        order.append("next")
        return seen

    carry_out(replace(services, tell=tell), ticket, present(services.store, run_of(ticket)), send_on)
    assert order[-2:] == ["next", "news"]


def test_a_step_that_somebody_is_at_work_on_sends_nothing(crossing: Crossings) -> None:
    services, ticket = arrived(crossing)
    run, sent = run_of(ticket), list[Ticket]()
    services.store.put_once(run.at("attempts", "intake.0.json"), b"{}")  # by somebody on another computer
    for _ in range(3):
        carry_out(services, ticket, present(services.store, run), noted(ticket, sent))
    assert sent == []


def test_a_message_that_comes_again_sends_on_what_may_have_been_lost(crossing: Crossings) -> None:
    services, ticket = arrived(crossing)
    run, sent = run_of(ticket), list[Ticket]()
    perform(services, ticket)
    carry_out(services, ticket, present(services.store, run), noted(ticket, sent))
    assert [one.step for one in sent] == ["admit"]


def test_a_message_for_a_step_whose_turn_has_not_come_sends_nothing(crossing: Crossings) -> None:
    services, ticket = arrived(crossing)
    run, sent = run_of(ticket), list[Ticket]()
    early = replace(ticket, step="merge")
    carry_out(services, early, present(services.store, run), noted(early, sent))
    assert sent == []
    assert next_steps((run.firm, run.migration, run.run), present(services.store, run)) == [ticket]


def test_news_from_an_older_view_take_no_run_back(crossing: Crossings) -> None:
    services, ticket = arrived(crossing)
    run = run_of(ticket)
    perform(services, ticket)
    early = present(services.store, run)
    services.store.put_once(run.at("holds", "admit-1.json"), b'{"questions": []}')
    services.tell(services, run)
    assert json.loads(services.store.get(run.at("run.json")))["state"] == "held"
    services.tell(services, run, early)
    assert json.loads(services.store.get(run.at("run.json")))["state"] == "held"


def test_what_is_told_is_what_whoever_went_on_left_there(crossing: Crossings) -> None:
    services, ticket = arrived(crossing)
    run, told = run_of(ticket), list[frozenset[str] | None]()
    admit = replace(ticket, step="admit")
    telling = replace(services, tell=lambda _services, _run, seen=None: told.append(seen))
    carry_out(telling, ticket, present(services.store, run), lambda seen: carry_out(telling, admit, seen))
    assert told[-1] is not None and "0-original/admission.json" in told[-1]


def test_of_counts_one_that_is_done_sends_no_other_but_the_last_what_comes_behind(crossing: Crossings) -> None:
    before = {step.makes for step in JOURNEY[: JOURNEY.index(STEPS["count"])]} | {f"{ROWS}{number:04d}.zip" for number in range(1, 9)}
    first, *others = (Ticket("firm", "trial", "run-1", "count", part) for part in counts_of(before))
    makes, sent = STEPS["count"].makes, list[Ticket]()
    done = before | {makes.format(part=first.part)}
    carry_out(crossing.services(), first, frozenset(done), noted(first, sent))
    assert others and sent == []
    carry_out(crossing.services(), first, frozenset(done | {makes.format(part=one.part) for one in others}), noted(first, sent))
    assert [one.step for one in sent] == ["verify"]
