"""The tasks by name: each carries one step, then sends on what can start now.

Named by us, `caseferry.<step>`: moving a file must not orphan messages that are queued already.
"""

from functools import partial
from typing import Any

from celery import shared_task
from celery.exceptions import InvalidTaskError
from celery.worker.request import Request

from tasks.journey import JOURNEY, Ticket
from tasks.stage import carry_out, look
from workers.app import Stage, go_on, is_suspect, ring, send, send_events, services, tell_of


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
    def carry(self: Any, firm: str, migration: str, run: str, part: str = "") -> None:
        ticket = Ticket(firm, migration, run, name, part)
        seen = look(services(), ticket)
        if is_suspect(ticket, seen) and (self.request.delivery_info or {}).get("routing_key") != "suspect":
            send([ticket], queue="suspect")  # it ended its process before: alone from now on
            return
        tell_of(ticket, carry_out(services(), ticket, seen, partial(go_on, ticket)))

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
