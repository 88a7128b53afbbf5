"""The listener's sources of events, each from a real sender."""

import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import redis

from config.settings import Settings
from workers.embedded import prepare, start_servers, stop
from workers.listener import Listener

EVENTS = Path(__file__).parents[1] / "events"
KEY = "drops/doe roe/trial/Café+1.zip"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(rung: list[str], many: int = 1) -> list[str]:
    deadline = time.monotonic() + 120
    while len(rung) < many and time.monotonic() < deadline:
        time.sleep(0.02)
    return rung


def post(port: int, body: bytes, token: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/s3-events", body, {"authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return 0  # the listener hung up before it read a megabyte


def test_a_webhook_rings_once_its_token_is_right() -> None:
    rung: list[str] = []
    port = free_port()
    listener = Listener(Settings(_env_file=None, events={"webhook_port": port, "webhook_token": "right"}), rung.append)
    listener.start()
    try:
        body = (EVENTS / "minio_webhook.json").read_bytes()
        assert post(port, body, "wrong") == 401 and rung == []
        assert post(port, body, "right") == 202 and wait_for(rung) == [KEY]
        assert post(port, b"x" * (1 << 20) + b"y", "right") in {413, 0} and rung == [KEY]
    finally:
        listener.stop()


def test_a_ring_that_fails_does_not_end_the_listener() -> None:
    port = free_port()
    heard: list[str] = []

    def ring(key: str) -> None:
        heard.append(key)
        raise OSError("the broker is away")

    listener = Listener(Settings(_env_file=None, events={"webhook_port": port}), ring)
    listener.start()
    try:
        body = (EVENTS / "embedded.json").read_bytes()
        assert [post(port, body, ""), post(port, body, "")] == [202, 202]
        assert wait_for(heard, 2) == [KEY, KEY]
    finally:
        listener.stop()


@pytest.mark.journey
def test_a_redis_list_rings(tmp_path: Path) -> None:
    stack = prepare(tmp_path / "state")
    rung: list[str] = []
    listener = Listener(Settings(_env_file=None, events={"redis_url": stack.broker}), rung.append)
    try:
        start_servers(stack)
        client = redis.Redis.from_url(stack.broker)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                client.rpush("bucketevents", b"not an event", (EVENTS / "minio_redis.json").read_bytes())
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        listener.start()
        assert wait_for(rung) == [KEY]
        client.close()
    finally:
        listener.stop()
        for thread in listener.threads:
            thread.join(5)
        stop(stack)


def test_a_folder_made_and_filled_in_one_breath_is_sent_whole_and_in_turn(tmp_path: Path) -> None:
    import threading

    from tests.crossing import packed
    from workers.listener import watch_folder

    sent: list[str] = []
    misplaced: list[int] = []
    stopping = threading.Event()
    odd = tmp_path / "sub" / ".." / "drops"
    (tmp_path / "sub").mkdir()
    (tmp_path / "drops").mkdir()
    words = (odd, lambda key, data: sent.append(key), stopping, lambda: misplaced.append(1), 1.0)
    thread = threading.Thread(target=watch_folder, args=words, daemon=True)
    thread.start()
    home = tmp_path / "drops" / "firm" / "one"
    home.mkdir(parents=True)
    (home / "z.csv").write_text("a,b\n1,2\n")
    (home / "a.zip").write_bytes(packed({"x.csv": "a,b\n"}))
    (home / "migration.json").write_text("{}")
    (tmp_path / "drops" / "loose.txt").write_text("x")
    deadline = time.monotonic() + 120
    while (len(sent) < 3 or not misplaced) and time.monotonic() < deadline:
        time.sleep(0.05)
    stopping.set()
    thread.join(5)
    assert sent == ["drops/firm/one/z.csv", "drops/firm/one/migration.json", "drops/firm/one/a.zip"]
    assert misplaced == [1]
