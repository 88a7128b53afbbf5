"""No room, or no place to write."""

import errno
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from caseferry.errors import CaseferryError
from caseferry.services.folder import FolderStore
from caseferry.services.scratch import Span
from config.settings import Settings
from tasks.news import tell
from tasks.stage import Services, run_of
from tests.crossing import noon
from tests.faults.campaign import Counts, Ground, fault
from tests.faults.crashes import is_whole, outcome
from tests.faults.order import begun
from workers.doctor import examine
from workers.inprocess import cross


@fault(41)
def the_disk_is_full(ground: Ground) -> Counts:
    """A bucket of files whose disk fills up in the middle of a write, now and then; and is given room again."""
    clean, first = begun(ground.folder / "clean")
    cross(clean, run_of(first))
    full, rounds = 0, ground.n(10, 2)
    for number in range(rounds):
        services, first = begun(ground.folder / f"round-{number}")

        class Cramped(FolderStore):
            @contextmanager
            def _staged(self, key: str, data: bytes | Path | Span | Iterable[bytes]) -> Iterator[str]:
                nonlocal full
                if ground.dice.random() < 0.08:
                    full += 1
                    with super()._staged(key, data[: len(data) // 2] if isinstance(data, bytes) else b""):
                        raise OSError(errno.ENOSPC, "No space left on device")
                with super()._staged(key, data) as name:
                    yield name

        cramped = Services(Cramped(services.store.root), services.settings, clock=noon, tell=tell)  # type: ignore[attr-defined]
        for _ in range(300):
            try:
                state = cross(cramped, run_of(first))
                if state.startswith("completed"):
                    break
                time.sleep(0.05)  # even that an attempt ended could not be written; it will be in a second
            except (CaseferryError, OSError):
                continue
        assert state.startswith("completed"), state
        assert outcome(ground.folder / f"round-{number}") == outcome(ground.folder / "clean")
        is_whole(ground.folder / f"round-{number}")
    return {"runs": rounds, "writes without room": full, "half-written files taken for whole": 0, "left behind": 0}


@fault(42)
def no_place_to_write(ground: Ground) -> Counts:
    before, found = tempfile.tempdir, 0
    settings = Settings(_env_file=None)
    from workers import doctor

    try:
        for folder in ("/proc/nowhere", str(ground.folder / "missing")):
            tempfile.tempdir = folder
            found += sum(1 for _ in (one for one in _scratch(settings) if not one[0]))
        tempfile.tempdir = before
        real = doctor.shutil.disk_usage
        doctor.shutil.disk_usage = lambda _: type("Use", (), {"free": 1 << 20})()  # type: ignore[assignment]
        try:
            found += sum(1 for _ in (one for one in _scratch(settings) if not one[0]))
        finally:
            doctor.shutil.disk_usage = real
    finally:
        tempfile.tempdir = before
    assert found == 3
    assert [one.must for one in examine(settings, musts_only=True) if one.name == "scratch"] == [True]
    return {"places": 3, "named by the doctor": found}


def _scratch(settings: Settings) -> list[Any]:
    from workers import doctor

    return list(doctor._scratch(settings))


@fault(108, 109)
def readers_taken_over(ground: Ground) -> Counts:
    """The reader tries all it can; then the process that forks readers is killed, again and again, while files are read."""
    from caseferry.reading import guard
    from caseferry.reading.guard import ask
    from config.limits import ReadingLimits
    from tests.reading import test_guard

    ground.folder.joinpath("a").mkdir()
    test_guard.test_a_reader_has_no_network_no_programs_no_files(ground.folder / "a")
    rounds, refused = ground.n(100, 5), 0
    for _ in range(rounds):
        ask("tests.reading.hostile:echo", b"x", "x", ReadingLimits())
        guard._known[0].process.kill()
        time.sleep(ground.dice.uniform(0, 0.02))
        refused += ask("tests.reading.hostile:echo", b"xyz", "x", ReadingLimits()).made != 3
    assert refused == 0
    return {"things a reader tried": 12, "that it could do": 0, "times its parent was killed": rounds, "files refused for it": refused}
