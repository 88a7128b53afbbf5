"""News of a run: what was told is not read again and again to tell more, and what is gone is missed all the same."""

from collections import Counter
from dataclasses import replace

from caseferry.services.folder import FolderStore
from caseferry.services.store import ObjectStore
from tasks.audit.keep import keep
from tasks.news import tell
from tasks.stage import present
from tests.crossing import Crossings, firm


def test_what_is_never_changed_is_read_once_by_a_process_and_never_by_the_one_that_wrote_it(crossing: Crossings) -> None:
    services = crossing.services()
    other = replace(services, store=FolderStore(crossing.folder / f"bucket-{crossing.count}"))
    got = [Counter[str](), Counter[str]()]

    def counted(store: ObjectStore, times: Counter[str]) -> None:
        real = store.get

        def get(key: str) -> bytes:
            times[key] += 1
            return real(key)

        store.get = get  # type: ignore[method-assign]

    for one, times in zip((services, other), got, strict=True):
        counted(one.store, times)
    services.store.put("drops/firm/trial/migration.json", crossing(firm()).store.get("drops/firm/trial/migration.json"))
    run = crossing.upload(services, crossing(firm()).store.get("drops/firm/trial/export.zip"))
    once = [key for key in present(run.store, run.run) if key.startswith(("audit/0", "events/0", "2-transform/t")) and key.endswith(".json")]
    once += ["0-original/manifest.json", "0-original/admission.json", "1-split/tables.json", "3-merge/manifest.json"]
    assert run.state == "completed" and len(once) > 15
    assert [key for key in once if got[0][run.run.home + key]] == []
    for _ in range(3):
        tell(other, run.run)
    assert {key for key in once if key.startswith(("audit", "events"))} == {key for key in once if got[1][run.run.home + key] == 1}


def test_an_entry_that_was_read_and_is_gone_is_missed(crossing: Crossings) -> None:
    run = crossing(firm())
    entries = [key for key in present(run.store, run.run) if key.startswith("audit/0")]
    run.store.delete(run.run.home + min(entries))
    run.store.put_once(run.run.at("failed.json"), b'{"code": "CF-132"}')  # there would be something to tell
    keep(run.services, run.run)
    assert len([key for key in present(run.store, run.run) if key.startswith("audit/0")]) == len(entries) - 1
