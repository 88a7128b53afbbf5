import base64
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks import Webhook

from caseferry.canonical import to_json
from caseferry.services.http import AddressRefused, check_address
from config.settings import WebhookSettings
from tasks.notify.deliver import deliver
from tasks.notify.events import CATALOGUE, schema_of
from tasks.notify.outbox import tell
from tasks.notify.sign import CONTENT_TYPE, body_of, headers, problem_with, signature
from tasks.stage import present
from tests.crossing import ONE_MATTER, Crossed, Crossings, firm
from workers.commands.receiver import Receiver

SECRET = "whsec_x3bg2buwFmPnVSEuVS5YkkE7C/JiK1ohA5D6lEJSwiA="
RECORDED = Path(__file__).parents[2] / "docs" / "events"


@pytest.mark.requirement("A15", "A01")
def test_each_state_is_told_once_in_order_with_its_time(crossing: Crossings) -> None:
    run = crossing(firm())
    run.services.tell(run.services, run.run)
    events = run.events()
    assert [e["type"] for e in events] == ["export.received", "job.started", "job.transformed", "job.merged", "job.verified"]
    assert [e["data"]["status"] for e in events] == ["received", "split", "transformed", "merged", "completed"]
    assert [e["sequence"] for e in events] == [f"{n:010d}" for n in range(1, 6)]
    assert len({e["id"] for e in events}) == 5
    assert all(e["time"] == "2024-06-03T12:00:00Z" for e in events)
    assert {s for s, _ in run.json("run.json")["history"]} >= {"received", "split", "transformed", "merged", "ready"}


def test_whoever_comes_late_with_an_older_view_takes_no_run_back(crossing: Crossings) -> None:
    run = crossing(firm())
    now, said = present(run.store, run.run), run.store.get(run.run.at("run.json"))
    rooms = ("1-split", "2-transform", "3-merge", "4-verify")
    for number in range(len(rooms)):
        tell(run.services, run.run, frozenset(key for key in now if not key.startswith(rooms[number:])))
        assert run.store.get(run.run.at("run.json")) == said
    early = {"state": "received", "history": json.loads(said)["history"][:2], "reasons": []}
    run.store.put(run.run.at("run.json"), to_json(early))
    tell(run.services, run.run, frozenset(key for key in now if not key.startswith("4-verify")))
    assert run.json("run.json")["state"] in {"merged", "completed"}
    tell(run.services, run.run)
    assert run.json("run.json")["state"] == "completed"


def test_a_run_that_failed_before_anybody_told_how_far_it_was_stays_failed(crossing: Crossings) -> None:
    run = crossing(firm())
    history = [entry for entry in run.json("run.json")["history"] if entry[0] in {"arrived", "received", "split"}]
    for key in present(run.store, run.run):
        if key.startswith(("3-merge/", "4-verify/", "events/")):
            run.store.delete(run.run.home + key)
    run.store.put(run.run.at("run.json"), to_json({"state": "split", "history": history, "reasons": []}))
    older = present(run.store, run.run)  # whoever ended the last part has looked, and is slow to tell
    run.store.put_once(run.run.at("failed.json"), to_json({"code": "CF-135", "where": "merge", "detail": "ValueError"}))
    tell(run.services, run.run)
    told = run.store.get(run.run.at("run.json"))
    tell(run.services, run.run, older)
    assert run.store.get(run.run.at("run.json")) == told and json.loads(told)["state"] == "failed"


def test_held_answered_refused_and_failed_runs_tell_of_it(crossing: Crossings) -> None:
    held = crossing(firm(), account_owner=False).release("A", cleared=True)
    kinds = [e["type"] for e in held.events()]
    assert kinds[1:3] == ["job.needs_decision", "job.decision_recorded"]
    assert held.events()[1]["data"]["groups"] == [{"rule": "CF-125", "count": 1, "has_proposal": False}]
    refused = crossing({"x.csv": "a,b\n1,2\n"})
    assert refused.events()[-1]["type"] == "export.rejected" and refused.events()[-1]["data"]["code"] == "CF-104"


def test_every_event_follows_its_schema_and_has_a_recorded_example(crossing: Crossings) -> None:
    for kind in CATALOGUE:
        example = json.loads((RECORDED / f"{kind}.example.json").read_text())
        schema = json.loads((RECORDED / f"{kind}.schema.json").read_text())
        assert schema == schema_of(kind), f"docs/events is out of date: {kind}"
        jsonschema.validate(example["data"], schema)
        assert example["type"] == kind
    for event in crossing(firm()).events():
        jsonschema.validate(event["data"], schema_of(event["type"]))


def test_no_value_of_the_firm_has_room_in_an_event(crossing: Crossings) -> None:
    run = crossing(firm(matters=ONE_MATTER.replace("Sale of shop", "SECRET-MARK")), firm_name="SECRET-MARK LLP")
    assert "SECRET-MARK" not in json.dumps(run.events())


def test_a_delivery_is_verified_by_libraries_we_did_not_write() -> None:
    event = {"id": "evt_01", "type": "job.verified", "time": "2026-11-22T14:03:07Z", "sequence": "0000000007", "data": {"job_id": "run-1"}}
    body = body_of(event, "doe-llp", "run-1", "https://caseferry.example")
    sent = headers([SECRET], "evt_01", int(time.time()), body)
    assert Webhook(SECRET).verify(body, sent)["id"] == "evt_01"
    cloud = from_structured_event(HTTPMessage(headers=sent, body=body))
    assert (cloud.get_type(), cloud.get_subject(), cloud.get_extension("sequence")) == ("job.verified", "run-1", "0000000007")
    assert sent["content-type"] == CONTENT_TYPE == "application/cloudevents+json; charset=utf-8"
    assert len(body) < 20_000


