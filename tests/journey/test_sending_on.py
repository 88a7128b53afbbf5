"""What a step sends on, and when: once it is done, before its news is written, and never while others are at work on it."""

import json
from collections.abc import Callable
from dataclasses import replace

from config.settings import WorkSettings
from tasks.intake.arrive import arrive
from tasks.journey import Ticket, follow, next_steps
from tasks.stage import Services, carry_out, perform, present, run_of
from tests.crossing import CHOICES, Crossings, firm, packed


def arrived(crossing: Crossings) -> tuple[Services, Ticket]:
    services = crossing.services()
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/x.zip", packed(firm()))
    return services, arrive(services, "drops/firm/trial/x.zip")[0]


def noted(ticket: Ticket, sent: list[Ticket]) -> Callable[[frozenset[str]], None]:
    return lambda seen: sent.extend(follow(ticket, seen, WorkSettings()))


def test_what_comes_next_is_sent_before_the_news_is_written(crossing: Crossings) -> None:
    services, ticket = arrived(crossing)
    order: list[str] = []

    def tell(*_: object) -> None:
        order.append("news")

    carry_out(replace(services, tell=tell), ticket, present(services.store, run_of(ticket)), lambda seen: order.append("next"))
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
