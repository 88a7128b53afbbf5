"""Sending what the outbox holds: at least once, the same id and bytes each time, for three days if need be."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import structlog

from caseferry.canonical import to_json
from caseferry.keys import Run
from caseferry.services.http import AddressRefused, post
from tasks.notify.events import checked
from tasks.notify.outbox import event_id
from tasks.notify.sign import body_of, headers
from tasks.stage import Services, present, stamp

if TYPE_CHECKING:
    from config.settings import WebhookEndpoint

log = structlog.get_logger()


def deliver(services: Services, run: Run, *, replay: bool = False) -> int:
    """Send every event of a run that is due; return how many still wait for a later attempt."""
    waiting = 0
    for endpoint in services.settings.webhook.endpoints:
        if endpoint.firm in {None, run.firm} and (replay or services.store.stat(_gone(endpoint)) is None):
            for event in _events(services, run):
                if any(fnmatchcase(event["type"], pattern) for pattern in endpoint.events):
                    waiting += not _once(services, run, endpoint, event, replay)
    return waiting


def _gone(endpoint: "WebhookEndpoint") -> str:
    """Lies there once an endpoint has said that it wants no more; delete it to begin again."""
    return f"endpoints/{endpoint.id}.disabled.json"


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
    return post(endpoint.url, body, sent, settings.allow_networks, settings.deadline, settings.reply_bytes).status


def _events(services: Services, run: Run) -> Iterator[dict[str, Any]]:
    names = sorted(k for k in present(services.store, run) if k.startswith("events/") and k.count("/") == 1)
    for name in names:
        yield json.loads(services.store.get(run.home + name))


def _once(services: Services, run: Run, endpoint: "WebhookEndpoint", event: dict[str, Any], replay: bool) -> bool:
    """Send one event to one endpoint if its turn has come. True once it needs no further attempt."""
    settings, store = services.settings.webhook, services.store
    key = run.at("events", "delivery", endpoint.id, f"{event['sequence']}.json")
    try:
        data, tag = store.get_tagged(key)
        state = json.loads(data)
    except KeyError:
        state, tag = {"attempts": 0, "done": "", "next_at": ""}, ""
    now = services.clock()
    if state["done"] and not replay:
        return True
    if state["next_at"] > stamp(now) and not replay:
        return False
    if not endpoint.totals and "control_totals" in event["data"]:
        event = event | {"data": event["data"] | {"control_totals": []}}
    body = body_of(event, run.firm, run.run, settings.public_url)
    secrets = [endpoint.secret.get_secret_value()]
    if endpoint.previous_secret:
        secrets.append(endpoint.previous_secret.get_secret_value())
    sent = headers(secrets, event["id"], int(now.timestamp()), body)
    status, wish, pause = 0, "", 0
    try:
        reply = post(endpoint.url, body, sent, settings.allow_networks, settings.deadline, settings.reply_bytes)
        status, wish = reply.status, reply.headers.get("webhook-delivery", "")
        pause = _seconds(reply.headers.get("retry-after", "")) if status in {429, 503} else 0
    except AddressRefused as refused:
        log.warning("webhook_refused", endpoint=endpoint.id, code="CF-118", reason=refused.why)
    except ConnectionError as error:
        log.info("webhook_unanswered", endpoint=endpoint.id, exc_type=str(error))
    state["attempts"] += 1
    if 200 <= status < 300:
        state["done"] = "delivered"
    elif status == 410 or wish == "disable":
        state["done"] = "disabled"
        store.put_once(_gone(endpoint), to_json({"at": stamp(now), "status": status}))
        log.warning("webhook_endpoint_disabled", endpoint=endpoint.id, status=status)
    elif wish == "abort-message":
        state["done"] = "aborted"
    elif state["attempts"] >= len(settings.retries):
        state["done"] = "given_up"
    else:
        wait = max(pause, settings.retries[state["attempts"]] * random.uniform(0.9, 1.1))  # noqa: S311
        state["next_at"] = stamp(now + timedelta(seconds=wait))
    state["status"] = status
    new = to_json(state)
    if tag:
        store.swap(key, new, tag)
    else:
        store.put_once(key, new)
    log.info("webhook_sent", endpoint=endpoint.id, type=event["type"], status=status, attempt=state["attempts"], state=state["done"])
    return bool(state["done"])


def _seconds(text: str) -> int:
    return min(int(text), 86_400) if text.isdigit() else 0
