"""A profile proposed for an export nobody knows: types, fields and links with reasons, and a draft that reads the export."""

import csv
import io
import json
import random
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from caseferry.mapping import profile as profiles
from caseferry.profiling.columns import describe
from caseferry.profiling.words import likenesses, words_in
from workers.commands.app import app

FIRST, LAST = ["Ann", "Bob", "Cleo", "Dan", "Eve", "Fay"], ["Okafor", "Peña", "Quinn", "Rossi", "Smith", "Toth"]


def write(folder: Path, name: str, header: list[str], rows: list[list[object]], above: list[list[str]] | None = None) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([*(above or []), header, *rows])
    (folder / name).write_text(text.getvalue())


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    """An export of a system that does not exist, in headings of its own."""
    dice, folder = random.Random(3), tmp_path / "strange"
    folder.mkdir()
    write(folder, "People.csv", ["PartyID", "LName", "FName", "EMailAddr", "TelNo", "Addr1", "ZipCode", "BirthDt", "FavColour", "Blank"], [
        [f"P{1000 + n}", f"{dice.choice(LAST)}-{n}", dice.choice(FIRST), f"x{n}@mail.example", f"(603) 555-{1000 + n}", f"{n} Oak St", f"0{3300 + n}", f"{1950 + n % 40}-01-1{n % 9}", "Blue", ""]
        for n in range(60)
    ])  # fmt: skip
    write(folder, "Dossiers.csv", ["DossierRef", "PartyID", "MatterDesc", "Stat", "OpenDt", "RespAtty", "EstValue"], [
        [f"M-{n:04d}", f"P{1000 + n % 60}", f"Case about {n}", dice.choice(["Open", "Closed"]), f"{1 + n % 12}/{13 + n % 15}/2022", dice.choice(["JD", "RR"]), f"{900 + n}.00"]
        for n in range(80)
    ], above=[["Dossier report"], ["Printed today"]])  # fmt: skip
    write(folder, "Work.csv", ["WorkDt", "DossierRef", "Tkpr", "Hrs", "RatePerHr", "Amt", "Narr"], [
        [f"2024-0{1 + n % 9}-1{n % 9}", f"M-{n % 80:04d}", dice.choice(["JD", "RR"]), f"{n % 30 + 1}.5", "300.00", f"{(n % 30 + 1.5) * 300:.2f}", "Drafted the reply"]
        for n in range(200)
    ])  # fmt: skip
    write(folder, "Weird.csv", ["Q1", "Q2", "Q3"], [[n, n * n, "x"] for n in range(30)])
    return folder


@pytest.fixture(autouse=True)
def no_own_profiles() -> object:
    yield
    profiles._OWN.clear()
    profiles.load_profile.cache_clear()
    profiles.known_evidence.cache_clear()


def mapped(export: Path, out: Path, *more: str) -> dict[str, object]:
    result = CliRunner().invoke(app, ["map", str(export), "--out", str(out), "--json", *more])
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout[result.stdout.index("{") :])
    return found


def test_types_fields_and_links_are_proposed_with_reasons(strange: Path, tmp_path: Path) -> None:
    out = tmp_path / "strange.yaml"
    told = {one["list"]: one for one in mapped(strange, out)["lists"]}  # type: ignore[attr-defined]
    assert {name: one["is"] for name, one in told.items()} == {"People.csv": "contact", "Dossiers.csv": "matter", "Work.csv": "time_entry", "Weird.csv": ""}
    assert told["Work.csv"]["points"] == ["'DossierRef' points at 'DossierRef' of Dossiers.csv: 100% of its values are there"]
    draft = yaml.safe_load(out.read_text())
    fields = {field: headings for table in draft["tables"].values() for field, headings in table["columns"].items()}
    assert fields | {
        "last_name": ["LName"], "first_name": ["FName"], "email": ["EMailAddr"], "phone": ["TelNo"], "birth_on": ["BirthDt"], "number": ["DossierRef"],
        "opened_on": ["OpenDt"], "responsible": ["RespAtty"], "matter": ["DossierRef"], "hours": ["Hrs"], "rate": ["RatePerHr"], "description": ["Narr"],
    } == fields  # fmt: skip
    assert draft["tables"]["own_dossiers"]["custom"]["EstValue"]["type"] == "currency"
    assert draft["tables"]["own_people"]["leave"] == ["Blank"]
    lines = [line for line in out.read_text().splitlines() if line.startswith("      ")]
    assert all("    # " in line for line in lines), "every proposal has its reason"


