"""Carries a run across in processes that die where they are told to.

A parent that has everything imported forks one child for each order; it has run no query, because Polars does not
survive a fork after one. Points are counted at every write the child makes: before it, within it, after it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from caseferry.services.folder import FolderStore
from caseferry.services.scratch import Span

_ROOT = Path(__file__).parents[2]


OUTSIDE = "outside"
"""What happens before the first step and after the last."""


class MortalStore(FolderStore):
    """A bucket whose every write is three places to die at, counted anew for each step."""

    def __init__(self, root: Path, deaths: dict[str, int], report: int) -> None:
        super().__init__(root)
        self.deaths, self.report, self.turn = deaths, report, threading.RLock()
        self.step, self.points = OUTSIDE, Counter[str]()

    def _point(self) -> None:
        self.points[self.step] += 1
        if self.points[self.step] == self.deaths.get(self.step):
            os.write(self.report, json.dumps({"died": self.step}).encode())
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def _staged(self, key: str, data: bytes | Path | Span | Iterable[bytes]) -> Iterator[str]:
        with self.turn:  # one write at a time, so that a number means one place
            self._point()
            with super()._staged(key, data) as staged:
                self._point()
                yield staged
            self._point()

    def delete(self, key: str) -> None:
        with self.turn:
            self._point()
            super().delete(key)
            self._point()


class Mortals:
    """The forking parent, as the campaign sees it."""

    def __init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CASEFERRY_")} | {"POLARS_MAX_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.mortal"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, cwd=_ROOT, env=environment,
        )  # fmt: skip

    def live(self, bucket: Path, key: str, settings: dict[str, Any], deaths: dict[str, int]) -> dict[str, Any]:
        """Ring for `key` and carry the run on until it rests, or until death at the n-th point of a step.

        Args:
            deaths: by the step's name, the point at which to die in it.

        Returns:
            The step it `died` in, or the `state` it came to and how many `points` were passed in each step.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"bucket": str(bucket), "key": key, "deaths": deaths, "settings": settings}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def leftovers(self) -> dict[str, int]:
        """Children that were not reaped, and open files, of the forking parent."""
        children = subprocess.run(["ps", "--ppid", str(self.process.pid), "-o", "stat="], capture_output=True, text=True, check=False).stdout.split()
        return {"zombies": sum(1 for state in children if state.startswith("Z")), "files": len(os.listdir(f"/proc/{self.process.pid}/fd"))}

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


def _one(order: dict[str, Any], report: int) -> None:
    """The child: everything a worker does with a run, over a bucket of files."""
    from caseferry.reading import guard
    from config.settings import Settings
    from tasks.intake.arrive import arrive
    from tasks.journey import Ticket
    from tasks.news import tell
    from tasks.stage import Services, run_of
    from tasks.stage import perform as perform_one
    from tests.crossing import noon
    from workers import inprocess

    guard._known[0].owner = os.getpid()  # one child at a time speaks with the readers
    store = MortalStore(Path(order["bucket"]), order["deaths"], report)
    real = perform_one

    def perform(services: Services, ticket: Ticket) -> bool:
        store.step = ticket.name
        done = real(services, ticket)
        store.step = OUTSIDE
        return done

    setattr(inprocess, "perform", perform)  # noqa: B010  the name the journey in one process calls
    services = Services(store, Settings(_env_file=None, **order["settings"]), clock=noon, tell=tell)
    tickets = arrive(services, order["key"])
    state = inprocess.cross(services, run_of(tickets[0]))
    os.write(report, json.dumps({"died": "", "state": state, "points": store.points}).encode())


def main() -> None:
    import importlib
    import logging

    from caseferry.mapping.profile import load_profile
    from caseferry.mapping.target import load_target
    from caseferry.reading import guard
    from tasks.journey import JOURNEY
    from tasks.verify import report_html

    logging.disable(logging.CRITICAL)
    import structlog

    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(open(os.devnull, "w")))  # noqa: SIM115
    for step in JOURNEY:
        importlib.import_module(step.room.split(":")[0])
    load_profile("leap")
    load_target("clio")
    report_html.template()
    guard.start()
    with guard._known[0].lock:
        guard._known[0]._confirm()
    for line in sys.stdin:
        mine, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(mine)
            try:
                _one(json.loads(line), theirs)
            except BaseException as error:
                os.write(theirs, json.dumps({"died": "", "state": f"{type(error).__name__}: {error}", "points": {}}).encode())
            os._exit(0)
        os.close(theirs)
        said = b""
        while more := os.read(mine, 65536):
            said += more
        os.close(mine)
        os.waitpid(child, 0)
        print(said.decode(), flush=True)


if __name__ == "__main__":
    main()
