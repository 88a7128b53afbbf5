"""One body that is a CloudEvent, under the signature of Standard Webhooks.

Source: CloudEvents 1.0 JSON format, structured mode; Standard Webhooks 1.0.0.
"""

import base64
import hashlib
import hmac
import json
import re
from typing import Any

from caseferry import __version__

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
"""To the letter: one public receiver library refuses any other spelling."""
_ID = re.compile(r"[0-9A-Za-z_]+")
TOLERANCE = 300


def body_of(event: dict[str, Any], firm: str, run: str, base: str) -> bytes:
    """The event as it is sent: the same bytes on every attempt."""
    content = {
        "specversion": "1.0", "id": event["id"], "source": f"/caseferry/firms/{firm}/jobs/{run}", "type": event["type"],
        "subject": run, "time": event["time"], "timestamp": event["time"], "sequence": event["sequence"],
        "datacontenttype": "application/json", "dataschema": f"{base.rstrip('/')}/schemas/{event['type']}/1.json",
        "data": event["data"],
    }  # fmt: skip
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def key_of(secret: str) -> bytes:
    """The key inside a `whsec_…` secret."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError("a webhook secret is whsec_ and base64") from None


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    if not _ID.fullmatch(event_id):
        raise ValueError("an id with a dot would let two messages share one signature")
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def headers(secrets: list[str], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What goes with a body; while a secret is rotated, both sign."""
    return {
        "content-type": CONTENT_TYPE, "webhook-id": event_id, "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, event_id, timestamp, body) for secret in secrets),
        "user-agent": f"Caseferry/{__version__}",
    }  # fmt: skip


def problem_with(secret: str, given: dict[str, str], body: bytes, now: int) -> str:
    """Which part of a delivery is wrong, or nothing. For people who write a receiver."""
    lower = {name.casefold(): value for name, value in given.items()}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if name not in lower:
            return f"the header {name} is missing: a proxy may have taken it away"
    if secret != secret.strip().strip("\"'"):
        return "the secret has quotes or white space around it"
    try:
        key_of(secret)
        timestamp = int(lower["webhook-timestamp"])
    except ValueError as error:
        return str(error) if "secret" in str(error) else "webhook-timestamp is not a whole number of seconds"
    if abs(now - timestamp) > TOLERANCE:
        return f"the timestamp is {abs(now - timestamp)} seconds away from this clock; 300 are allowed"
    expected = signature(secret, lower["webhook-id"], timestamp, body).removeprefix("v1,")
    given_ones = [one.split(",", 1)[1] for one in lower["webhook-signature"].split() if one.startswith("v1,")]
    if not given_ones:
        return "webhook-signature holds no v1 signature"
    if any(hmac.compare_digest(expected, one) for one in given_ones):
        return ""
    for changed, why in ((body.strip(), "white space was added around the body"), (_compact(body), "the body was parsed and written again")):
        again = signature(secret, lower["webhook-id"], timestamp, changed).removeprefix("v1,")
        if changed != body and any(hmac.compare_digest(again, one) for one in given_ones):
            return f"{why}; the signature is over the raw bytes"
    return "the signature does not fit: another secret, or the body is not the bytes that were sent"


def _compact(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()
    except ValueError:
        return body
