"""A real Valkey, a real S3 server that fires events, real workers; looked at as a firm would."""

import json
import random
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from caseferry.errors import PassingFault
from caseferry.services import s3
from caseferry.services import store as stores
from caseferry.services.scratch import Span
from config.settings import S3Settings
from tests.conftest import SAMPLE
from tests.crossing import CHOICES, ONE_MATTER, Crossed, firm, packed
from tests.journey.stack import Up, caseferry, up

pytestmark = pytest.mark.journey
DROP = {"migration.json": (SAMPLE / "migration.json").read_bytes(), "LEAP-export.zip": (SAMPLE / "LEAP-export.zip").read_bytes()}
MARK = "CANARY7f3a"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("up")
    with up(folder / "state", "--watch", str(folder / "watched")) as running:
        yield running


def in_process(sample: Crossed) -> dict[str, bytes]:
    files = {name: sample.store.get(sample.run.at("3-merge", "files", name)) for name in sample.names()}
    return files | {name: sample.store.get(sample.run.at("4-verify", name)) for name in ("ledger.json", "report.html", "report.xlsx")}


def test_the_upload_of_an_export_starts_the_journey_and_gives_the_same_bytes_as_one_process(stack: Up, sample: Crossed) -> None:
    stack.upload("doe-roe/trial", DROP)
    assert stack.results("doe-roe/trial") == in_process(sample)


def test_a_second_time_and_with_four_workers_the_bytes_are_the_same(stack: Up, sample: Crossed, tmp_path: Path) -> None:
    stack.upload("doe-roe/second", DROP)
    with up(tmp_path / "four", concurrency=4) as wide:
        wide.upload("doe-roe/trial", DROP)
        assert wide.results("doe-roe/trial") == in_process(sample)
        one = Up(wide.facts, wide.state, wide.process)
        assert one.facts["bucket"] == "caseferry"
    assert stack.results("doe-roe/second") == in_process(sample)


def test_status_and_report_show_a_run_and_release_lets_a_held_one_go(stack: Up, tmp_path: Path) -> None:
    choices = CHOICES | {"account_owner": False}
    stack.upload("smith/one", {"migration.json": json.dumps(choices).encode(), "x.zip": packed(firm())})
    held = stack.wait_for("smith/one", "holds/admit-1.json")
    run = held.split("/")[4]
    shown = caseferry("status", "--state", str(stack.state), "--json")
    line = next(r for r in json.loads(shown.stdout) if r["run"] == run)
    assert (line["firm"], line["state"], line["waits_for"]) == ("smith", "held", "CF-125")
    early = caseferry("report", run, "--state", str(stack.state), "--out", str(tmp_path))
    assert early.returncode == 3
    done = caseferry("release", run, "--by", "A. Specialist", "--state", str(stack.state))
    assert done.returncode == 0, done.stderr
    stack.wait_for("smith/one", "4-verify/ledger.json")
    report = caseferry("report", run, "--state", str(stack.state), "--out", str(tmp_path), "--no-open")
    assert report.returncode == 0 and (tmp_path / run / "report.html").is_file()
    assert "every row counted" in report.stdout


