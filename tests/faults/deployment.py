"""A whole deployment on this computer, each of its processes to be killed, starved or lied to by itself."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from tests.crossing import CHOICES
from tests.faults.proxy import Proxy
from workers.embedded import BUCKET, Stack, answers, client_of, prepare, start_servers, wait_until_ready

_SITE = Path(__file__).parent / "site"
QUICK = {
    "CASEFERRY_WORK__RECONCILE_EVERY": "PT1S", "CASEFERRY_WORK__SWEEP_EVERY": "PT2S", "CASEFERRY_WORK__HEARTBEAT": "PT0.5S",
    "CASEFERRY_WORK__SILENT_AFTER": "PT3S", "CASEFERRY_WORK__STALLED_AFTER": "PT2S",
}  # fmt: skip
"""The clocks of the reconciler, run faster, so that a campaign sees many faults in its time."""


class Deployment:
    """Valkey, S3 server, listener, a beat, and any number of workers, each with a process group of its own."""

    def __init__(self, folder: Path, quick: bool = True, environment: dict[str, str] | None = None) -> None:
        self.stack: Stack = prepare(folder / "state")
        self.environment = {**(QUICK if quick else {}), **(environment or {})}
        self.workers: list[subprocess.Popen[bytes]] = []
        self.others: list[subprocess.Popen[bytes]] = []
        self.proxies: list[Proxy] = []
        self.extras: dict[int, dict[str, str]] = {}
        self.log = folder / "processes.log"
        start_servers(self.stack)
        wait_until_ready(self.stack)
        self.client: Any = client_of(self.stack)

    def proxy(self, what: str) -> Proxy:
        """Put a proxy before the broker or the store, for every process that is started from now on."""
        made = Proxy(self.stack.ports["valkey" if what == "broker" else "s3"])
        self.proxies.append(made)
        if what == "broker":
            self.environment["CASEFERRY_BROKER__URL"] = f"redis://127.0.0.1:{made.port}/0"
        else:
            self.environment["CASEFERRY_S3__ENDPOINT"] = f"http://127.0.0.1:{made.port}"
        return made

    def all_environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(_SITE), str(Path(__file__).parents[2])])
        return self.stack.environment() | {"PYTHONPATH": path} | self.environment

    def _spawn(self, command: list[str], **extra: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=self.all_environment() | extra, start_new_session=True
            )
        self.extras[process.pid] = extra
        return process

    def start(self, workers: int = 2, concurrency: int = 1, queues: str = "events,parts,merge,long,webhooks,suspect", **extra: str) -> None:
        """The listener, a beat with its own little worker, and the workers."""
        self.others = [
            self._spawn([sys.executable, "-m", "workers.commands", "listen"]),
            self._spawn(self._worker("control", 1, "control", "-B", "-s", str(self.stack.state / "beat"))),
        ]
        deadline = time.monotonic() + 120
        while not answers(self.stack.ports["hook"]) and time.monotonic() < deadline:
            time.sleep(0.05)  # the store tells of an upload once: somebody has to listen
        for number in range(workers):
            self.workers.append(self._spawn(self._worker(queues, concurrency, f"w{number}"), **extra))

    def _worker(self, queues: str, concurrency: int, name: str, *more: str) -> list[str]:
        return [
            sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queues, "--concurrency", str(concurrency),
            "--without-gossip", "--without-mingle", "-n", f"{name}@faults", "-l", "warning", *more,
        ]  # fmt: skip

    def add_worker(self, concurrency: int = 1, queues: str = "events,parts,merge,long,webhooks,suspect", wrap: tuple[str, ...] = (), **extra: str) -> subprocess.Popen[bytes]:
        process = self._spawn([*wrap, *self._worker(queues, concurrency, f"w{len(self.workers)}-{time.monotonic_ns()}")], **extra)
        self.workers.append(process)
        return process

    def revive(self) -> int:
        """Start again what ended, as a supervisor would."""
        again = 0
        for crew in (self.workers, self.others):
            for place, process in enumerate(crew):
                if process.poll() is not None:
                    crew[place] = self._spawn([str(word) for word in process.args], **self.extras[process.pid])  # type: ignore[union-attr]
                    again += 1
        return again

    def redis(self) -> Any:
        return redis.Redis.from_url(self.stack.broker)

    def upload(self, where: str, data: bytes, name: str = "x.zip", choices: dict[str, Any] | None = None) -> None:
        self.client.put_object(Bucket=BUCKET, Key=f"drops/{where}/migration.json", Body=json.dumps(choices or CHOICES).encode())
        self.client.put_object(Bucket=BUCKET, Key=f"drops/{where}/{name}", Body=data)

    def keys(self, where: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"migrations/{where}/runs/")
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def forget(self, where: str) -> None:
        """A migration goes from the bucket and its messages from the broker, as if it had never come."""
        for prefix in (f"drops/{where}/", f"migrations/{where.split('/')[0]}/"):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
                for item in page.get("Contents", ()):
                    self.client.delete_object(Bucket=BUCKET, Key=item["Key"])
        self.redis().flushall()

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return data

    def wait(self, where: str, *endings: str, seconds: float = 600, revive: bool = True) -> str:
        """The first key that ends so, once it lies there."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if revive:
                self.revive()
            found = [key for key in self.keys(where) if key.endswith(endings)]
            if found:
                return found[0]
            time.sleep(0.2)
        raise AssertionError(f"{where}: no {endings} in {seconds} s; last: {[key.split('/', 5)[-1] for key in self.keys(where)][-6:]}")

    def results(self, where: str, seconds: float = 600) -> dict[str, bytes]:
        """What a run hands over, once it is at its end."""
        last = self.wait(where, "4-verify/ledger.json", "failed.json", "refused.json", seconds=seconds)
        assert last.endswith("ledger.json"), (where, last, self.get(last))
        keys = self.keys(where)
        return {key.rsplit("/", 1)[1]: self.get(key) for key in keys if "/3-merge/files/" in key or key.endswith(("ledger.json", "report.html", "report.xlsx", "changes.csv.gz"))}

    @staticmethod
    def kill(process: subprocess.Popen[bytes]) -> None:
        """A worker with all its processes, as if its computer had lost power."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def children(self, process: subprocess.Popen[bytes]) -> list[int]:
        """The pool of a worker: its children that run tasks."""
        found = subprocess.run(["ps", "--ppid", str(process.pid), "-o", "pid=,args="], capture_output=True, text=True, check=False).stdout
        return [int(line.split()[0]) for line in found.splitlines() if "spawn_main" in line or "multiprocessing" in line or "billiard" in line]

    def stop(self) -> None:
        for process in [*self.workers, *self.others]:
            self.kill(process)
        for proxy in self.proxies:
            proxy.stop()
        for server in self.stack.processes:
            with suppress(ProcessLookupError):
                server.kill()
            server.wait()
        self.stack.processes.clear()


@contextmanager
def deployed(folder: Path, *, quick: bool = True, **environment: Any) -> Iterator[Deployment]:
    made = Deployment(folder, quick, environment)
    try:
        yield made
    finally:
        made.stop()
