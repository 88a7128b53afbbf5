"""Who has an attempt, when several reach for it at once, and when it ends while another looks."""

import json

import pytest

from tasks import stage
from tasks.attempts import begin, done_with, ended, is_dead, lost
from tasks.intake.arrive import arrive
from tasks.journey import Ticket
from tasks.stage import Services, perform, present, run_of
from tests.crossing import CHOICES, Crossings, firm, packed

NOON = "2024-06-03T12:00:00Z"


@pytest.fixture
def arrived(crossing: Crossings) -> tuple[Services, Ticket]:
    services = crossing.services()
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/x.zip", packed(firm()))
    return services, arrive(services, "drops/firm/trial/x.zip")[0]


def test_whoever_reaches_for_an_attempt_in_vain_does_not_end_its_holder(arrived: tuple[Services, Ticket]) -> None:
    services, ticket = arrived
    run, seen = run_of(ticket), present(services.store, run_of(ticket))
    mark = begin(services.store, run, ticket, seen, NOON)
    assert mark and not begin(services.store, run, ticket, seen, NOON)  # another thread that looked at the same moment
    assert not is_dead(services.store, run, mark)
    done_with(run, mark)
    assert is_dead(services.store, run, mark)


@pytest.mark.parametrize("is_begun_anew", [False, True])
def test_an_attempt_that_ends_by_itself_while_another_looks_is_not_counted_as_a_death(
    arrived: tuple[Services, Ticket], monkeypatch: pytest.MonkeyPatch, is_begun_anew: bool
) -> None:
    services, ticket = arrived
    run = run_of(ticket)
    mark = begin(services.store, run, ticket, present(services.store, run), NOON)

    def ends_now(store: object, run_: object, before: str) -> bool:
        ended(services.store, run, mark)
        if is_begun_anew:
            assert begin(services.store, run, ticket, present(services.store, run), NOON)
        return True

    monkeypatch.setattr(stage, "is_dead", ends_now)
    assert perform(services, ticket) is not is_begun_anew  # begun anew by somebody else, it is theirs
    assert lost(ticket, present(services.store, run)) == 0
