"""What names a matter: two columns together, or an id beside its number. From the draft to the import files."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from caseferry.mapping import profile as profiles
from tests.profiling.corpus import EXPORTS
from tests.profiling.score import OWNERS, mapped
from workers.commands.app import app

BY_NAME = {export.name: export for export in EXPORTS}


@pytest.fixture(autouse=True)
def no_own_profiles() -> object:
    yield
    profiles._OWN.clear()
    profiles.load_profile.cache_clear()
    profiles.known_evidence.cache_clear()


def crossed(name: str, folder: Path) -> Path:
    """The results of an export that was run with its draft as it is."""
    place, draft, out = BY_NAME[name].lay(folder), folder / f"{name}.yaml", folder / "out"
    mapped(place, draft)
    result = CliRunner().invoke(app, ["run", str(place), "--source", str(draft), "--out", str(out), *OWNERS])
    assert (out / "ledger.json").is_file(), result.output
    return out


def column(out: Path, file: str, name: str) -> list[str]:
    paths = [path for place in ("import-files", "not-import-files") for path in sorted((out / place).glob(f"*{file}*.csv"))]
    tables = [csv.DictReader(path.open(encoding="utf-8-sig", newline="")) for path in paths]
    return [row[name] for table in tables for row in table if name in row]


def test_two_columns_that_are_a_key_together_name_the_matter_everywhere(tmp_path: Path) -> None:
    out = crossed("counsel86", tmp_path)
    numbers = column(out, "matters", "custom_number")
    assert len(set(numbers)) == 48 and "1004-0002" in numbers
    assert set(column(out, "activities", "matter")) == set(numbers)
    ledger = json.loads((out / "ledger.json").read_text())
    assert all(check["passed"] for check in ledger["checks"] if check["hard"])
    trust = next(one for one in ledger["money"] if one["type"] == "trust")
    assert (trust["difference"], trust["differences"], trust["matters"]) == ("0.00", [], 15)
    assert not next(one for one in ledger["quality"] if one["record"] == "time_entry")["orphans"]
    changes = pl.read_csv(out / "changes.csv", infer_schema=False)
    assert changes.filter(pl.col("rule") == "columns_joined").height == 48 + 100 + 15, "each is said, before and after"


def test_what_names_matters_by_their_id_finds_their_number(tmp_path: Path) -> None:
    out = crossed("clerkly", tmp_path)
    numbers = column(out, "matters", "custom_number")
    assert numbers[:2] == ["P000", "P001"]
    assert set(column(out, "calendar", "matter")) <= set(numbers)
    draft = yaml.safe_load((tmp_path / "clerkly.yaml").read_text())["tables"]
    assert draft["own_calendarentries"]["matter_by"] == "id" and draft["own_projects"]["columns"]["source_id"] == ["id"]


def test_half_a_key_names_no_matter(tmp_path: Path) -> None:
    export = BY_NAME["counsel86"]
    place, draft, out = export.lay(tmp_path), tmp_path / "d.yaml", tmp_path / "out"
    mapped(place, draft)
    rows = (place / "TIMEREC.TXT").read_bytes().split(b"\r\n")
    rows[1] = b"1001||" + rows[1].split(b"|", 2)[2]
    (place / "TIMEREC.TXT").write_bytes(b"\r\n".join(rows))
    CliRunner().invoke(app, ["run", str(place), "--source", str(draft), "--out", str(out), *OWNERS])
    findings = pl.read_csv(out / "findings.csv", infer_schema=False).filter(pl.col("file") == "TIMEREC.TXT")
    assert findings.filter(pl.col("row") == "2").select("rule", "outcome").rows() == [("half_a_number", "carried"), ("no_matter", "quarantined")]


def test_a_list_that_is_said_to_be_none_of_ours_is_named_and_not_read(tmp_path: Path) -> None:
    out = crossed("northgate", tmp_path)
    ledger = json.loads((out / "ledger.json").read_text())
    unread = {one["file"]: one["reason"] for one in ledger["unknown_tables"]}
    assert unread["app_user.csv"] == "the profile says that it is none of ours"
    assert "app_user.csv" not in {one["file"] for one in ledger["columns"]}


def test_an_amount_nobody_knows_becomes_a_field_of_money_and_is_written_as_one(tmp_path: Path) -> None:
    out = crossed("kanzleiwerk", tmp_path)
    draft = yaml.safe_load((tmp_path / "kanzleiwerk.yaml").read_text())["tables"]
    assert draft["own_akten"]["custom"]["Gegenstandswert"]["type"] == "currency"
    rows = list(zip(column(out, "matter_custom_fields", "field"), column(out, "matter_custom_fields", "type"), column(out, "matter_custom_fields", "value"), strict=True))
    assert ("Gegenstandswert", "currency", "1500.00") in rows, "1.500,00, as the export has it"
