import json
from pathlib import Path

import pytest

from workers.doorbell import keys_in

EVENTS = Path(__file__).parents[1] / "events"
KEY = "drops/doe roe/trial/Café+1.zip"


@pytest.mark.parametrize("name", sorted(p.stem for p in EVENTS.glob("*.json")))
def test_each_dialect_names_the_same_key(name: str) -> None:
    wanted = [] if name.startswith("nothing") else [KEY]
    assert keys_in((EVENTS / f"{name}.json").read_bytes(), "caseferry") == wanted


def test_there_is_a_recorded_example_of_every_dialect() -> None:
    names = {p.stem for p in EVENTS.glob("*.json")}
    assert names >= {"aws_sqs", "aws_sns_sqs", "aws_eventbridge", "minio_webhook", "minio_redis", "embedded", "moto_sqs", "nothing_test_event"}


@pytest.mark.parametrize("message", [b"", b"null", b"[]", b"{}", b"\xff", b'{"Records": 1}', b'{"Records": [{"s3": 1, "eventName": 2}]}', b"[" * 2000, b'{"key": 1}'])
def test_rubbish_rings_nothing(message: bytes) -> None:
    try:
        assert keys_in(message, "caseferry") == []
    except RecursionError:
        pytest.fail("a deep message ended the listener")


def test_another_bucket_and_a_doubled_record_ring_once_or_not() -> None:
    event = json.loads((EVENTS / "aws_sqs.json").read_text())
    event["Records"] *= 3
    assert keys_in(json.dumps(event), "caseferry") == [KEY]
    assert keys_in(json.dumps(event), "other") == []
