"""A whole crossing in a test: files in, what the firm would see out. The real journey over a real folder."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from caseferry.keys import Run
from caseferry.noted import Noted
from caseferry.reading.grid import Grid, gathered
from caseferry.reading.kinds import Kind
from caseferry.reading.lists import read_lists
from caseferry.services.folder import FolderStore
from caseferry.tables import read_tables, table_of
from config.limits import ReadingLimits
from config.settings import Settings
from tasks.intake.arrive import arrive
from tasks.journey import parts_of
from tasks.news import tell
from tasks.stage import Services, present, release, run_of
from workers.inprocess import cross

USERS = [
    {"name": "Jane Doe", "email": "jane@firm.example", "id": "U1", "aliases": ["JD"]},
    {"name": "Richard Roe", "email": "richard@firm.example", "aliases": ["RR"]},
    {"name": "Greta Holm", "email": "greta@firm.example", "licence": "none"},
]
CHOICES: dict[str, Any] = {"account_owner": True, "users": USERS, "primary_subscriber": "jane@firm.example", "source": "leap"}
CARDS = "Card Name,First Name,Last Name,Organisation,Email,Mobile\n"
MATTERS = "Matter No,Description,Client,Status,Open Date,Person Responsible\n"
ONE_CARD = CARDS + '"Smith, John",John,Smith,,john@x.example,0412 345 678\n'
ONE_MATTER = MATTERS + '24-0001,Sale of shop,"Smith, John",Open,31/05/2024,Jane Doe\n'


def noon() -> datetime:
    return datetime(2024, 6, 3, 12, tzinfo=UTC)


@dataclass
class Crossed:
    """One run at its end."""

    services: Services
    run: Run
    state: str

    @property
    def store(self) -> Any:
        return self.services.store

    def has(self, key: str) -> bool:
        return key in present(self.store, self.run)

    def json(self, *key: str) -> Any:
        return json.loads(self.store.get(self.run.at(*key)))

    @property
    def ledger(self) -> Any:
        return self.json("4-verify", "ledger.json")

    @property
    def split(self) -> Any:
        return self.json("1-split", "tables.json")

    @property
    def reasons(self) -> list[dict[str, str]]:
        return list(self.json("run.json")["reasons"])

    def type(self, record: str) -> Any:
        return next(t for t in self.ledger["types"] if t["record"] == record)

    def check(self, name: str) -> Any:
        return next(c for c in self.ledger["checks"] if c["name"] == name)

    def names(self) -> list[str]:
        return [f["name"] for f in self.json("3-merge", "manifest.json")["files"]]

    def raw(self, part: str) -> bytes:
        """One file handed over, by a part of its name."""
        name = next(n for n in self.names() if part in n)
        data: bytes = self.store.get(self.run.at("3-merge", "files", name))
        return data

    def rows(self, part: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.raw(part).decode("utf-8-sig"), newline="")))

    def all_rows(self, part: str) -> list[dict[str, str]]:
        found = []
        for name in self.names():
            if part in name:
                data = self.store.get(self.run.at("3-merge", "files", name)).decode("utf-8-sig")
                found += list(csv.DictReader(io.StringIO(data, newline="")))
        return found

    def notes(self, kind: str) -> list[dict[str, Any]]:
        """All findings or changes, as rows."""
        tables = {part: next(t["id"] for t in self.split["tables"] if part in t["parts"]) for part in parts_of(present(self.store, self.run))}
        frames = [
            Noted.of(read_tables(self.store.get(self.run.at("2-transform", f"{part}.zip"))), kind).frame.with_columns(pl.lit(table).alias("table"))
            for part, table in tables.items()
        ]
        if self.has("3-merge/manifest.json"):
            keys = sorted(key for key in present(self.store, self.run) if key.startswith("3-merge/rows/"))
            frames += [table_of(read_tables(self.store.get(self.run.home + key)), kind) for key in keys]
        return pl.concat(frames, how="diagonal").to_dicts()

    def found(self, rule: str) -> list[dict[str, Any]]:
        return [f for f in self.notes("findings") if f["rule"] == rule]

    def changed(self, rule: str) -> list[dict[str, Any]]:
        return [c for c in self.notes("changes") if c["rule"] == rule]

    def noted(self, rule: str) -> list[dict[str, Any]]:
        return [n for n in self.ledger["noted"] if n["rule"] == rule]

    def events(self) -> list[dict[str, Any]]:
        names = sorted(k for k in present(self.store, self.run) if k.startswith("events/") and k.count("/") == 1)
        return [json.loads(self.store.get(self.run.home + name)) for name in names]

    def release(self, by: str = "specialist", *, cleared: bool = False, **changes: Any) -> "Crossed":
        release(self.services, self.run, by, changes, cleared=cleared)
        return Crossed(self.services, self.run, cross(self.services, self.run))


    def approved(self, by: str = "Olive Ops", **changes: Any) -> "Crossed":
        """The run after a person approved the map that was drawn, and let columns nobody knows stay in the archive."""
        if self.state != "held":
            return self
        drawn = self.json("3-merge", "field-map.json")
        decisions = {reason["answer_with"].removeprefix("options.decisions."): "keep in Clio" for reason in self.reasons if reason["code"] == "CF-151"} | {reason["answer_with"].removeprefix("options.decisions."): "keep the old portal open" for reason in self.reasons if reason["code"] == "CF-153"}
        answer = {"approved_map": {"version": drawn["version"], "by": by}, "acknowledged_by": by, "options": {"unknown_columns": "archive", "decisions": decisions}}
        if any(reason["code"] == "CF-152" for reason in self.reasons):
            ids = {file: {"columns": {"RecordTypeId": {"value": f"0125e00000{number}AbCdAAK"}}} for number, file in enumerate(("business_accounts", "person_accounts"), 1)}
            answer["rules"] = {"targets": {"salesforce_fsc": {"files": ids}}}
        return self.release(by, **(answer | changes))

    def target(self, name: str) -> Any:
        """The ledger of a mapped target."""
        return self.json("4-verify", "targets", f"{name}.json")

    def fitted(self, target: str, name: str) -> list[dict[str, str]]:
        """The lines of one of a mapped target's files, by the beginning or the end of its name."""
        names = [f["name"] for f in self.target(target)["files"]]
        found = [one for one in names if one.removesuffix(".csv").endswith(name) or one.startswith(name)]
        if not found:
            return []
        data = self.store.get(self.run.at("3-merge", target, "files", found[0])).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(data, newline="")))


