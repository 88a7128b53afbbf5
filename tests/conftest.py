"""What every test may ask for, and the list of which requirement which test proves."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.crossing import Crossed, Crossings

SAMPLE = Path(__file__).parents[1] / "samples" / "doe-and-roe"
settings.register_profile("any_machine", deadline=None)  # how long an example takes says nothing of it where others work beside
settings.load_profile("any_machine")
_PROVEN: dict[str, dict[str, str]] = {}


@pytest.fixture(scope="session", autouse=True)
def the_power_stays_on() -> Iterator[None]:
    """No test cuts the power, so none waits until the disk itself has its bytes: a crossing would wait fifty times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def crossing(tmp_path: Path) -> Crossings:
    return Crossings(tmp_path)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Crossed:
    """The sample firm of 500 clients, carried across once for all tests that look at it."""
    crossings = Crossings(tmp_path_factory.mktemp("sample"))
    services = crossings.services()
    services.store.put("migrations/firm/trial/migration.json", (SAMPLE / "migration.json").read_bytes())
    return crossings.upload(services, (SAMPLE / "LEAP-export.zip").read_bytes(), "LEAP-export.zip")


@pytest.fixture(scope="session")
def expected() -> Any:
    return json.loads((SAMPLE / "expected.json").read_text())


@pytest.fixture(autouse=True)
def no_foreign_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("CASEFERRY_")]:
        monkeypatch.delenv(name)
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call" or report.failed:
        for mark in item.iter_markers("requirement"):
            for number in mark.args:
                _PROVEN.setdefault(number, {})[item.nodeid] = report.outcome


def pytest_sessionfinish() -> None:
    target = os.environ.get("REQUIREMENTS_JSON")
    if target:
        Path(target).write_text(json.dumps(_PROVEN, indent=1, sort_keys=True))
