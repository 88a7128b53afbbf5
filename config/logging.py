"""One pipeline for every log line: JSON, and only the fields named here.

An allow-list, because a deny-list forgets: a cell of a client's never becomes a log field, whoever logs it.
"""

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from config.settings import LogSettings

ALLOWED = frozenset(
    ["event", "level", "timestamp", "logger", "firm", "migration", "run", "step", "part", "table", "kind", "task_id", "attempt", "queue", "state", "code", "rows", "findings", "changes", "parts", "files", "seconds", "count", "bytes", "status", "endpoint", "sequence", "type", "delay", "reason", "worker", "dialect", "held", "limit", "port", "pid", "exc_type", "where_in_code"]
)


def allow_only(_: Any, __: str, event: Any) -> Any:
    """Keep the fields of the allow-list, as numbers or short words; say how many were left out."""
    kept = {key: _plain(value) for key, value in event.items() if key in ALLOWED}
    left_out = len(event) - len(kept)
    return kept | ({"count_of_fields_left_out": left_out} if left_out else {})


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:200]


def where_it_broke(_: Any, __: str, event: Any) -> Any:
    """An exception as its class and the line of our code: its text may quote a cell."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    if isinstance(error, tuple) and error[0] is not None:
        event["exc_type"] = error[0].__name__
        trace = error[2]
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            event["where_in_code"] = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
    return event


def configure(settings: "LogSettings", stream: TextIO | None = None) -> None:
    """Send our lines and every library's through the one pipeline."""
    renderer: Any = structlog.processors.JSONRenderer()
    if settings.format == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        where_it_broke,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _library_line],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, allow_only, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for noisy in ("botocore", "boto3", "urllib3", "kombu", "amqp", "celery", "httpcore2", "httpx2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _library_line(_: Any, __: str, event: Any) -> Any:
    """A library's sentence may quote anything; its logger and level are what we keep."""
    record = event.get("_record")
    name = record.name if record is not None else "library"
    event["logger"] = name
    event["event"] = f"{name.split('.')[0]}_said"
    return event