class Crossings:
    """Makes crossings below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def services(self, **settings: Any) -> Services:
        self.count += 1
        return Services(FolderStore(self.folder / f"bucket-{self.count}"), Settings(_env_file=None, **settings), clock=noon, tell=tell)

    def __call__(
        self, files: Mapping[str, str | bytes], templates: Mapping[str, str] = {}, settings: dict[str, Any] | None = None, **choices: Any
    ) -> Crossed:
        """Zip the files, upload them with the choices laid over the usual ones, and carry them across."""
        services = self.services(**(settings or {}))
        given = {k: v for k, v in (CHOICES | choices).items() if v is not ...}
        store = services.store
        store.put("drops/firm/trial/migration.json", json.dumps(given).encode())
        arrive(services, "drops/firm/trial/migration.json")
        for name, text in templates.items():
            store.put(f"drops/firm/trial/templates/{name}", text.encode())
        return self.upload(services, packed(files))

    def upload(self, services: Services, data: bytes, name: str = "export.zip") -> Crossed:
        services.store.put(f"drops/firm/trial/{name}", data)
        ticket = arrive(services, f"drops/firm/trial/{name}")[0]
        run = run_of(ticket)
        return Crossed(services, run, cross(services, run))


def packed(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 5, 31, 18, 0, 0)), data.encode() if isinstance(data, str) else data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def lists_of(data: bytes, is_workbook: bool, name: str, limits: ReadingLimits) -> list[Grid]:
    """Every list of a file, each as a whole."""
    lists = read_lists(data, Kind.WORKBOOK if is_workbook else Kind.DELIMITED, name, limits, 1)
    return [replace(one.head, cells=gathered(one.pieces()).cells) for one in lists]


def book(rows: list[list[Any]], **options: Any) -> bytes:
    """A workbook of one sheet; dates are typed cells."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, **options}) as made:
        sheet = made.add_worksheet("Sheet1")
        day = made.add_format({"num_format": "dd/mm/yyyy"})
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if hasattr(cell, "year"):
                    sheet.write_datetime(number, place, cell, day)
                elif cell not in ("", None):
                    sheet.write(number, place, cell)
    return buffer.getvalue()


def firm(cards: str = ONE_CARD, matters: str = ONE_MATTER, **more: str | bytes) -> dict[str, str | bytes]:
    """The smallest firm: one card, one matter, and whatever else a test needs (`time=` becomes time.csv)."""
    files: dict[str, str | bytes] = {"cards.csv": cards, "matters.csv": matters}
    return files | {f"{name}.csv": data for name, data in more.items()}