def test_no_cell_of_the_export_is_in_the_draft(strange: Path, tmp_path: Path) -> None:
    out = tmp_path / "strange.yaml"
    told = json.dumps(mapped(strange, out))
    cells = {cell for path in strange.iterdir() for row in list(csv.reader(path.open(newline="")))[3:] for cell in row if len(cell) > 4}
    assert not [cell for cell in cells if cell in out.read_text() or cell in told]


def test_the_draft_reads_the_export_and_every_row_is_accounted_for(strange: Path, tmp_path: Path) -> None:
    out = tmp_path / "strange.yaml"
    mapped(strange, out)
    result = CliRunner().invoke(app, ["check", str(strange), "--source", str(out), "--user", "JD <jd@firm.example>", "--user", "RR <rr@firm.example>", "--account-owner", "--primary-subscriber", "jd@firm.example", "--json"])
    data = json.loads(result.stdout[result.stdout.index("{") :])
    assert {name: (one["rows"], one["quarantined"]) for name, one in data["types"].items()} == {"contact": (60, 0), "matter": (80, 0), "time_entry": (200, 0)}
    assert [(one["file"], one["rows"]) for one in data["unknown"]] == [("Weird.csv", 31)]


def test_a_known_export_needs_no_draft(tmp_path: Path) -> None:
    out = tmp_path / "draft.yaml"
    told = mapped(Path(__file__).parents[2] / "samples" / "clio-small" / "export", out)
    assert {one["by"] for one in told["lists"]} == {"Clio Manage"} and not out.exists()  # type: ignore[attr-defined]
    assert mapped(Path(__file__).parents[2] / "samples" / "clio-small" / "export", out, "--all")["draft"] == str(out)
    assert "own_contacts" in yaml.safe_load(out.read_text())["tables"]


@pytest.mark.parametrize("heading", ["👨\u200d👩 Family", "a\U000e0001b", "it's: #1 [x]", "- {a: b}", "yes", "\x07bell", "'quoted'", "*star &and", "# comment", "null"])
def test_headings_of_any_kind_stand_in_the_draft_as_they_are(tmp_path: Path, heading: str) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    write(folder, "c.csv", ["Surname", "E-mail", heading], [[f"Smith{n}", f"a{n}@x.example", f"v{n}"] for n in range(9)])
    out = tmp_path / "odd.yaml"
    mapped(folder, out, "--all")
    table = next(iter(yaml.safe_load(out.read_text())["tables"].values()))
    assert heading in [*table["evidence"]]
    profiles.look_in(tmp_path)
    assert profiles.load_profile("odd").headings("own_c")


