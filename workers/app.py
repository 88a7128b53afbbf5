"""Celery, built from settings. Messages are tickets: ids alone. No results, no chords, no counters.

What each setting protects against stands in docs/decisions/0002.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import structlog
from celery import Celery, Task
from celery.signals import setup_logging, worker_init, worker_process_init, worker_ready
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from caseferry.errors import PassingFault
from caseferry.keys import Run
from caseferry.manifest import Arrival, Intake, Split
from caseferry.reading.kinds import READ
from config.logging import configure
from config.settings import Settings
from tasks.attempts import lost
from tasks.journey import JOURNEY, STEPS, Ticket, follow, is_news, loads, next_steps
from tasks.once import read_model
from tasks.stage import Services, carry_out, run_of
from workers.memory import seldom
from workers.transport import transport_options

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # one thread a process: two processes beat two threads, measured
PATIENT = 2.5
"""How many times as long a step of a long run may take: it lets all others go first."""
QUEUES = ("events", "parts", "merge", "long", "webhooks", "control", "suspect")
log = structlog.get_logger()


@lru_cache
def settings() -> Settings:
    """The environment, read once for each process: the one door to it."""
    return Settings()


@lru_cache
def services() -> Services:
    """What steps are handed; clients are made in the process that uses them."""
    from caseferry.services.s3 import S3Store
    from tasks.news import tell

    return Services(S3Store(settings().s3), settings(), tell=tell)


class Stage(Task):  # type: ignore[type-arg]
    """Run at least once; tried again on passing faults alone."""

    Request = "workers.carriers:Readable"
    acks_late = True
    reject_on_worker_lost = True
    autoretry_for = (PassingFault,)
    retry_backoff = True
    retry_backoff_max = 300
    retry_jitter = True
    max_retries = 5
    default_retry_delay = 5  # there is no setting for these three


def make_app(given: Settings) -> "Celery[Any]":
    """The application for these settings."""
    app: Celery[Any] = Celery("caseferry", broker=given.broker.url.get_secret_value(), task_cls=Stage)
    limit = given.work.task_seconds
    app.conf.update(
        result_backend=None, task_ignore_result=True, task_serializer="json", accept_content=["json"], enable_utc=True,
        task_acks_late=True, task_retry_on_worker_lost=True, task_reject_on_worker_lost=True,
        task_acks_on_failure=True, task_acks_on_timeout=True, task_time_limit=limit + 60, task_soft_time_limit=limit,
        task_track_started=False, task_publish_retry=True,
        task_publish_retry_policy={"max_retries": 5, "interval_start": 0.2, "interval_step": 0.5, "interval_max": 3},
        task_default_queue="parts", task_create_missing_queues=False, task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
        worker_prefetch_multiplier=1, worker_pool_start_method="spawn",  # Polars hangs in a forked child
        worker_proc_alive_timeout=60, worker_max_tasks_per_child=5_000, worker_max_memory_per_child=1_500_000,
        worker_soft_shutdown_timeout=given.work.stop_within.total_seconds(), worker_enable_soft_shutdown_on_idle=False,
        worker_cancel_long_running_tasks_on_connection_loss=True, worker_hijack_root_logger=False,
        worker_enable_remote_control=not given.broker.url.get_secret_value().startswith("sqs"),
        worker_send_task_events=False, broker_connection_retry_on_startup=True, broker_connection_max_retries=None,
        broker_pool_limit=10, broker_pool_acquire_timeout=30, broker_heartbeat=30,
        broker_transport_options=transport_options(given.broker),
        beat_schedule={
            "reconcile": {
                "task": "caseferry.reconcile", "schedule": given.work.reconcile_every.total_seconds(),
                "options": {"queue": "control", "expires": 600},  # by clocks that may differ
            },
            "sweep": {
                "task": "caseferry.sweep", "schedule": given.work.sweep_every.total_seconds(),
                "options": {"queue": "control", "expires": 600},
            },
        },
    )  # fmt: skip
    if given.broker.url.get_secret_value().startswith("amqp"):
        app.conf.task_default_queue_type = "quorum"
    app.conf.include = ["workers.carriers"]  # a spawned child registers the tasks by importing this
    return app


def is_suspect(ticket: Ticket, seen: frozenset[str]) -> bool:
    """True for a part that ended its process before, as far as the run's keys tell."""
    return bool(STEPS[ticket.step].aside) and lost(ticket, seen) >= services().settings.work.attempts - 1


def go_on(done: Ticket, seen: frozenset[str]) -> frozenset[str]:
    """Send what can start now, or do it, if that is shorter. Of a small run all parts are sent at once, some with each message."""
    work = services().settings.work
    tickets = follow(done, seen, work)
    if len(tickets) == 1 and STEPS[tickets[0].step].at_once:
        return carry_out(services(), tickets[0], seen, partial(go_on, tickets[0]))
    rows = _rows_of_small(done, work.part_rows) if done.step == "split" and len(tickets) > 1 else {}
    if not rows:
        send(tickets)
        return seen
    for load in loads(next_steps((done.firm, done.migration, done.run), seen), rows, work.load_rows):
        _put(f"caseferry.{load[0].step}", _words(done) | {"parts": [ticket.part for ticket in load]}, _queue_of(load[0]))
    return seen


