"""The whole journey in one process: the same steps, asked for in the same way, over any store."""

import json
from collections.abc import Callable

from caseferry.keys import Run
from tasks.journey import Ticket, next_steps, state_of
from tasks.stage import Services, perform, present


def cross(services: Services, run: Run, said: Callable[[Ticket], None] = lambda ticket: None) -> str:
    """Carry out every step that can be, and return the state the run comes to rest in.

    Args:
        said: called with each step once it is done.
    """
    while tickets := next_steps((run.firm, run.migration, run.run), present(services.store, run)):
        for ticket in tickets:
            if not perform(services, ticket):
                return rest(services, run)
            said(ticket)
    services.tell(services, run)  # whoever carried it here may have died before they said so
    return rest(services, run)


def rest(services: Services, run: Run) -> str:
    """The state of a run that can't go on by itself now."""
    state = state_of(present(services.store, run))
    if state == "ready":
        return str(json.loads(services.store.get(run.at("4-verify", "ledger.json")))["state"])
    return state