def test_a_list_without_a_header_gives_no_cell_away(tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    write(folder, "bare.csv", ["Okafor", "Ann", "ann@x.example"], [["Rossi", "Eve", "eve@x.example"], ["Toth", "Gus", "gus@x.example"]])
    write(folder, "names.csv", ["Okafor", "Concord"], [["Rossi", "Dover"], ["Toth", "Keene"]])
    write(folder, "twice.csv", ["Name", "Name", "E-mail"], [["Okafor", "Ann", "ann@x.example"], ["Toth", "Gus", "gus@x.example"]])
    out = tmp_path / "bare.yaml"
    write(folder, "known.csv", ["Jane SECRETSON", "Divorce Matter", "Open", "Alice Lawyer", "2024-01-01"], [["Bob SECRETMAN", "Sale of House", "Closed", "Alice Lawyer", "2024-01-04"]])
    write(folder, "street.csv", ["SECRET0 Person", "Smith Street", "SECRETX Town"], [["SECRET1 Person", "Jones Street", "SECRETY Town"]] * 5)
    told = {one["list"]: one["by"] for one in mapped(folder, out, "--all")["lists"]}  # type: ignore[attr-defined]
    assert told == {"bare.csv": "no row of it reads as a header", "names.csv": "no row of it reads as a header", "twice.csv": "proposed", "known.csv": "no row of it reads as a header", "street.csv": "no row of it reads as a header"}
    assert not [word for word in ("Okafor", "Rossi", "Concord", "Gus", "x.example", "SECRET") if word in out.read_text()]


def test_values_speak_where_headings_do_not(tmp_path: Path) -> None:
    folder = tmp_path / "mute"
    folder.mkdir()
    write(folder, "log.csv", ["Xa", "Xb", "Xc"], [[f"2024-05-{n + 10}", "JD", "A long account of what was said on that day, " * 4] for n in range(9)])
    assert mapped(folder, tmp_path / "mute.yaml")["lists"][0]["is"] == "note"  # type: ignore[index]


def test_a_sheet_points_at_the_sheet_it_means_and_at_no_other(tmp_path: Path) -> None:
    import xlsxwriter

    folder = tmp_path / "book"
    folder.mkdir()
    with xlsxwriter.Workbook(folder / "w.xlsx") as book:
        for name, rows in {
            "Mtrs": [["MtrNum", "Descr", "ClntNm", "Stat"], *([f"M-{n}", f"About {n}", "Okafor", "Open"] for n in range(8))],
            "Ppl": [["Code", "ClLName", "EmlAddr"], *([f"P-{n}K", "Okafor", f"a{n}@x.example"] for n in range(8))],
            "Nts": [["Whom", "Note", "NoteDt"], *([f"P-{n}K", "said " * 40, f"2024-05-1{n}"] for n in range(8))],
        }.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    out = tmp_path / "book.yaml"
    told = {one["list"]: one for one in mapped(folder, out)["lists"]}  # type: ignore[attr-defined]
    assert told["w.xlsx › Nts"]["points"] == ["'Whom' points at 'Code' of w.xlsx › Ppl: 100% of its values are there"]
    assert "matter" not in yaml.safe_load(out.read_text())["tables"]["own_w_nts"]["columns"]


def test_a_profile_that_is_no_yaml_is_told_as_one(strange: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text('a: "\\ud83d"\n')
    result = CliRunner().invoke(app, ["check", str(strange), "--source", str(tmp_path / "bad.yaml")])
    assert result.exit_code == 2 and "it is not YAML" in result.output + result.stderr


def test_where_nothing_is_proposed_the_draft_still_loads(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    write(folder, "q.csv", ["Q1", "Q2"], [[n, n * n] for n in range(9)])
    out = tmp_path / "none.yaml"
    assert mapped(folder, out)["lists"][0]["is"] == ""  # type: ignore[index]
    profiles.look_in(tmp_path)
    assert profiles.load_profile("none").product == "none"


def test_words_are_read_through_their_spellings() -> None:
    assert words_in("ClientLName") == words_in("client_l_name") == ("client", "last", "name")
    assert words_in("dtOpened") == ("date", "open") and words_in("ATTY") == ("attorney",)
    assert likenesses("contact", "Surname")[0].share == 1.0
    assert likenesses("contact", "FavColour") == ()


def test_a_column_is_told_by_its_cells() -> None:
    import polars as pl

    def kind(*cells: str) -> str:
        return describe(0, "x", pl.Series("c", list(cells), dtype=pl.String)).shown.split(";")[0]

    assert kind("3/14/2022", "4/15/2022") == "100% days"
    assert kind("2024-05-31T10:15:00Z", "2024-05-30") == "100% days"
    assert kind("(603) 555-0142", "+1 603 555 0101") == "100% telephone numbers"
    assert kind("$1,200.50", "(30.00)") == "100% amounts"
    assert kind("12345", "45678") == "100% whole numbers"
    assert kind("a@b.example", "not one") == "50% e-mail addresses"


def drafted(folder: Path, out: Path) -> dict[str, dict[str, object]]:
    """What stands in the draft, by list."""
    mapped(folder, out, "--all")
    tables: dict[str, dict[str, object]] = yaml.safe_load(out.read_text())["tables"] if out.exists() else {}
    return {name.removeprefix("own_"): one for name, one in tables.items()}


def test_money_held_is_never_proposed_as_money_owed(tmp_path: Path) -> None:
    folder = tmp_path / "e"
    folder.mkdir()
    write(folder, "TRUST.csv", ["CLT_ID", "MTR_NO", "TR_BAL"], [[n, f"M{n}", f"{n}00.50"] for n in range(1, 9)])
    write(folder, "ledger.csv", ["Matter No", "Escrow Client", "Running Balance"], [[f"M{n}", f"C{n}", f"{n}00.50"] for n in range(1, 9)])
    write(folder, "matters.csv", ["Matter Number", "Description", "Status"], [[f"M{n}", "Lease", "Open"] for n in range(1, 9)])
    found = drafted(folder, tmp_path / "d.yaml")
    assert {name: one["record"] for name, one in found.items()} == {"trust": "trust", "ledger": "trust", "matters": "matter"}
    assert found["trust"]["columns"]["matter"] == ["MTR_NO"]  # type: ignore[index]


def test_what_a_column_points_at_says_whose_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "e"
    folder.mkdir()
    write(folder, "student.csv", ["id", "first_name", "last_name", "email"], [[n, f"F{n}", f"L{n}", f"a{n}@x.example"] for n in range(1, 9)])
    write(folder, "incident.csv", ["id", "student_id", "description", "opened"], [[n, 9 - n, f"Case {n}", f"2024-01-1{n}"] for n in range(1, 9)])
    write(folder, "fee_account.csv", ["student_id", "balance due"], [[n, f"{n}.50"] for n in range(1, 9)])
    found = drafted(folder, tmp_path / "d.yaml")
    assert found["student"]["columns"]["source_id"] == ["id"]  # type: ignore[index]
    assert found["incident"]["columns"]["client"] == ["student_id"]  # type: ignore[index]
    assert "matter" not in found["fee_account"]["columns"] and found["fee_account"]["columns"]["client"] == ["student_id"]  # type: ignore[index,operator]


def test_what_lies_below_full_rows_is_no_header(tmp_path: Path) -> None:
    folder = tmp_path / "e"
    folder.mkdir()
    write(folder, "c.csv", ["Mandantschaft", "Wohnort", "Zahlend"], [["Ann SECRET", "Dover", "J"], ["Bob SECRET", "Keene", "Q"], ["Cleo SECRET", "Derry", "N"], ["Dan SECRET", "Troy", "N"]])
    mapped(folder, tmp_path / "d.yaml", "--all")
    assert not (tmp_path / "d.yaml").exists() or "SECRET" not in (tmp_path / "d.yaml").read_text()


def test_a_draft_may_be_renamed_and_lie_beside_anything_and_is_never_written_over(tmp_path: Path) -> None:
    folder, drafts = tmp_path / "e", tmp_path / "drafts"
    folder.mkdir()
    drafts.mkdir()
    write(folder, "p.csv", ["LName", "FName", "EMailAddr"], [[f"L{n}", f"F{n}", f"a{n}@x.example"] for n in range(9)])
    write(folder, "q.csv", ["LName", "DossierRef", "Topic", "Stat"], [[f"L{n}", f"M{n}", "Lease", "Open"] for n in range(9)])
    mapped(folder, drafts / "draft.yaml")
    (drafts / "docker-compose.yaml").write_text("services: {}\n")
    (drafts / "broken.yaml").write_text("a: [")
    edited = (drafts / "draft.yaml").rename(drafts / "mine.yaml")
    result = CliRunner().invoke(app, ["check", str(folder), "--source", str(edited), "--account-owner", "--primary-subscriber", "jd@firm.example", "--user", "JD <jd@firm.example>", "--json"])
    data = json.loads(result.stdout[result.stdout.index("{") :])
    assert {name: one["rows"] for name, one in data["types"].items()} == {"contact": 9, "matter": 9}
    again = CliRunner().invoke(app, ["map", "draft", str(folder), "--out", str(edited)])
    assert again.exit_code == 2 and "CF-150" in again.output and "source: 'draft'" in edited.read_text()
    assert CliRunner().invoke(app, ["map", "draft", str(folder), "--out", str(tmp_path / "nowhere" / "d.yaml")]).exit_code == 2
    assert CliRunner().invoke(app, ["map", "draft", str(folder), "--out", str(tmp_path)]).exit_code == 0 and (tmp_path / "draft.yaml").is_file()


def test_headings_without_their_spaces_are_known(tmp_path: Path) -> None:
    folder = tmp_path / "e"
    folder.mkdir()
    write(folder, "Cards.csv", ["FIRSTNAME", "LastName", "EmailAddress"], [["Ann", "Able", "a@x.example"]])
    assert [(one["is"], one["by"]) for one in mapped(folder, tmp_path / "d.yaml")["lists"]] == [("cards", "LEAP")]  # type: ignore[attr-defined]


def test_a_question_about_letters_is_asked_and_its_answer_taken(tmp_path: Path) -> None:
    folder = tmp_path / "dos"
    folder.mkdir()
    rows = [["Surname", "E-mail", "Phone"], *(["PEÑA-BA, BOB" if n == 1 else f"SMITH-{chr(65 + n)}A, BOB", f"a{n}@x.example", f"(603) 555-030{n}"] for n in range(9))]
    (folder / "c.txt").write_bytes("\r\n".join("|".join(row) for row in rows).encode("cp850"))
    asked = CliRunner().invoke(app, ["map", str(folder), "--out", str(tmp_path / "d.yaml")])
    assert asked.exit_code == 1 and "CF-146" in asked.output and "options" in asked.output and not (tmp_path / "d.yaml").exists()
    (folder / "migration.json").write_text('{"options": {"encoding": "cp850"}}')
    assert mapped(folder, tmp_path / "d.yaml", "--all")["lists"][0]["is"] == "contact"  # type: ignore[index]


def test_a_later_export_that_differs_from_the_draft_is_told_as_changed(strange: Path, tmp_path: Path) -> None:
    out = tmp_path / "strange.yaml"
    mapped(strange, out)
    told = []
    for folder in (strange, tmp_path / "later"):
        if folder != strange:
            folder.mkdir()
            for path in strange.iterdir():
                (folder / path.name).write_text(path.read_text().replace("BirthDt", "DateOfBirth").replace("FavColour", "Shoe"))
        result = CliRunner().invoke(app, ["check", str(folder), "--source", str(out), "--user", "JD <jd@firm.example>", "--user", "RR <rr@firm.example>", "--account-owner", "--primary-subscriber", "jd@firm.example", "--json"])
        data = json.loads(result.stdout[result.stdout.index("{") :])
        told.append([note["detail"] for note in data["findings"] if note["rule"] == "layout_changed"])
    assert told == [[], ["changed since profile v1: renamed: 'BirthDt' may now be 'DateOfBirth' (0.78: it means nearly the same, it holds days too, it stands in the same place); new: 'Shoe'; missing: 'FavColour'"]]