def go_on_behind(load: Sequence[Ticket], seen: frozenset[str]) -> frozenset[str]:
    """Do what comes behind the parts, if these were the last of them: whatever is left of them is on its way. A message for it
    would wait until somebody has told the news, and of those who end at once one does it and another tells them.
    """
    last = load[-1]
    behind = [ticket for ticket in next_steps((last.firm, last.migration, last.run), seen) if not ticket.part]
    return carry_out(services(), behind[0], seen, partial(go_on, behind[0])) if behind else seen


def _rows_of_small(done: Ticket, most: int) -> dict[str, int]:
    """The rows of each part, if the run has no more of them, and no more text, than one part may have."""
    run = run_of(done)
    split = read_model(services().store, run.at("1-split", "tables.json"), Split)
    rows = {part: count for table in split.tables for part, count in zip(table.parts, table.part_rows, strict=True)}
    text = sum(sum(table.part_bytes) for table in split.tables)
    return rows if sum(rows.values()) <= most and text <= services().settings.work.portion_bytes else {}


def tell_of(done: Ticket, seen: frozenset[str]) -> None:
    """Have the news brought to those who wait for it."""
    if is_news(done, seen):
        run = run_of(done)
        send_events(run, [one.id for one in settings().webhook.endpoints if one.firm in {None, run.firm}])


def send_events(run: Run, endpoints: list[str]) -> None:
    """Have a run's events brought to each of these endpoints."""
    for endpoint in endpoints:
        _put("caseferry.deliver", {"firm": run.firm, "migration": run.migration, "run": run.run, "endpoint": endpoint}, "webhooks")


def send(tickets: list[Ticket], queue: str = "") -> None:
    """Put tickets on their queues. What gets lost on the way, the reconciler sends again."""
    for ticket in tickets:
        words = _words(ticket) | ({"part": ticket.part} if ticket.part else {})
        _put(f"caseferry.{ticket.step}", words, queue or _queue_of(ticket))


def _queue_of(ticket: Ticket) -> str:
    """The queue of its step; for a run that takes long one of its own, so that nobody with a short one stands behind it."""
    store, run = services().store, run_of(ticket)
    try:
        if ticket.step == "intake":
            size = sum(one.size for one in read_model(store, run.at("arrival.json"), Arrival).objects)
        else:
            size = sum(file.size for file in read_model(store, run.at("0-original", "manifest.json"), Intake).files if file.kind in READ)
    except Exception as error:  # nothing to go by: if something is wrong with it, the step itself says so
        log.info("size_not_known", run=ticket.run, step=ticket.step, exc_info=error)
        size = 0
    return "long" if size > settings().work.long_bytes else STEPS[ticket.step].queue


def _words(of: Ticket) -> dict[str, Any]:
    return {"firm": of.firm, "migration": of.migration, "run": of.run}


def _put(task: str, words: dict[str, Any], queue: str) -> None:
    """One message. A broker that does not take it loses nothing but time: the bucket knows what is open."""
    limit = settings().work.task_seconds * PATIENT
    limits: dict[str, Any] = {"soft_time_limit": limit, "time_limit": limit + 60} if queue == "long" else {}
    try:
        _app().send_task(task, kwargs=words, queue=queue, argsrepr="-", kwargsrepr="-", **limits)
    except OperationalError as error:
        log.warning("broker_unreachable", queue=queue, code="CF-117", exc_info=error)


def ring(key: str) -> list[Ticket]:
    """An object was uploaded: start what it starts."""
    from tasks.intake.arrive import arrive

    tickets = arrive(services(), key)
    send(tickets)
    return tickets


@lru_cache
def _app() -> "Celery[Any]":
    return make_app(settings())


@setup_logging.connect
def _log(**_: Any) -> None:
    configure(settings().log)


def keep_to_yourself() -> None:
    """No core dump of this process, and no look into it by others of the same user: both would show a client's data."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # not dumpable


@worker_init.connect
def _may_start(**_: Any) -> None:
    """A worker that could not keep the promises does not take the first message."""
    from workers.doctor import refusals

    failing = refusals(settings())
    for found in failing:
        log.error("worker_refuses_to_start", reason=f"{found.name}: {found.found}; {found.remedy}")
    if failing:
        raise SystemExit(78)  # sysexits.h: configuration error
    keep_to_yourself()


@worker_ready.connect
def _hear(sender: Any, **_: Any) -> None:
    from workers.hearing import listen_to_oneself

    listen_to_oneself(sender.app, settings())


@worker_process_init.connect
def _child(**_: Any) -> None:
    """A child of the pool: import what every task needs before the first one comes."""
    keep_to_yourself()
    configure(settings().log)
    import importlib

    from caseferry.reading import guard

    guard.start()
    for step in JOURNEY:
        importlib.import_module(step.room.split(":")[0])
    services()
    seldom()


def __getattr__(name: str) -> Any:
    """`celery -A workers.app` looks for `app`; building it on demand keeps this page importable without a broker."""
    if name in {"app", "celery"}:
        return _app()
    raise AttributeError(name)


__all__ = ["QUEUES", "Stage", "make_app", "ring", "send", "services", "settings"]
