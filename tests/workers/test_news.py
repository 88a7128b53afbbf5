"""News of a run: what was told is not read again and again to tell more, and what is gone is missed all the same."""

from collections import Counter

from tasks.audit.keep import keep
from tasks.stage import present
from tests.crossing import Crossings, firm


def test_each_entry_of_a_log_is_read_once_by_a_process(crossing: Crossings) -> None:
    services = crossing.services()
    got, real = Counter[str](), services.store.get

    def get(key: str) -> bytes:
        got[key] += 1
        return real(key)

    services.store.get = get  # type: ignore[method-assign]
    services.store.put("drops/firm/trial/migration.json", crossing(firm()).store.get("drops/firm/trial/migration.json"))
    run = crossing.upload(services, crossing(firm()).store.get("drops/firm/trial/export.zip"))
    entries = [key for key in got if "/audit/0" in key or "/events/0" in key]
    assert run.state == "completed" and len(entries) > 8
    assert max(got[key] for key in entries) == 1


def test_an_entry_that_was_read_and_is_gone_is_missed(crossing: Crossings) -> None:
    run = crossing(firm())
    entries = [key for key in present(run.store, run.run) if key.startswith("audit/0")]
    run.store.delete(run.run.home + min(entries))
    run.store.put_once(run.run.at("failed.json"), b'{"code": "CF-132"}')  # there would be something to tell
    keep(run.services, run.run)
    assert len([key for key in present(run.store, run.run) if key.startswith("audit/0")]) == len(entries) - 1
