"""A worker that takes no message any more ends, so that whoever keeps it alive starts another.

What stands between a worker and its broker has stopped to take messages before, after a connection that broke in a bad
moment, and says nothing of it: the worker looks well, and its queues grow. So it looks itself: messages wait for it, it
has nothing in hand, and takes none.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from config.settings import Settings
from workers.transport import client_of, is_redis, transport_options

_LOOKS = 10
"""How often in a row a worker has to look deaf before it is."""
_AT_LEAST = 120.0
"""Seconds until one that was told to stop and does not is ended."""
log = structlog.get_logger()


@dataclass
class Hearing:
    """Looks at a worker now and then.

    Args:
        waiting: how many messages wait in its queues.
        taken: how many it has taken so far.
        is_busy: whether it has one in hand.
    """

    waiting: Callable[[], int]
    taken: Callable[[], int]
    is_busy: Callable[[], bool]
    _before: int = -1
    _looks: int = 0

    def is_deaf(self) -> bool:
        """True once it has looked so at each of several looks."""
        taken = self.taken()
        is_idle = taken == self._before and not self.is_busy()
        self._before = taken
        self._looks = self._looks + 1 if is_idle and self.waiting() else 0
        return self._looks >= _LOOKS


def listen_to_oneself(app: Any, settings: Settings) -> None:
    """Look at this worker for as long as it lives. Of brokers only the Redis family is asked what waits."""
    import redis
    from celery.worker import state

    if not is_redis(settings.broker):
        return
    prefix = transport_options(settings.broker)["global_keyprefix"]
    client = client_of(settings.broker)
    hearing = Hearing(
        lambda: sum(int(client.llen(f"{prefix}{name}")) for name in list(app.amqp.queues.consume_from)),
        lambda: sum(state.total_count.values()), lambda: bool(state.reserved_requests),
    )  # fmt: skip

    def look() -> None:
        while True:
            time.sleep(settings.work.deaf_after.total_seconds() / _LOOKS)
            try:
                if hearing.is_deaf():
                    break
            except redis.RedisError:
                continue  # nobody can take a message now
        log.error("worker_deaf", reason="messages wait and it takes none; another has to be started in its place")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_AT_LEAST)
        os._exit(os.EX_TEMPFAIL)

    threading.Thread(target=look, daemon=True, name="hearing").start()