def test_a_large_object_goes_in_parts_and_comes_back_whole(stack: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_LARGEST", 1 << 20)
    monkeypatch.setattr(s3, "_PART", 5 << 20)
    facts = {name: stack.facts[name] for name in ("endpoint", "bucket", "access_key", "secret_key")}
    store = s3.S3Store(S3Settings.model_validate(facts | {"encryption": "none"}))
    whole, other, back = tmp_path / "whole", tmp_path / "other", tmp_path / "back"
    whole.write_bytes(random.Random(1).randbytes((11 << 20) + 7))
    other.write_bytes(b"x" * (6 << 20))
    assert store.put_file("migrations/large/one", whole)
    assert store.put_file("migrations/large/one", whole) is False or store.get("migrations/large/one") == whole.read_bytes()
    store.save("migrations/large/one", back)
    assert back.read_bytes() == whole.read_bytes()
    with other.open("rb") as file:
        assert store.put_file("migrations/large/span", Span(file, 1 << 20, 3 << 20))
    assert store.get("migrations/large/span") == b"x" * (3 << 20)
    assert store.put_file("migrations/large/one", other) is False and store.get("migrations/large/one") == whole.read_bytes()


def test_objects_are_laid_behind_each_other_by_the_server_once(stack: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {name: stack.facts[name] for name in ("endpoint", "bucket", "access_key", "secret_key")}
    store = s3.S3Store(S3Settings.model_validate(facts | {"encryption": "none"}))
    dice, copied = random.Random(5), list[str]()
    some = {f"migrations/joined/{number}": dice.randbytes(size) for number, size in enumerate((3, 11 << 20, 70, 2 << 20, 5 << 20, 1))}
    for key, data in some.items():
        store.put(key, data)
    real = store.client.upload_part_copy

    def copy(**words: Any) -> Any:
        copied.append(words["CopySourceRange"])
        return real(**words)

    monkeypatch.setattr(store.client, "upload_part_copy", copy)
    lengths = [(key, len(data)) for key, data in some.items()]
    assert store.join("migrations/joined/whole", b"head", lengths)
    assert store.get("migrations/joined/whole") == b"head" + b"".join(some.values()) and copied
    assert store.join("migrations/joined/whole", b"other", lengths[:2]) is False and store.get("migrations/joined/whole").startswith(b"head")

    def refused(**_: Any) -> Any:
        raise PassingFault("it can't copy")

    monkeypatch.setattr(store.client, "upload_part_copy", refused)
    assert store.join("migrations/joined/fetched", b"", lengths) and store.get("migrations/joined/fetched") == b"".join(some.values())
    flipped, read = set[str](), store.get_range

    def flips_once(key: str, start: int, length: int) -> bytes:
        data = read(key, start, length)
        if key in flipped:
            return data
        flipped.add(key)
        return data[:-1] + bytes([data[-1] ^ 1])

    monkeypatch.setattr(store, "get_range", flips_once)
    assert store.join("migrations/joined/flipped", b"", lengths) and store.get("migrations/joined/flipped") == b"".join(some.values())
    monkeypatch.setattr(store, "get_range", read)

    def wants_other_parts(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "InvalidPart"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "CompleteMultipartUpload")  # type: ignore[typeddict-item]

    monkeypatch.setattr(store.client, "complete_multipart_upload", wants_other_parts)
    assert store.join("migrations/joined/sent", b"head", lengths) and store.get("migrations/joined/sent") == b"head" + b"".join(some.values())
    for rest in ([*lengths, ("migrations/joined/none", 6 << 20)], [("migrations/joined/0", 4)]):
        with pytest.raises(KeyError):
            store.join("migrations/joined/never", b"", rest)
    assert store.stat("migrations/joined/never") is None


def test_batches_laid_side_by_side_on_a_stack_give_the_same_bytes(sample: Crossed, tmp_path: Path) -> None:
    work = {"CASEFERRY_WORK__LAY_WINDOW": "3", "CASEFERRY_WORK__PART_ROWS": "1000", "CASEFERRY_WORK__BATCH_ROWS": "1000"}
    with up(tmp_path / "apart", environment=work) as running:
        running.upload("doe-roe/trial", DROP)
        assert running.results("doe-roe/trial") == in_process(sample)
        assert sum(key.endswith(".json") and "/3-merge/laid/" in key for key in running.keys("doe-roe/trial")) > 2


def test_a_file_goes_ahead_while_it_grows_and_nobody_sees_it_before_it_is_done(stack: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "STRETCH", 5 << 20)
    facts = {name: stack.facts[name] for name in ("endpoint", "bucket", "access_key", "secret_key")}
    store = s3.S3Store(S3Settings.model_validate(facts | {"encryption": "none"}))
    data, path = random.Random(3).randbytes((17 << 20) + 7), tmp_path / "grows"
    for key in ("migrations/grown/one", "migrations/grown/one", "migrations/grown/two"):
        path.write_bytes(b"")
        before = {stat.key for stat in store.listing("migrations/grown/")}
        with stores.Sending(store) as sending:
            for start in range(0, len(data), 3 << 20):
                with path.open("ab") as file:
                    file.write(data[start : start + (3 << 20)])
                sending.grow(key, path)
            seen = {stat.key for stat in store.listing("migrations/grown/")}
            sending.send(key, path)
        assert seen == before
        assert store.get(key) == data
    other = b"of another" * (1 << 20)
    path.write_bytes(other)
    with stores.Sending(store) as sending:  # the first one stands
        sending.grow("migrations/grown/one", path)
        sending.send("migrations/grown/one", path)
    assert store.get("migrations/grown/one") == data
    with pytest.raises(KeyError), stores.Sending(store) as sending:  # and what is not ended leaves nothing
        sending.grow("migrations/grown/three", path)
        raise KeyError
    assert store.stat("migrations/grown/three") is None
    assert not store.client.list_multipart_uploads(Bucket=store.bucket, Prefix="migrations/grown/").get("Uploads")


@pytest.mark.parametrize("part", [256 << 20, 5 << 20])
def test_the_store_copies_the_version_that_was_read_and_nothing_else(stack: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(s3, "_PART", part)
    facts = {name: stack.facts[name] for name in ("endpoint", "bucket", "access_key", "secret_key")}
    store = s3.S3Store(S3Settings.model_validate(facts | {"encryption": "none"}))
    home, read, sent = f"migrations/copied-{part}/", tmp_path / "read", list[str]()
    read.write_bytes(random.Random(2).randbytes((11 << 20) + 7))
    store.put_file(f"{home}source", read)
    source = store.stat(f"{home}source")
    assert source is not None
    real = store.put_file

    def noted(key: str, file: Path) -> bool:
        sent.append(key)
        return real(key, file)

    monkeypatch.setattr(store, "put_file", noted)

    is_told = store.copy(f"{home}one", source, read)
    assert is_told or part < source.size  # of a copy in parts this server's tag is no digest of their digests, as S3's is
    assert store.get(f"{home}one") == read.read_bytes() and not sent
    assert store.copy(f"{home}one", source, read) is False  # the first one stands
    store.put(f"{home}source", b"another")  # what was read is there no more: our own bytes are sent
    assert store.copy(f"{home}two", source, read) is False
    store.delete(f"{home}source")
    assert store.copy(f"{home}three", source, read) is False
    assert store.get(f"{home}two") == store.get(f"{home}three") == read.read_bytes()
    assert sent == [f"{home}one", f"{home}two", f"{home}three"]


def test_loose_files_wait_for_the_one_that_closes_the_drop(stack: Up) -> None:
    files = {"cards.csv": firm()["cards.csv"], "matters.csv": firm()["matters.csv"]}
    stack.upload("loose/one", {name: str(data).encode() for name, data in files.items()})
    time.sleep(1)
    assert stack.keys("loose/one") == []
    stack.upload("loose/one", {"migration.json": json.dumps(CHOICES).encode()})
    ledger = json.loads(stack.get(stack.wait_for("loose/one", "4-verify/ledger.json")))
    assert ledger["state"] == "completed"


def test_a_watched_folder_feeds_the_same_bucket(stack: Up) -> None:
    home = stack.state.parent / "watched" / "folder-firm" / "one"
    home.mkdir(parents=True)
    (home / "migration.json").write_text(json.dumps(CHOICES))
    (home / "x.zip").write_bytes(packed(firm()))
    stack.wait_for("folder-firm/one", "4-verify/ledger.json")


def marked_export() -> dict[str, bytes]:
    """A firm in which every cell carries the mark, wherever a cell can."""
    cards = f"First Name,Last Name,Organisation,Email,Mobile,Mystery\n{MARK}A,{MARK}B,{MARK}C,{MARK}@x.example,{MARK} 0412 345 678,{MARK}D\n,,,,,{MARK}lost\n"
    matters = f"Matter No,Description,Client,Status,Person Responsible\n{MARK}-1,{MARK}E,{MARK}A {MARK}B,{MARK}F,{MARK}G\n"
    notes = f'Date,Subject,File Note,Matter No\n31/05/2024,{MARK}H,"{MARK}I ""{MARK}""",{MARK}-2\n{MARK}J,{MARK}K,{MARK}L,{MARK}-1\n'
    time_ = f"Date,Matter No,Staff,Hours,Rate,Amount,Description\n31/05/2024,{MARK}-1,{MARK}M,{MARK}1,{MARK}2,{MARK}3,{MARK}N\n"
    broken = f'{MARK}O,{MARK}P\n"{MARK}Q,{MARK}R\n'
    lists = {f"{MARK}cards.csv": cards, f"{MARK}m.csv": matters, f"n{MARK}.csv": notes, "t.csv": time_, "b.csv": broken, f"Documents/{MARK}/x.rtf": "{\\rtf1 " + MARK}
    choices = CHOICES | {"users": [{"name": f"{MARK}U", "email": f"{MARK}u@x.example"}], "primary_subscriber": f"{MARK}u@x.example", "firm_name": f"{MARK}Z"}
    return {"migration.json": json.dumps(choices).encode(), f"{MARK}export.zip": packed(lists)}


def hits(folder: Path) -> list[str]:
    """Files of the state folder, the object store's own data left out, that hold the mark."""
    outside = [p for p in folder.rglob("*") if p.is_file() and "weed" not in p.relative_to(folder).parts and p.name != "s3.log"]
    return [str(p) for p in outside if MARK.encode() in p.read_bytes()]


def test_no_value_of_a_client_is_found_outside_the_bucket(stack: Up, tmp_path: Path) -> None:
    from workers.commands.receiver import Receiver

    receiver = Receiver()
    receiver.start()
    endpoint = json.dumps([{"id": "canary", "url": receiver.url, "secret": receiver.secret}])
    environment = {"CASEFERRY_WEBHOOK__ENDPOINTS": endpoint, "CASEFERRY_WEBHOOK__ALLOW_NETWORKS": '["127.0.0.0/8"]', "CASEFERRY_LOG__LEVEL": "debug"}
    try:
        with up(tmp_path / "canary", environment=environment) as marked:
            marked.upload("canary/one", marked_export())
            bad = marked_export() | {f"{MARK}export.zip": packed({"a.csv": f"{MARK}1,{MARK}2\n{MARK},{MARK}\n"})}
            marked.upload("canary/two", bad)
            marked.wait_for("canary/one", "4-verify/ledger.json")
            marked.wait_for("canary/two", "refused.json")
            processes = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
            deadline = time.monotonic() + 120
            while len(receiver.ids) < 7 and time.monotonic() < deadline:
                time.sleep(0.1)
        logs = (tmp_path / "canary" / "worker.log").read_text()
        assert MARK not in processes
        assert hits(tmp_path / "canary") == []
        assert "step_done" in logs and (tmp_path / "canary" / "valkey").is_dir()
        assert MARK not in (tmp_path / "canary.err").read_text()
        assert len(receiver.ids) >= 7 and not receiver.refused
        assert MARK not in json.dumps(list(receiver.ids.values()))
    finally:
        receiver.stop()


def test_nothing_is_left_running_after_the_demo(tmp_path: Path) -> None:
    started = time.monotonic()
    done = caseferry("demo", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert "every row counted" in done.stdout and "events signed" in done.stdout
    assert (tmp_path / "out" / "report.html").is_file()
    assert time.monotonic() - started < 300  # a first crossing in five minutes, on any machine
    left = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert "caseferry-demo-" not in left


def test_the_json_of_a_crossing_is_on_standard_output_alone(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(packed(firm(matters=ONE_MATTER)))
    (tmp_path / "migration.json").write_text(json.dumps(CHOICES))
    done = caseferry("run", str(tmp_path / "x.zip"), "--out", str(tmp_path / "out"), "--json")
    found: Any = json.loads(done.stdout)
    assert found["state"] == "completed" and done.returncode == 0
    assert not re.search(r"\x1b\[", done.stdout + done.stderr)


def test_the_doctor_finds_this_stack_well_and_says_what_is_wrong_with_another(stack: Up) -> None:
    well = caseferry("doctor", "--state", str(stack.state), "--json")
    found = json.loads(well.stdout)
    assert well.returncode == 0 and found["ready"], found
    assert {"bucket", "bucket.private", "broker.eviction", "broker.persistence", "clock", "scratch", "readers", "workers", "audit.signed"} <= {c["name"] for c in found["conditions"] if c["passed"]}
    facts = stack.facts
    ill = caseferry(
        "doctor", CASEFERRY_S3__BUCKET=facts["bucket"], CASEFERRY_S3__ENDPOINT=facts["endpoint"], CASEFERRY_S3__ACCESS_KEY=facts["access_key"],
        CASEFERRY_S3__SECRET_KEY="wrong", CASEFERRY_S3__ENCRYPTION="none", CASEFERRY_BROKER__URL="redis://127.0.0.1:1/0",
    )  # fmt: skip
    assert ill.returncode == 1
    assert "✗ bucket.encryption" in ill.stdout and "Do: set CASEFERRY_S3__ENCRYPTION" in ill.stdout and "✗ broker" in ill.stdout
    assert facts["secret_key"] not in ill.stdout + ill.stderr


def test_the_log_of_a_run_verifies_in_the_bucket_and_offline_and_shows_when_it_was_touched(stack: Up, tmp_path: Path) -> None:
    stack.upload("audited/one", {"migration.json": json.dumps(CHOICES).encode(), "x.zip": packed(firm())})
    run = stack.wait_for("audited/one", "4-verify/ledger.json").split("/")[4]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        live = caseferry("audit", "verify", run, "--state", str(stack.state), "--json")
        told = json.loads(live.stdout)
        if told["whole"]:
            break
        time.sleep(0.5)  # the last entry is written right after the proof
    assert told == {"whole": True, "entries": 7, "problems": [], "signatures": True}, told
    caseferry("report", run, "--state", str(stack.state), "--out", str(tmp_path), "--no-open")
    offline = caseferry("audit", "verify", str(tmp_path / run))
    assert offline.returncode == 0 and "✓ whole: 7 entries, 1 objects" in offline.stdout, offline.stdout
    (tmp_path / run / "ledger.json").write_bytes((tmp_path / run / "ledger.json").read_bytes() + b" ")
    touched = caseferry("audit", "verify", str(tmp_path / run))
    assert touched.returncode == 1 and "entry 7 tells of another version of 4-verify/ledger.json" in touched.stdout


def test_a_worker_that_ended_is_started_again(stack: Up) -> None:
    import os
    import signal

    listed = subprocess.run(["ps", "axww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    mine = [line.split() for line in listed if f"{stack.state}/beat" in line and line.split()[1] == str(stack.process.pid)]
    os.killpg(int(mine[0][0]), signal.SIGKILL)
    stack.upload("after/one", {"migration.json": json.dumps(CHOICES).encode(), "x.zip": packed(firm())})
    ledger = json.loads(stack.get(stack.wait_for("after/one", "4-verify/ledger.json")))
    assert ledger["state"] == "completed"
