"""The tasks by name: each carries one step, then sends on what can start now.

Named by us, `caseferry.<step>`: moving a file must not orphan messages that are queued already.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from celery import shared_task
from celery.exceptions import InvalidTaskError
from celery.worker.request import Request

from tasks.journey import JOURNEY, Ticket
from tasks.stage import carry_load, carry_out, look, present, run_of
from workers.app import Stage, go_on, go_on_behind, is_suspect, ring, send, send_events, services, tell_of


class Readable(Request):
    """A message as a task; one nobody can read is dropped.

    As Celery comes, such a message ends the worker, which puts it back first: then it ends the next one.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except InvalidTaskError:
            raise
        except Exception as error:
            raise InvalidTaskError("the message is no task") from error


def _carrier(name: str) -> Any:
    def carry(self: Any, firm: str, migration: str, run: str, part: str = "", parts: Sequence[str] = ()) -> None:
        load = [Ticket(firm, migration, run, name, one) for one in parts or (part,)]
        seen = present(services().store, run_of(load[0])) if parts else look(services(), load[0])
        if (self.request.delivery_info or {}).get("routing_key") != "suspect":
            suspects = [ticket for ticket in load if is_suspect(ticket, seen)]
            send(suspects, queue="suspect")  # they ended their process before: alone from now on
            load = [ticket for ticket in load if ticket not in suspects]
        if load and parts:
            tell_of(load[-1], carry_load(services(), load, seen, partial(go_on_behind, load)))
        elif load:
            tell_of(load[0], carry_out(services(), load[0], seen, partial(go_on, load[0])))

    carry.__name__ = name
    return shared_task(bind=True, base=Stage, name=f"caseferry.{name}")(carry)


CARRIERS = {step.name: _carrier(step.name) for step in JOURNEY}


@shared_task(base=Stage, name="caseferry.deliver")
def deliver(firm: str, migration: str, run: str, endpoint: str = "") -> None:
    """Send a run's events that are due, to one endpoint: a slow one never holds up another."""
    from caseferry.keys import Run
    from tasks.notify.deliver import deliver as go

    go(services(), Run(firm, migration, run), endpoint=endpoint)


@shared_task(name="caseferry.reconcile", acks_late=False, time_limit=300, soft_time_limit=240)
def reconcile() -> None:
    """Send again what has its inputs and not its output; pronounce lost whoever has fallen silent."""
    from workers.reconciler import reconcile as go

    go(services(), send, send_events)


@shared_task(name="caseferry.sweep", acks_late=False, time_limit=300, soft_time_limit=240)
def sweep() -> None:
    """Find uploads nobody told us of."""
    from workers.reconciler import sweep as go

    go(services(), ring)
