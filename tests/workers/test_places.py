"""A worker's places for messages, with a real broker behind a way that breaks: no message keeps its place for good."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection, Queue

from config.settings import BrokerSettings
from tests.faults.proxy import Proxy
from workers.embedded import prepare, start_servers, stop, wait_until_ready
from workers.transport import transport_options


@pytest.mark.journey
@pytest.mark.parametrize("end", [
    lambda message: message.ack(), lambda message: message.reject(), lambda message: message.requeue(),
], ids=["done", "dropped", "handed back"])  # fmt: skip
def test_a_message_whose_end_the_broker_could_not_be_told_keeps_no_place(tmp_path: Path, end: Callable[[Any], None]) -> None:
    stack = prepare(tmp_path / "state")
    way = Proxy(stack.ports["valkey"])
    try:
        start_servers(stack)
        wait_until_ready(stack)
        options = transport_options(BrokerSettings(url=stack.broker))
        queue = Queue("parts")
        with Connection(f"redis://127.0.0.1:{way.port}/0", transport_options=options) as connection:
            channel: Any = connection.channel()
            connection.Producer(channel).publish({"number": 1}, routing_key="parts", declare=[queue])
            channel.basic_qos(0, 1, False)
            taken: list[Any] = []
            with connection.Consumer(queue(channel), callbacks=[lambda body, message: taken.append(message)], channel=channel):
                connection.drain_events(timeout=30)
                assert not channel.qos.can_consume(), "one at a time"
                way.set("down")
                with pytest.raises(connection.connection_errors):
                    end(taken[0])
                assert channel.qos.can_consume()
                way.set()
        assert redis.Redis.from_url(stack.broker).hlen("caseferry:unacked") == 1, "the broker has it still, and gives it out again"
    finally:
        way.stop()
        stop(stack)
