"""`caseferry up` as a user has it: a process of its own, an endpoint, a bucket, keys."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


@dataclass
class Up:
    facts: dict[str, str]
    state: Path
    process: subprocess.Popen[str]

    @cached_property
    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.facts["endpoint"], aws_access_key_id=self.facts["access_key"], aws_secret_access_key=self.facts["secret_key"],
            region_name="us-east-1", config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip

    def upload(self, where: str, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            self.client.put_object(Bucket=self.facts["bucket"], Key=f"drops/{where}/{name}", Body=data)

    def keys(self, where: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.facts["bucket"], Prefix=f"migrations/{where}/")
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def runs(self, where: str) -> list[str]:
        """Where each run of a migration lies."""
        listed = self.client.list_objects_v2(Bucket=self.facts["bucket"], Prefix=f"migrations/{where}/runs/", Delimiter="/")
        return [item["Prefix"] for item in listed.get("CommonPrefixes", ())]

    def is_there(self, key: str) -> bool:
        try:
            self.client.head_object(Bucket=self.facts["bucket"], Key=key)
        except ClientError:
            return False
        return True

    def wait_for(self, where: str, name: str, seconds: float = 600) -> str:
        """The key of an object of a run, once it lies there. One object is asked for, and more rarely the longer it takes: to
        list a run again and again, or to ask twenty times a second, would take a good part of a core from those at work on it."""
        began = time.monotonic()
        deadline = began + seconds
        homes, looks = list[str](), 0
        while time.monotonic() < deadline:
            if looks % 20 == 0 or not homes:
                homes = self.runs(where)
            looks += 1
            for home in homes:
                if self.is_there(home + name):
                    return home + name
            assert self.process.poll() is None, "the stack ended"
            time.sleep(max(0.05, (time.monotonic() - began) / 200))
        raise AssertionError(f"no {name} within {seconds} s; there is: {self.keys(where)[-8:]}")

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.facts["bucket"], Key=key)["Body"].read()
        return data

    def results(self, where: str) -> dict[str, bytes]:
        """What a run hands over: import files and ledger."""
        self.wait_for(where, "4-verify/ledger.json")
        wanted = [key for key in self.keys(where) if "/3-merge/files/" in key or key.endswith(("ledger.json", "report.html", "report.xlsx"))]
        return {key.rsplit("/", 1)[1]: self.get(key) for key in wanted}


@contextmanager
def up(state: Path, *words: str, concurrency: int = 2, environment: dict[str, str] | None = None) -> Iterator[Up]:
    command = [sys.executable, "-m", "workers.commands", "up", "--state", str(state), "--concurrency", str(concurrency), *words]
    with (state.parent / f"{state.name}.err").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | (environment or {}))
    try:
        lines: list[str] = []
        assert process.stdout is not None
        killer = threading.Timer(300, process.kill)
        killer.start()
        for line in process.stdout:
            lines.append(line)
            if line.startswith("}"):
                break
        killer.cancel()
        yield Up(json.loads("".join(lines)), state, process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(120)
        finally:
            process.kill()


def caseferry(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command line, to its end."""
    command = [sys.executable, "-m", "workers.commands", *words]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=600, check=False)
