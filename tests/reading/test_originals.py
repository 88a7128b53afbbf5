"""Lists are read where they lie in the archive that came, and are what came or end the run."""

import hashlib
import io
import json
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry.errors import StorageRefused
from caseferry.manifest import FORMAT, Intake, Kept
from caseferry.originals import ask_about, ask_of, read_all, save
from caseferry.reading.archive import Damaged, Flowing, inflated
from caseferry.reading.guard import WORKS, Answer, Unpacks, ask
from caseferry.reading.kinds import Kind
from caseferry.reading.source import Source
from caseferry.services.scratch import Scratch
from caseferry.tables import cells_of
from config.limits import ReadingLimits
from tasks.intake.arrive import arrive
from tasks.journey import next_steps, parts_of
from tasks.stage import perform, present, run_of
from tasks.verify.lines import _BEGUN, _COUNTED, _work
from tests.crossing import CHOICES, Crossed, Crossings, firm, packed
from workers.inprocess import cross

LIMITS = ReadingLimits()
LONG = "".join(f"{n},some text of row {n * 7919}\n" for n in range(60_000)).encode()


def mixed() -> bytes:
    """Lists that are packed and lists that are not, with papers between them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (name, data) in enumerate({**firm(), "long.csv": LONG, "papers/a.pdf": b"%PDF-1.4 " + bytes(200_000), "empty.csv": b"", "odd.csv": b"Shelf,Seal\n1,red\n"}.items()):
            archive.writestr(name, data, zipfile.ZIP_STORED if number % 2 else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def taken_in(crossing: Crossings, data: bytes) -> Crossed:
    """A run whose split is next."""
    services = crossing.services()
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/export.zip", data)
    run = run_of(arrive(services, "drops/firm/trial/export.zip")[0])
    while (able := next_steps((run.firm, run.migration, run.run), present(services.store, run)))[0].step != "split":
        perform(services, able[0])
    return Crossed(services, run, "")


def lists_of(run: Crossed) -> list[Kept]:
    return [kept for kept in Intake.model_validate(run.json("0-original", "manifest.json")).files if kept.packed]


def test_every_list_is_had_out_of_the_archive_to_the_byte(crossing: Crossings) -> None:
    run = taken_in(crossing, mixed())
    files = lists_of(run)
    assert {kept.name for kept in files} == {"cards.csv", "matters.csv", "long.csv", "odd.csv"}
    assert not [key for key in present(run.store, run.run) if key.startswith("0-original/files/")]
    with zipfile.ZipFile(io.BytesIO(mixed())) as archive, Scratch() as scratch:
        assert read_all(run.store, files, LIMITS) == [archive.read(kept.name) for kept in files]
        for kept in files:
            path = scratch.file()
            save(run.store, kept, path, LIMITS)
            assert path.read_bytes() == archive.read(kept.name)


_COUNT = ("tasks.verify.recount:count", dict[str, object]())


@pytest.mark.parametrize("flows", [True, False])
def test_a_long_list_is_counted_while_it_is_unpacked(crossing: Crossings, flows: bool) -> None:
    run = taken_in(crossing, mixed())
    rows = {kept.name: ask_of(run.store, kept, _COUNT, LIMITS, flows=flows).made for kept in lists_of(run)}
    assert rows["long.csv"] == 60_000 and rows == {kept.name: 1 + len(_lines(kept.name)) for kept in lists_of(run)}


@pytest.mark.parametrize("kind", sorted({*_COUNTED, *_BEGUN}))
def test_whatever_is_counted_while_it_is_unpacked_is_counted_as_if_it_lay_there(kind: Kind) -> None:
    events = "".join(f"BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:call {n * 7919}\r\nEND:VEVENT\r\n" + "BEGIN:VTODO\r\nEND:VTODO\r\n" * (n % 2) for n in range(40_000))
    letters = "".join(f"From a@b.c Mon Jan  1 10:00:00 2024\nSubject: {n}\n\ntext\n\n" for n in range(40_000))
    text = {Kind.CALENDAR: events, Kind.CARDS: events.replace("VEVENT", "VCARD"), Kind.MAILBOX: letters}.get(kind, LONG.decode())
    data = b"\x03" + bytes(7) + (33).to_bytes(2, "little") + (20).to_bytes(2, "little") + bytes(20) + b"\r" + b" 234567890123456789 " * 90_000 if kind is Kind.DBASE else text.encode()
    press, (work, words) = zlib.compressobj(wbits=-15), _work(Kept(name="a", key="a", size=len(data), sha256="", kind=kind))
    how = Unpacks(8, len(data), hashlib.sha256(data).hexdigest())
    assert len(data) > 1 << 20 and ask(work, press.compress(data) + press.flush(), "a", LIMITS, unpacks=how, **words).made == ask(work, data, "a", LIMITS, **words).made


def _lines(name: str) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(mixed())) as archive:
        return archive.read(name).decode().splitlines()[1:]


@given(st.binary(max_size=2_000), st.data())
def test_what_flows_is_had_in_any_pieces_and_once(data: bytes, draw: st.DataObject) -> None:
    press = zlib.compressobj(wbits=-15)
    flowing = Flowing(Source.of(press.compress(data) + press.flush()), 8, len(data), hashlib.sha256(data).hexdigest())
    at, asked = 0, 0
    while at < len(data):
        asked, length = at, draw.draw(st.integers(1, 900))
        assert flowing[at : at + length] == flowing[at : at + length] == data[at : at + length]
        at += length
    if asked:
        with pytest.raises(ValueError, match="gone by"):
            _ = flowing[asked - 1 : asked]
    flowing.run_dry()


def test_neighbours_come_with_one_request_and_papers_between_them_do_not_come(crossing: Crossings, monkeypatch: pytest.MonkeyPatch) -> None:
    run = taken_in(crossing, mixed())
    files, asked, real = lists_of(run), list[int](), run.store.get_range

    def counted(key: str, start: int, length: int) -> bytes:
        asked.append(length)
        data: bytes = real(key, start, length)
        return data

    monkeypatch.setattr(run.store, "get_range", counted)
    monkeypatch.setattr(run.store, "get", None)
    assert all(isinstance(one, Answer) for one in ask_about(run.store, files, [(f"{WORKS}given", {})] * 4, LIMITS))
    assert len(asked) == 2 and sum(asked) < len(mixed()) - 200_000


@pytest.mark.requirement("A03")
@pytest.mark.parametrize("name", ["cards.csv", "long.csv"])
def test_bytes_that_change_on_their_way_are_asked_for_again(crossing: Crossings, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    run = taken_in(crossing, mixed())
    (kept,) = (kept for kept in lists_of(run) if kept.name == name)
    real, broken = run.store.get_range, [2]

    def flipped(key: str, start: int, length: int) -> bytes:
        data: bytes = real(key, start, length)
        broken[0] -= 1
        return data[:9] + bytes([data[9] ^ 4]) + data[10:] if broken[0] >= 0 else data

    monkeypatch.setattr(run.store, "get_range", flipped)
    with zipfile.ZipFile(io.BytesIO(mixed())) as archive, Scratch() as scratch:
        path = scratch.file()
        save(run.store, kept, path, LIMITS)
        assert path.read_bytes() == archive.read(name)
        broken[0] = 2
        assert read_all(run.store, [kept], LIMITS) == [archive.read(name)]
        broken[0] = 9
        with pytest.raises(StorageRefused, match="CF-145"):
            save(run.store, kept, path, LIMITS)
        with pytest.raises(StorageRefused, match="CF-145"):
            read_all(run.store, [kept], LIMITS)


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"size": 3}, {"size": 1 << 30}])
def test_what_unpacks_to_something_else_is_not_read(crossing: Crossings, change: dict[str, object]) -> None:
    run = taken_in(crossing, mixed())
    for kept in lists_of(run):
        odd = kept.model_copy(update=change)
        with pytest.raises(StorageRefused, match="CF-145"):
            read_all(run.store, [odd], LIMITS)
        with Scratch() as scratch, pytest.raises(StorageRefused, match="CF-145"):
            save(run.store, odd, scratch.file(), LIMITS)
        with pytest.raises(StorageRefused, match="CF-145"):
            ask_of(run.store, odd, _COUNT, LIMITS, flows=True)


@pytest.mark.requirement("A03")
@pytest.mark.parametrize("step", ["split", "verify"])
@pytest.mark.parametrize("name", ["cards.csv", "time.csv"])
def test_a_stored_archive_that_was_damaged_ends_the_run_by_name(crossing: Crossings, step: str, name: str) -> None:
    work = "".join(f"31/05/2024,24-0001,JD,0.{n % 9 + 1},200,call number {n * 7919}\n" for n in range(25_000))
    run = taken_in(crossing, packed(firm(time="Date,Matter No,Staff,Hours,Rate,Narrative\n" + work)))
    while (able := next_steps((run.run.firm, run.run.migration, run.run.run), present(run.store, run.run)))[0].step != step:
        perform(run.services, able[0])
    (kept,) = (kept for kept in lists_of(run) if kept.name == name)
    assert kept.packed is not None
    data = bytearray(run.store.get(kept.key))
    data[kept.packed.start + kept.packed.length // 2] ^= 8
    Path(run.store.path(kept.key)).write_bytes(data)
    assert cross(run.services, run.run) == "failed"
    assert run.json("failed.json") == {"code": "CF-145", "where": step, "detail": "GetObject"}


def test_a_run_of_the_layout_before_goes_on(crossing: Crossings) -> None:
    """Then each list was an object by itself."""
    run = taken_in(crossing, mixed())
    manifest = run.json("0-original", "manifest.json")
    with zipfile.ZipFile(io.BytesIO(mixed())) as archive:
        for number, kept in enumerate(manifest["files"], 1):
            if kept.pop("packed"):
                kept["key"] = run.run.at("0-original", "files", f"{number:05d}")
                run.store.put(kept["key"], archive.read(kept["name"]))
    services = crossing.services()
    for key in present(run.store, run.run):
        if key not in {"0-original/manifest.json", "arrival.json"}:
            services.store.put(run.run.home + key, run.store.get(run.run.home + key))
    services.store.put(run.run.at("0-original", "manifest.json"), json.dumps(manifest).encode())
    services.store.put(run.run.at("arrival.json"), json.dumps(run.json("arrival.json") | {"format": FORMAT - 1}).encode())
    assert cross(services, run.run) == cross(run.services, run.run) == "completed_with_differences"
    before, now = (Crossed(one, run.run, "") for one in (services, run.services))
    assert [before.raw(name) for name in before.names()] == [now.raw(name) for name in now.names()]


@pytest.mark.parametrize("from_step", ["transform", "merge", "verify", ""])
def test_a_run_that_an_earlier_version_cut_goes_on_and_stays_what_it_is(crossing: Crossings, from_step: str) -> None:
    """Its parts are tables of parquet."""
    run = taken_in(crossing, mixed())
    while (able := next_steps((run.run.firm, run.run.migration, run.run.run), present(run.store, run.run))) and able[0].step != from_step:
        perform(run.services, able[0])
    for key in present(run.store, run.run):
        if key.startswith("1-split/parts/"):
            old = io.BytesIO()
            cells_of(run.store.get(run.run.home + key)).write_parquet(old)
            run.store.put(run.run.home + key.replace(".zip", ".parquet"), old.getvalue())
            run.store.delete(run.run.home + key)
    seen = present(run.store, run.run)
    assert len(parts_of(seen)) > 1 and not any("." in part for part in parts_of(seen))
    assert [ticket.step for ticket in next_steps((run.run.firm, run.run.migration, run.run.run), seen)][:1] == ([from_step] if from_step else [])
    other = taken_in(crossing, mixed())
    assert cross(run.services, run.run) == cross(other.services, other.run) == "completed_with_differences"
    now, before = (Crossed(one.services, one.run, "") for one in (other, run))
    assert [before.raw(name) for name in before.names()] == [now.raw(name) for name in now.names()]


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_unpack_or_are_damaged(data: bytes) -> None:
    with suppress(Damaged):
        b"".join(inflated(Source.of(data), 8))
