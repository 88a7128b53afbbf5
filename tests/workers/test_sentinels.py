"""A broker behind a sentinel, both of them real ones. Who becomes the next master is theirs to settle, and not looked at here."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Queue
from pydantic import ValidationError

from config.settings import BrokerSettings, Settings
from workers.doctor import examine
from workers.embedded import _valkey, answers
from workers.transport import client_of, is_redis, transport_options


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.journey
def test_messages_go_by_the_master_and_the_doctor_finds_it_well(tmp_path: Path) -> None:
    master, sentinel = _port(), _port()
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: object) -> None:
        running.append(subprocess.Popen([_valkey(), *map(str, words)], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    try:
        start("--port", master, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction")
        _until(lambda: answers(master))
        conf = tmp_path / "sentinel.conf"
        conf.write_text(f"port {sentinel}\nbind 127.0.0.1\nsentinel monitor caseferry 127.0.0.1 {master} 1\n")
        start(conf, "--sentinel")
        _until(lambda: answers(sentinel))
        settings = Settings(_env_file=None, broker={"url": f"sentinel://127.0.0.1:{sentinel};sentinel://127.0.0.1:{_port()}", "master_name": "caseferry"})
        broker = settings.broker
        assert is_redis(broker)
        found = {one.name: one.passed for one in examine(settings) if one.name.startswith("broker")}
        assert found["broker"] and found["broker.eviction"] and found["broker.tls"] and found["broker.password"]
        queue = Queue("parts")
        with Connection(broker.url.get_secret_value(), transport_options=transport_options(broker)) as connection:
            connection.Producer(connection.channel()).publish({"number": 1}, routing_key="parts", declare=[queue])
        assert client_of(broker).llen("caseferry:parts") == 1
        taken: list[Any] = []
        with (
            Connection(broker.url.get_secret_value(), transport_options=transport_options(broker)) as connection,
            connection.Consumer(queue(connection.channel()), callbacks=[lambda body, message: taken.append(message)]),
        ):
            connection.drain_events(timeout=30)
            taken[0].ack()
        assert taken[0].payload == {"number": 1}
    finally:
        for one in reversed(running):
            one.kill()
            one.wait()


def test_sentinels_without_a_master_are_refused() -> None:
    with pytest.raises(ValidationError, match="master_name"):
        BrokerSettings(url="sentinel://127.0.0.1:26379")
