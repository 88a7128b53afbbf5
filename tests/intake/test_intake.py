import hashlib
import json
from pathlib import Path

import pytest

from caseferry.errors import BrokenPromise
from caseferry.keys import BadKey, Migration, Run, identifier, parse_drop, segment
from caseferry.manifest import Kept
from caseferry.originals import read_all
from caseferry.services.store import Stat
from config.limits import ReadingLimits
from tasks.intake.arrive import arrive
from tasks.journey import Ticket
from tasks.stage import run_of
from tests.crossing import CARDS, CHOICES, ONE_CARD, ONE_MATTER, Crossed, Crossings, firm, packed
from workers.inprocess import cross


@pytest.mark.requirement("A03", "E70")
def test_the_original_is_kept_unchanged_with_its_hash_and_the_day_of_receipt(crossing: Crossings) -> None:
    data = packed(firm())
    run = crossing.upload(crossing.services(), data, "LEAP.zip")
    kept = run.json("0-original", "manifest.json")["files"][0]
    assert kept["key"].endswith("0-original/2024-06-03_LEAP.zip")
    assert kept["name"] == "LEAP.zip"
    assert run.store.get(kept["key"]) == data
    assert kept["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.requirement("E70")
@pytest.mark.parametrize(
    ("name", "key"),
    [("2024-06-03 LEAP.zip", "2024-06-03 LEAP.zip"), ("2023-01-31_LEAP.zip", "2024-06-03_2023-01-31_LEAP.zip"), ("Fall für Müller.zip", "2024-06-03_Fall für Müller.zip")],
)
def test_a_name_gets_the_day_of_receipt_unless_it_has_it(crossing: Crossings, name: str, key: str) -> None:
    kept = crossing.upload(crossing.services(), packed(firm()), name).json("0-original", "manifest.json")["files"][0]
    assert (kept["name"], kept["key"].rsplit("/", 1)[-1]) == (name, key)


@pytest.mark.requirement("A03", "E70")
def test_nothing_is_stored_twice_and_everything_can_be_had_by_its_key(crossing: Crossings) -> None:
    papers: dict[str, str | bytes] = {"Papers/24-0001/a.rtf": "{\\rtf1 a}", "Papers/24-0001/b.rtf": "{\\rtf1 b}", "inner.zip": packed({"Papers/c.rtf": "{\\rtf1 c}", "rates.csv": "Staff,Hourly Rate\nJane,350\n"})}
    run = crossing(firm() | papers)
    files = {kept["name"]: kept for kept in run.json("0-original", "manifest.json")["files"]}
    whole = next(kept["key"] for kept in files.values() if kept["kind"] == "archive")
    papers_of = {name for name, kept in files.items() if kept["key"] == whole and kept["kind"] != "archive" and not kept["packed"]}
    assert papers_of == {"Papers/24-0001/a.rtf", "Papers/24-0001/b.rtf", "inner.zip/Papers/c.rtf"}
    assert {name for name, kept in files.items() if kept["packed"]} == {"cards.csv", "matters.csv"}
    assert files["Papers/24-0001/a.rtf"]["sha256"] == hashlib.sha256(b"{\\rtf1 a}").hexdigest()
    stored = [stat.key for stat in run.store.listing(run.run.at("0-original", "files"))]
    assert stored == [files["inner.zip/rates.csv"]["key"]]
    read = [Kept.model_validate(kept) for kept in files.values() if kept["key"] != whole or kept["packed"]]
    assert [hashlib.sha256(data).hexdigest() for data in read_all(run.store, read, ReadingLimits()) if isinstance(data, bytes)] == [kept.sha256 for kept in read]


@pytest.mark.requirement("A03")
def test_a_list_that_comes_by_itself_is_stored_once(crossing: Crossings) -> None:
    services = crossing.services()
    for name, data in firm().items():
        services.store.put(f"drops/firm/trial/{name}", str(data).encode())
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/_complete", b"")
    run = run_of(arrive(services, "drops/firm/trial/_complete")[0])
    assert cross(services, run) == "completed"
    kept = json.loads(services.store.get(run.at("0-original", "manifest.json")))["files"]
    assert {one["key"].rsplit("/", 1)[-1] for one in kept} == {"2024-06-03_0001_cards.csv", "2024-06-03_0002_matters.csv"}
    assert not list(services.store.listing(run.at("0-original", "files")))


@pytest.mark.requirement("A03")
def test_a_stored_copy_that_differs_stops_the_run(crossing: Crossings, monkeypatch: pytest.MonkeyPatch) -> None:
    services = crossing.services()
    store = services.store
    real = store.save

    def save(key: str, path: Path, version: Stat | None = None) -> None:
        real(key, path, version)
        if "0-original/2024" in key:
            path.write_bytes(path.read_bytes() + b"!")

    monkeypatch.setattr(store, "save", save)
    run = crossing.upload(services, packed(firm()))
    assert run.state == "failed"
    assert run.reasons[0]["detail"] == BrokenPromise.__name__


@pytest.mark.requirement("A17")
@pytest.mark.parametrize("owner", [False, None])
def test_a_sender_who_is_not_the_owner_is_held_until_a_specialist_clears_it(crossing: Crossings, owner: bool | None) -> None:
    held = crossing(firm(), account_owner=owner)
    assert held.state == "held"
    assert held.reasons[0] == {"code": "CF-125", "where": "hold: account owner", "detail": held.reasons[0]["detail"], "answer_with": "account_owner"}
    assert not held.has("1-split/tables.json")
    cleared = held.release("A. Specialist", cleared=True)
    assert cleared.state == "completed"
    answer = cleared.json("holds/admit-1.released.json")
    assert answer["by"] == "A. Specialist" and answer["at"] == "2024-06-03T12:00:00Z"


@pytest.mark.requirement("A17")
def test_other_news_does_not_clear_the_owner(crossing: Crossings) -> None:
    held = crossing(firm(), account_owner=False).release("migration.json", firm_name="x")
    assert held.state == "held"


def test_choices_that_are_not_valid_are_named_one_by_one(crossing: Crossings) -> None:
    held = crossing(firm(), regoin="us", region="mars", primary_subscriber="nobody@x")
    assert held.state == "held"
    assert {r["where"] for r in held.reasons} == {"the choices › regoin", "the choices › region"}


def test_the_same_upload_twice_is_one_run(crossing: Crossings) -> None:
    services = crossing.services()
    services.store.put("drops/firm/trial/x.zip", packed(firm()))
    assert arrive(services, "drops/firm/trial/x.zip") == arrive(services, "drops/firm/trial/x.zip")


def test_loose_files_start_together_when_the_drop_is_closed(crossing: Crossings) -> None:
    services = crossing.services()
    services.store.put("migrations/firm/trial/migration.json", json.dumps(CHOICES).encode())
    for name, text in (("cards.csv", ONE_CARD), ("lists/matters.csv", ONE_MATTER)):
        services.store.put(f"drops/firm/trial/{name}", text.encode())
        assert arrive(services, f"drops/firm/trial/{name}") == []
    services.store.put("drops/firm/trial/_complete", b"")
    ticket = arrive(services, "drops/firm/trial/_complete")[0]
    assert cross(services, run_of(ticket)) == "completed"
    run = Crossed(services, run_of(ticket), "completed")
    assert {f["name"] for f in run.json("0-original", "manifest.json")["files"]} == {"cards.csv", "lists/matters.csv"}


def test_new_choices_answer_a_run_that_waits_for_them(crossing: Crossings) -> None:
    held = crossing(firm(), account_owner=None)
    held.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    tickets = arrive(held.services, "drops/firm/trial/migration.json")
    assert tickets == [Ticket("firm", "trial", held.run.run, "admit")]
    assert cross(held.services, held.run) == "completed"


def test_an_archive_in_the_archive_is_read_one_level_deep(crossing: Crossings) -> None:
    deep = packed({"three.zip": packed({"x.csv": "a,b\n1,2\n"})})
    run = crossing({"inner.zip": packed(firm()), "deep.zip": deep})
    assert run.type("contact")["read"] == 1
    refused = run.json("0-original", "manifest.json")["refused"]
    assert [(r["name"], r["code"]) for r in refused] == [("deep.zip/three.zip", "CF-111")]


@pytest.mark.requirement("C05")
def test_unknown_empty_duplicate_and_unreadable_files_are_reported(crossing: Crossings) -> None:
    files = firm() | {"copy of cards.csv": ONE_CARD, "empty.csv": "", "broken.xlsx": b"PK\x03\x04xl/workbook rubbish", "odd.csv": "Shelf,Seal\n1,red\n"}
    run = crossing(files)
    assert run.type("contact")["read"] == 1
    assert run.noted("duplicate_file")[0]["where"] in {"copy of cards.csv", "cards.csv"}
    assert run.noted("empty_file")[0]["where"] == "empty.csv"
    assert run.noted("unreadable_file")[0]["where"] == "broken.xlsx"
    assert [u["file"] for u in run.ledger["unknown_tables"]] == ["odd.csv"]
    assert run.state == "completed_with_differences"


def test_a_drop_without_any_list_of_the_source_is_refused_by_name(crossing: Crossings) -> None:
    run = crossing({"odd.csv": "Shelf,Seal\n1,red\n"})
    assert (run.state, run.reasons[0]["code"]) == ("refused", "CF-104")
    bomb = crossing.upload(crossing.services(), packed({"zeros": b"\0" * 3_000_000}))
    assert (bomb.state, bomb.reasons[0]["code"]) == ("refused", "CF-111")


def test_no_key_leaves_its_prefix() -> None:
    for text in ("", ".", "..", "a/b", "a\\b", "a\x00b", "e\u0301", "a\u202eb"):
        with pytest.raises(BadKey):
            segment(text)
    for text in ("", "../x", "a..b", "-x", "x" * 101):
        with pytest.raises(BadKey):
            identifier(text)
    assert parse_drop("drops/firm/trial/../../other/x.zip") is None
    assert parse_drop("migrations/firm/trial/x") is None
    assert Run("f", "m", "r").at("1-split", "parts", "p.zip") == "migrations/f/m/runs/r/1-split/parts/p.zip"
    assert Migration("f", "m").drops == "drops/f/m/"


def test_a_card_list_alone_says_what_is_missing(crossing: Crossings) -> None:
    run = crossing({"cards.csv": CARDS + "x,A,B,,a@b.example,\n"})
    assert run.noted("expected_list_missing")[0]["where"] == "matters"


def test_a_workbook_that_was_cut_short_is_unreadable_and_not_a_document(crossing: Crossings) -> None:
    from tests.crossing import book

    whole = book([["Date", "Matter No", "Staff", "Hours", "Rate"], *([["31/05/2024", "24-0001", "JD", n, 200] for n in range(1, 400)])])
    run = crossing(firm() | {"WIP.xlsx": whole[: len(whole) // 2]})
    assert [n["where"] for n in run.noted("unreadable_file")] == ["WIP.xlsx"]
    assert run.state == "completed_with_differences"
