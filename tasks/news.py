"""What is done whenever something changed: it goes into the log, then into the status and the outbox."""

from caseferry.keys import Run
from tasks.audit.keep import keep
from tasks.notify import outbox
from tasks.stage import Services


def tell(services: Services, run: Run, seen: frozenset[str] | None = None) -> None:
    """Bring log, status and outbox up to what the bucket holds. Safe at any time, any number of times.

    Args:
        seen: what lay in the run a moment ago, if somebody has just looked.
    """
    keep(services, run, seen)
    outbox.tell(services, run, seen)