def test_the_published_example_is_signed_to_the_letter() -> None:
    body = (Path(__file__).parent / "published_body.json").read_bytes()
    assert signature(SECRET, "evt_01KB3Q5T9ZQX7M2W8R4N6C1VHE", 1795356187, body) == "v1,L15nvd3VAci6bLMDYQc3UcUjmfuD1ukTUhoKyedUKqU="


def test_an_id_with_a_dot_is_never_signed() -> None:
    with pytest.raises(ValueError, match="dot"):
        signature(SECRET, "evt.1", 1, b"")


def test_verify_says_which_part_is_wrong() -> None:
    body, now = b'{"a": 1}', 1_000_000
    good = headers([SECRET], "evt_1", now, body)
    assert problem_with(SECRET, good, body, now) == ""
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    both = headers([other, SECRET], "evt_1", now, body)
    assert problem_with(SECRET, both, body, now) == ""
    assert "another secret" in problem_with(other, good, body, now)
    assert "seconds away" in problem_with(SECRET, good, body, now + 301)
    assert "missing" in problem_with(SECRET, {}, body, now)
    assert "quotes" in problem_with(f'"{SECRET}"', good, body, now)
    compact = headers([SECRET], "evt_1", now, b'{"a":1}')
    assert "parsed and written again" in problem_with(SECRET, compact, body, now)
    assert "white space" in problem_with(SECRET, good, body + b"\n", now)


def receiving(run: Crossed, receiver: Receiver, **more: Any) -> Crossed:
    endpoint = {"id": "test", "url": receiver.url, "secret": receiver.secret, **more}
    webhook = WebhookSettings.model_validate({"endpoints": [endpoint], "allow_networks": ["127.0.0.0/8"]})
    settings = run.services.settings.model_copy(update={"webhook": webhook})
    services = type(run.services)(run.services.store, settings, clock=lambda: datetime.now(UTC), tell=run.services.tell)
    return Crossed(services, run.run, run.state)


def test_events_are_delivered_once_and_replayed_with_the_same_ids(crossing: Crossings) -> None:
    receiver = Receiver()
    receiver.start()
    try:
        run = receiving(crossing(firm()), receiver)
        assert deliver(run.services, run.run) == 0
        assert list(receiver.ids) == [e["id"] for e in run.events()]
        first = dict(receiver.ids)
        assert deliver(run.services, run.run) == 0
        deliver(run.services, run.run, replay=True)
        assert receiver.ids == first and not receiver.refused
    finally:
        receiver.stop()


def test_a_receiver_that_is_down_is_tried_again_later(crossing: Crossings) -> None:
    receiver = Receiver()
    run = receiving(crossing(firm()), receiver)
    receiver._server.server_close()  # nobody listens now
    assert deliver(run.services, run.run) == 5
    state = run.json("events", "delivery", "test", "0000000001.json")
    assert (state["attempts"], state["done"]) == (1, "")
    assert deliver(run.services, run.run) == 5  # not before its time
    assert run.json("events", "delivery", "test", "0000000001.json")["attempts"] == 1
    later = type(run.services)(run.services.store, run.services.settings, clock=lambda: datetime.now(UTC) + timedelta(seconds=8), tell=run.services.tell)
    deliver(later, run.run)
    assert run.json("events", "delivery", "test", "0000000001.json")["attempts"] == 2


def test_an_endpoint_that_is_gone_is_left_alone(crossing: Crossings) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    calls: list[str] = []

    class Gone(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append(self.path)
            self.send_response(410)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Gone)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        run = crossing(firm())
        endpoint = {"id": "gone", "url": f"http://127.0.0.1:{server.server_address[1]}/x", "secret": SECRET}
        webhook = WebhookSettings.model_validate({"endpoints": [endpoint], "allow_networks": ["127.0.0.0/8"]})
        services = type(run.services)(run.store, run.services.settings.model_copy(update={"webhook": webhook}), clock=lambda: datetime.now(UTC), tell=run.services.tell)
        deliver(services, run.run)
        first = len(calls)
        deliver(services, run.run)
        assert len(calls) == first and run.store.stat("endpoints/gone.disabled.json")
    finally:
        server.shutdown()
        server.server_close()


def test_an_endpoint_hears_only_what_it_asked_for(crossing: Crossings) -> None:
    receiver = Receiver()
    receiver.start()
    try:
        run = receiving(crossing(firm()), receiver, events=["job.v*"], totals=False)
        deliver(run.services, run.run)
        assert [e["type"] for e in receiver.ids.values()] == ["job.verified"]
    finally:
        receiver.stop()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.0", "2130706433", "0x7f000001", "0177.0.0.1", "127.1",
     "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[fd00::1]", "[fe80::1]", "[fec0::1]", "[3fff::1]", "224.0.0.1", "255.255.255.255",
     "198.18.0.1", "192.0.2.1", "localhost"],
)  # fmt: skip
def test_no_private_address_is_ever_connected_to(host: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(f"https://{host}/hook")


def test_only_https_without_credentials_unless_the_network_is_allowed() -> None:
    import ipaddress

    for url in ("http://93.184.215.14/", "ftp://93.184.215.14/", "https://user:pw@93.184.215.14/", "https://"):
        with pytest.raises(AddressRefused):
            check_address(url)
    assert check_address("https://93.184.215.14/x") == ("93.184.215.14", "93.184.215.14", 443)
    assert check_address("http://127.0.0.1:8080/", [ipaddress.ip_network("127.0.0.0/8")])[2] == 8080
