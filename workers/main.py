"""The listener of a deployment, as a process of its own. Workers and beat are Celery's own commands."""

import signal
import threading


def listen_forever() -> int:
    """Start every source of events the settings name; end on SIGTERM or SIGINT."""
    from config.logging import configure
    from workers.app import keep_to_yourself, ring, settings
    from workers.commands.crossing import Stop
    from workers.doctor import refusals
    from workers.listener import Listener

    configure(settings().log)
    keep_to_yourself()
    failing = refusals(settings())
    if failing:
        raise Stop(1, "\n".join(f"✗ {found.code} {found.name}: {found.found}\n  Do: {found.remedy}" for found in failing))
    events = settings().events
    if events.webhook_port is None and not events.sqs_queue_url and not events.redis_url:
        raise Stop(2, "✗ No source of events is set: CASEFERRY_EVENTS__WEBHOOK_PORT, __SQS_QUEUE_URL or __REDIS_URL.")
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    listener = Listener(settings(), ring)
    listener.start()
    stopping.wait()
    listener.stop()
    return 0
