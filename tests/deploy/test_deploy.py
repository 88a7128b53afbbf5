"""What is deployed, checked as far as no engine is needed, and the path from S3 to SQS to a worker for real."""

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from caseferry.services.s3 import S3Store
from config.settings import S3Settings, Settings
from tests.conftest import SAMPLE
from workers.app import PATIENT, QUEUES, make_app
from workers.embedded import prepare, start_servers, stop

DEPLOY = Path(__file__).parents[2] / "deploy"
AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_the_cloudformation_template_is_sound() -> None:
    done = subprocess.run([str(Path(sys.executable).with_name("cfn-lint")), str(DEPLOY / "aws.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.requirement("A04")
def test_the_bucket_is_private_encrypted_and_for_tls_only() -> None:
    text = (DEPLOY / "aws.yaml").read_text()
    assert all(f"{name}: true" in text for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets", "EnableKeyRotation"))
    assert "aws:SecureTransport" in text and "maxReceiveCount: 5" in text


def test_compose_runs_every_queue_and_no_process_as_root() -> None:
    services = compose()["services"]
    ours = {name: s for name, s in services.items() if s.get("image", "").startswith("caseferry")}
    served = [q for s in ours.values() if "-Q" in s["command"] for q in s["command"][s["command"].index("-Q") + 1].split(",")]
    assert sorted(served) == sorted(QUEUES)
    for name, service in ours.items():
        assert service["read_only"] and service["user"] == "10001" and service["cap_drop"] == ["ALL"], name
        assert service["stop_grace_period"] == "120s" and service["restart"] == "always"
        assert isinstance(service["command"], list)
        assert "healthcheck" in service or name == "beat"
    assert "noeviction" in services["valkey"]["command"] and "--appendonly" in services["valkey"]["command"]
    assert set(ours) == {"listener", "worker", "patient", "webhooks", "control", "suspect", "beat"}


def test_the_settings_in_it_are_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for line in (DEPLOY / "caseferry.env.example").read_text().splitlines() if "=" in line]
    for line in lines:
        name, _, value = line.removeprefix("# ").partition("=")
        monkeypatch.setenv(name, value.replace("whsec_...", "whsec_AAAA") if value != "..." else "A" * 43 + "=")
    settings = Settings(_env_file=None)
    assert settings.events.webhook_port == 8971
    assert settings.webhook.endpoints[0].id == "board"
    hook = tomllib.loads((DEPLOY / "seaweedfs" / "notification.toml").read_text())["notification"]["webhook"]
    assert hook["endpoint"].endswith(f"listener:{settings.events.webhook_port}/s3-events")


def test_the_image_runs_as_nobody_and_in_exec_form() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "USER 10001" in text and "--require-hashes" in text
    assert all(line.startswith("CMD [") for line in text.splitlines() if line.startswith("CMD"))
    for line in text.splitlines():
        if line.startswith("COPY") and "--from" not in line:
            assert all((DEPLOY.parent / word).exists() for word in line.split()[1:-1]), line


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://h:6379/0", "sentinel://h:26379", "amqp://h//", "sqs://a:b@h"])
def test_every_broker_gets_the_settings_that_keep_its_promises(url: str) -> None:
    app = make_app(Settings(_env_file=None, broker={"url": url, "master_name": "caseferry"}))
    conf = app.conf
    assert conf.task_acks_late and conf.task_reject_on_worker_lost and conf.task_retry_on_worker_lost
    assert conf.result_backend is None and conf.accept_content == ["json"] and conf.worker_prefetch_multiplier == 1
    assert conf.worker_pool_start_method == "spawn" and not conf.worker_hijack_root_logger
    assert {q.name for q in conf.task_queues} == set(QUEUES)
    assert [q.routing_key for q in conf.task_queues] == list(QUEUES)
    options = conf.broker_transport_options
    if "redis" in url or "sentinel" in url:
        assert options["visibility_timeout"] > 600 * PATIENT + 60 + 200 > conf.task_time_limit
        assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] == 10
    elif url.startswith("amqp"):
        assert options == {"confirm_publish": True} and conf.task_default_queue_type == "quorum"


def test_what_beat_sends_can_be_sent_and_is_known() -> None:
    from celery.beat import Scheduler

    import workers.carriers

    app = make_app(Settings(_env_file=None, broker={"url": "memory://"}))
    app.finalize()
    assert workers.carriers.CARRIERS
    scheduler = Scheduler(app=app, lazy=True)
    for name, entry in app.conf.beat_schedule.items():
        assert entry["task"] in app.tasks
        scheduler.apply_async(scheduler.Entry(name=name, app=app, **entry), advance=False)  # raises where the limits do not fit


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    os.environ.update(AWS)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    for name in AWS:
        del os.environ[name]


@pytest.mark.requirement("A04")
def test_what_is_written_is_encrypted_and_a_public_bucket_stops_the_start(aws: str) -> None:
    settings = S3Settings.model_validate({"bucket": "private-one", "endpoint": aws, "access_key": "test", "secret_key": "test"})
    store = S3Store(settings)
    store.client.create_bucket(Bucket="private-one")
    assert store.put_once("a", b"1") and not store.put_once("a", b"2")
    assert store.client.head_object(Bucket="private-one", Key="a")["ServerSideEncryption"] == "AES256"
    data, tag = store.get_tagged("a")
    assert data == b"1" and store.swap("a", b"3", tag) and not store.swap("a", b"4", tag)
    assert not store.is_public()
    everyone = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::private-one/*"}]}
    store.client.put_bucket_policy(Bucket="private-one", Policy=json.dumps(everyone))
    assert store.is_public()
    environment = os.environ | {
        "CASEFERRY_S3__BUCKET": "private-one", "CASEFERRY_S3__ENDPOINT": aws, "CASEFERRY_S3__ACCESS_KEY": "test", "CASEFERRY_S3__SECRET_KEY": "test",
        "CASEFERRY_EVENTS__WEBHOOK_PORT": "0",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "workers.commands", "listen"], env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1 and "CF-134" in done.stderr


@pytest.mark.journey
@pytest.mark.parametrize("broker", ["redis", "sqs"])
def test_an_upload_to_s3_goes_through_sqs_to_a_real_worker(aws: str, tmp_path: Path, broker: str) -> None:
    """The stack as the template makes it, on a local AWS: bucket, queue, notification; then listener and worker."""
    bucket = f"caseferry-{broker}"
    cloud = boto3.client("cloudformation", endpoint_url=aws)
    cloud.create_stack(
        StackName=bucket, TemplateBody=json.dumps(without_anchors()),
        Parameters=[{"ParameterKey": "BucketName", "ParameterValue": bucket}, {"ParameterKey": "Principal", "ParameterValue": "arn:aws:iam::123456789012:root"}],
    )  # fmt: skip
    outputs = {o["OutputKey"]: o["OutputValue"] for o in cloud.describe_stacks(StackName=bucket)["Stacks"][0]["Outputs"]}
    client = boto3.client("s3", endpoint_url=aws)
    if not client.get_bucket_notification_configuration(Bucket=bucket).get("QueueConfigurations"):
        wire_as_the_template_says(aws, bucket, outputs["UploadsQueueUrl"])
    stack = prepare(tmp_path / "state")
    port = aws.rsplit(":", 1)[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CASEFERRY_")} | {
        "CASEFERRY_S3__BUCKET": outputs["Bucket"], "CASEFERRY_S3__ENDPOINT": aws, "CASEFERRY_S3__ACCESS_KEY": "test", "CASEFERRY_S3__SECRET_KEY": "test",
        "CASEFERRY_EVENTS__SQS_QUEUE_URL": outputs["UploadsQueueUrl"], "CASEFERRY_EVENTS__SQS_ENDPOINT": aws,
        "CASEFERRY_BROKER__URL": stack.broker if broker == "redis" else f"sqs://test:test@127.0.0.1:{port}", "CASEFERRY_BROKER__IS_SECURE": "false",
        "POLARS_MAX_THREADS": "1",
    }  # fmt: skip
    processes = []
    try:
        if broker == "redis":
            start_servers(stack)
        worker = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", ",".join(QUEUES), "--concurrency", "2", "--without-gossip", "--without-mingle", "-l", "warning"]
        with (tmp_path / "worker.log").open("wb") as out:
            for command in ([sys.executable, "-m", "workers.commands", "listen"], worker):
                processes.append(subprocess.Popen(command, env=environment, stdout=out, stderr=out))
        client.put_object(Bucket=bucket, Key="drops/doe roe/bad", Body=b"not a firm's id")
        client.put_object(Bucket=bucket, Key="drops/doe-roe/trial/migration.json", Body=(SAMPLE / "migration.json").read_bytes())
        client.put_object(Bucket=bucket, Key="drops/doe-roe/trial/LEAP export+1.zip", Body=(SAMPLE / "LEAP-export.zip").read_bytes())
        deadline = time.monotonic() + 300
        found: list[str] = []
        while not found and time.monotonic() < deadline:
            assert all(p.poll() is None for p in processes), (tmp_path / "worker.log").read_text()[-2000:]
            time.sleep(0.3)
            page = client.list_objects_v2(Bucket=bucket, Prefix="migrations/doe-roe/trial/runs/")
            found = [o["Key"] for o in page.get("Contents", ()) if o["Key"].endswith("4-verify/ledger.json")]
        assert found, (tmp_path / "worker.log").read_text()[-2000:]
        ledger = json.loads(client.get_object(Bucket=bucket, Key=found[0])["Body"].read())
        assert ledger["state"] == "completed_with_differences"
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
        stop(stack)


def without_anchors() -> Any:
    """The template as JSON, its short forms written out."""

    class Loader(yaml.SafeLoader):
        pass

    def expand(loader: Any, suffix: str, node: Any) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return {f"Fn::{suffix}": loader.construct_sequence(node, deep=True)}
        value = loader.construct_scalar(node)
        return {"Ref": value} if suffix == "Ref" else {f"Fn::{suffix}": value.split(".") if suffix == "GetAtt" else value}

    Loader.add_multi_constructor("!", expand)
    return yaml.load((DEPLOY / "aws.yaml").read_text(), Loader=Loader)


def wire_as_the_template_says(aws: str, bucket: str, queue: str) -> None:
    """The local AWS leaves a stack's bucket notification out: put the template's own there."""
    template = without_anchors()
    wanted = template["Resources"]["Bucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"][0]
    arn = boto3.client("sqs", endpoint_url=aws).get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules = [{"Name": r["Name"].lower(), "Value": r["Value"]} for r in wanted["Filter"]["S3Key"]["Rules"]]
    configuration: Any = {"QueueConfigurations": [{"QueueArn": arn, "Events": [wanted["Event"]], "Filter": {"Key": {"FilterRules": rules}}}]}
    boto3.client("s3", endpoint_url=aws).put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
