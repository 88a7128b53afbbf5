"""On which queue a step waits: nobody with a short run stands behind a long one."""

import json
import time
from pathlib import Path

import pytest

from caseferry.errors import PassingFault
from caseferry.services.store import ObjectStore
from config.settings import Settings, WorkSettings
from tasks.intake.arrive import arrive
from tasks.journey import JOURNEY, Ticket
from tasks.stage import Services, perform
from tests.crossing import CHOICES, Crossings, firm, packed
from workers import app
from workers.doctor import Finding, examine
from workers.embedded import prepare, start_servers, start_worker, stop, wait_until_ready


@pytest.fixture
def arrived(crossing: Crossings, monkeypatch: pytest.MonkeyPatch) -> tuple[Services, Ticket, dict[str, str]]:
    """A run whose upload is there, and the queue of each message that is put from then on."""
    services = crossing.services()
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/x.zip", packed(firm()))
    [ticket] = arrive(services, "drops/firm/trial/x.zip")
    monkeypatch.setattr(app, "services", lambda: services)
    put: dict[str, str] = {}
    monkeypatch.setattr(app, "_put", lambda task, words, queue: put.update({task.removeprefix("caseferry."): queue}))
    return services, ticket, put


def every(of: Ticket) -> list[Ticket]:
    return [Ticket(of.firm, of.migration, of.run, step.name, "0001" if step.parts else "") for step in JOURNEY]


def limited(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(app, "settings", lambda: Settings(_env_file=None, work=WorkSettings(long_bytes=limit)))


def test_a_long_run_waits_on_its_own_queue_at_every_step_and_a_short_one_nowhere_behind_it(
    arrived: tuple[Services, Ticket, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    services, ticket, put = arrived
    perform(services, ticket)
    unpacked, upload = sum(len(data if isinstance(data, bytes) else data.encode()) for data in firm().values()), len(packed(firm()))
    for limit in (min(unpacked, upload) - 1, min(unpacked, upload), max(unpacked, upload)):
        limited(monkeypatch, limit)
        app.send(every(ticket))
        assert put == {step.name: "long" if (upload if step.name == "intake" else unpacked) > limit else step.queue for step in JOURNEY}
    assert "long" not in put.values(), "neither is longer than the longer of the two"


def test_where_nothing_tells_how_long_it_is_a_step_waits_where_its_kind_does(
    arrived: tuple[Services, Ticket, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    services, ticket, put = arrived
    limited(monkeypatch, 1)
    app.send([Ticket(ticket.firm, ticket.migration, ticket.run, "split")])
    assert put == {"split": "parts"}, "there is no manifest yet"

    def away(self: ObjectStore, key: str) -> bytes:
        raise PassingFault("the object store does not answer")

    monkeypatch.setattr(type(services.store), "get", away)
    app.send([Ticket(ticket.firm, ticket.migration, "another", "intake")])
    assert put == {"split": "parts", "intake": "events"}


@pytest.mark.journey
def test_the_doctor_names_a_queue_nobody_listens_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = prepare(tmp_path / "state")
    for name, value in stack.environment().items():
        if name.startswith("CASEFERRY_"):
            monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)

    def found() -> list[Finding]:
        return [finding for finding in examine(settings) if finding.name == "workers"]

    try:
        start_servers(stack)
        wait_until_ready(stack)
        assert found() == [], "there is no worker yet"
        start_worker(stack, "worker", "events,parts,merge,webhooks,control", 1)
        deadline = time.monotonic() + 120
        while not found() and time.monotonic() < deadline:
            time.sleep(0.2)
        [finding] = found()
        assert not finding.passed and finding.found == "nobody listens to long, suspect"
    finally:
        stop(stack)


def test_a_step_of_a_long_run_may_take_longer_for_it_lets_others_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, tuple[object, object]] = {}

    class Broker:
        def send_task(self, task: str, **words: object) -> None:
            sent[str(words["queue"])] = words.get("soft_time_limit"), words.get("time_limit")

    monkeypatch.setattr(app, "_app", Broker)
    monkeypatch.setattr(app, "settings", lambda: Settings(_env_file=None, work=WorkSettings(task_seconds=600)))
    for queue in ("long", "merge"):
        app._put("caseferry.merge", {}, queue)
    assert sent == {"long": (1500, 1560), "merge": (None, None)}, "the others have the application's own"
