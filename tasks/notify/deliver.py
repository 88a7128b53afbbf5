"""Sending what the outbox holds: at least once, the same id and bytes each time, for three days if need be."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import structlog

from caseferry.canonical import to_json
from caseferry.keys import Run, disabled
from caseferry.services.http import AddressRefused, Reply, post
from tasks.notify.events import checked
from tasks.notify.outbox import event_id
from tasks.notify.sign import body_of, headers
from tasks.stage import Services, present, stamp

if TYPE_CHECKING:
    from config.settings import WebhookEndpoint

log = structlog.get_logger()


def deliver(services: Services, run: Run, *, endpoint: str = "", replay: bool = False) -> int:
    """Send every event of a run that is due, in its order; return how many still wait for a later attempt.

    Args:
        endpoint: only to this one; else to each.
        replay: what was delivered already too.
    """
    return sum(
        _to(services, run, one, replay) for one in _endpoints(services, run, even_if_disabled=replay) if endpoint in {"", one.id}
    )


def due(services: Services, run: Run) -> tuple[list[str], int]:
    """The endpoints that something is to be sent to now, and how many events wait in all. Sends nothing."""
    events, late, waiting = list(_events(services, run)), [], 0
    for endpoint in _endpoints(services, run):
        wanted = [_standing(services, run, endpoint, event) for event in events if _wants(endpoint, event)]
        open_ones = [state for state, _ in wanted if not state["done"]]
        waiting += len(open_ones)
        if any(_is_due(services, state) for state in open_ones):
            late.append(endpoint.id)
    return late, waiting


def _endpoints(services: Services, run: Run, *, even_if_disabled: bool = False) -> Iterator["WebhookEndpoint"]:
    for endpoint in services.settings.webhook.endpoints:
        if endpoint.firm in {None, run.firm} and (even_if_disabled or services.store.stat(disabled(endpoint.id)) is None):
            yield endpoint


def _to(services: Services, run: Run, endpoint: "WebhookEndpoint", replay: bool) -> int:
    waiting = 0
    is_down = False
    for event in _events(services, run):
        if not _wants(endpoint, event):
            continue
        if is_down:  # the rest waits its turn: an endpoint that is down is not knocked at for every event
            waiting += not _standing(services, run, endpoint, event)[0]["done"]
            continue
        done, is_down = _once(services, run, endpoint, event, replay)
        waiting += not done
    return waiting


def _wants(endpoint: "WebhookEndpoint", event: dict[str, Any]) -> bool:
    return any(fnmatchcase(event["type"], pattern) for pattern in endpoint.events)


def send_test(services: Services, endpoint: "WebhookEndpoint") -> int:
    """Send one `endpoint.test` and return the answer's status.

    Raises:
        AddressRefused: the address is not one we send to.
        ConnectionError: nobody answered.
    """
    settings, now = services.settings.webhook, services.clock()
    at = stamp(now)
    event: dict[str, Any] = {"id": event_id(endpoint.id, at), "type": "endpoint.test", "sequence": "0000000000", "time": at, "data": checked("endpoint.test", {"message": "hello"})}
    body = body_of(event, "test", endpoint.id, settings.public_url)
    sent = headers([endpoint.secret.get_secret_value()], event["id"], int(now.timestamp()), body)
    return _post(services, endpoint, body, sent).status


def _post(services: Services, endpoint: "WebhookEndpoint", body: bytes, sent: dict[str, str]) -> Reply:
    settings = services.settings.webhook
    return post(
        endpoint.url, body, sent, settings.allow_networks, settings.deadline, settings.reply_bytes,
        ports=settings.allow_ports, authorities=settings.authorities,
    )  # fmt: skip


def _events(services: Services, run: Run) -> Iterator[dict[str, Any]]:
    names = sorted(k for k in present(services.store, run) if k.startswith("events/") and k.count("/") == 1)
    for name in names:
        yield json.loads(services.store.get(run.home + name))


def _key(run: Run, endpoint: "WebhookEndpoint", event: dict[str, Any]) -> str:
    return run.at("events", "delivery", endpoint.id, f"{event['sequence']}.json")


def _standing(services: Services, run: Run, endpoint: "WebhookEndpoint", event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """How far the delivery of one event is, and the version that says so."""
    try:
        data, tag = services.store.get_tagged(_key(run, endpoint, event))
        return json.loads(data), tag
    except KeyError:
        return {"attempts": 0, "done": "", "next_at": ""}, ""


def _is_due(services: Services, state: dict[str, Any]) -> bool:
    """True once its time has come; also if its time lies farther off than any wait could: then a clock has jumped."""
    now, settings = services.clock(), services.settings.webhook
    longest = timedelta(seconds=max(86_400, *settings.retries) * 1.2)
    return bool(state["next_at"] <= stamp(now) or state["next_at"] > stamp(now + longest))


def _once(services: Services, run: Run, endpoint: "WebhookEndpoint", event: dict[str, Any], replay: bool) -> tuple[bool, bool]:
    """Send one event to one endpoint if its turn has come. True, first, once it needs no further attempt; second, if the
    endpoint as a whole seems to be down.

    The attempt is written before it is made. Whoever dies in between has sent it or not: it is sent again, under the
    same id, once its time is over.
    """
    settings, store, now = services.settings.webhook, services.store, services.clock()
    state, tag = _standing(services, run, endpoint, event)
    if state["done"] and not replay:
        return True, False
    if not _is_due(services, state) and not replay:
        return False, False
    state["attempts"] += 1
    state["next_at"] = stamp(now + settings.deadline + timedelta(seconds=5))
    if not _keep(services, run, endpoint, event, state, tag):
        return False, False  # somebody else is just sending it
    _, tag = store.get_tagged(_key(run, endpoint, event))
    if not endpoint.totals and "control_totals" in event["data"]:
        event = event | {"data": event["data"] | {"control_totals": []}}
    body = body_of(event, run.firm, run.run, settings.public_url)
    secrets = [endpoint.secret.get_secret_value()]
    if endpoint.previous_secret:
        secrets.append(endpoint.previous_secret.get_secret_value())
    sent = headers(secrets, event["id"], int(now.timestamp()), body)
    status, wish, pause = 0, "", 0.0
    try:
        reply = _post(services, endpoint, body, sent)
        status, wish = reply.status, reply.headers.get("webhook-delivery", "")
        pause = _seconds(reply.headers.get("retry-after", ""), now) if status in {429, 502, 503, 504} else 0
    except AddressRefused as refused:
        log.warning("webhook_refused", endpoint=endpoint.id, code="CF-118", reason=refused.why)
    except ConnectionError as error:
        log.info("webhook_unanswered", endpoint=endpoint.id, exc_type=str(error))
    if 200 <= status < 300:
        state["done"] = "delivered"
    elif status == 410 or wish == "disable":
        state["done"] = "disabled"
        store.put_once(disabled(endpoint.id), to_json({"at": stamp(now), "status": status}))
        log.warning("webhook_endpoint_disabled", endpoint=endpoint.id, status=status)
    elif wish == "abort-message":
        state["done"] = "aborted"
    elif state["attempts"] >= len(settings.retries):
        state["done"] = "given_up"
        log.warning("webhook_given_up", endpoint=endpoint.id, type=event["type"], attempt=state["attempts"])
    else:
        wait = max(pause, settings.retries[state["attempts"]] * random.uniform(0.9, 1.1))  # noqa: S311
        state["next_at"] = stamp(now + timedelta(seconds=wait))
    state["status"] = status
    _keep(services, run, endpoint, event, state, tag)
    log.info("webhook_sent", endpoint=endpoint.id, type=event["type"], status=status, attempt=state["attempts"], state=state["done"])
    return bool(state["done"]), status == 0 or status == 429 or status >= 500


def _keep(services: Services, run: Run, endpoint: "WebhookEndpoint", event: dict[str, Any], state: dict[str, Any], tag: str) -> bool:
    key, new = _key(run, endpoint, event), to_json(state)
    return services.store.swap(key, new, tag) if tag else services.store.put_once(key, new)


def _seconds(text: str, now: datetime) -> float:
    """`Retry-After`: a number of seconds, or a moment."""
    if text.isdigit():
        return min(int(text), 86_400)
    try:
        return min(max((parsedate_to_datetime(text) - now).total_seconds(), 0), 86_400)
    except (ValueError, TypeError):
        return 0
