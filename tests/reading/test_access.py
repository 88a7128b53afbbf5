"""Access databases: what the converter is asked, and what becomes of its answer, its complaints and its failures.

Its programs are stood in for here; how they answer was seen on mdbtools 1.0 with databases of every version of Access.
"""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from caseferry.reading.measured import measured
from tests.crossing import Crossed, Crossings, firm

JET4 = b"\x00\x01\x00\x00Standard Jet DB\x00\x01".ljust(4096, b"\0") * 2
MATTERS = '"Matter No","Description","Client","Status","Open Date","Person Responsible"\\n"24-0001","Sale ""as is"",\\r\\nwith a line","Smith, John","Open","2024-05-31 00:00:00","Jane Doe"\\n'
Converter = Callable[..., None]


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Converter:
    """Puts programs in the place of mdbtools'; each is a shell script that is given the words behind `--` as `$path` and `$table`."""
    here = tmp_path / "bin"
    here.mkdir()

    def install(tables: str = "tblMatters", linked: str = "", export: str = f"printf '{MATTERS}'", schema: str = ":") -> None:
        begin = '#!/bin/sh\nall="$*"; while [ "$1" != -- ]; do shift; done; path="$2"; table="$3"\n'
        listing = f'case "$all" in "-1 -t table -- "*) printf \'%b\' \'{tables}\';; "-1 -t linkedtable -- "*) printf \'%b\' \'{linked}\';; *) exit 9;; esac\n'
        exporting = f'case "$all" in "-B -b strip -D %Y-%m-%d -T %Y-%m-%d %H:%M:%S -- "*) {export};; *) exit 9;; esac\n'
        for name, script in (("mdb-tables", listing), ("mdb-export", exporting), ("mdb-schema", f"{schema}\n")):
            (here / name).write_text(begin + script)
            (here / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{here}:/usr/bin:/bin")

    return install


def crossed(crossing: Crossings, data: bytes = JET4, **settings: object) -> Crossed:
    return crossing({"cards.csv": firm()["cards.csv"], "more.csv": firm()["matters.csv"].replace("24-0001", "24-0009"), "old.mdb": data}, settings=settings or None)  # type: ignore[arg-type]


def unread(run: Crossed) -> list[tuple[str, str]]:
    return [(note["where"], note["detail"]) for note in run.noted("unreadable_file")]


def test_without_a_converter_it_says_what_to_do(crossing: Crossings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert [(where, "mdbtools" in detail) for where, detail in unread(crossed(crossing))] == [("old.mdb", True)]


def test_its_tables_are_read_and_access_has_tables_of_its_own(crossing: Crossings, converter: Converter) -> None:
    converter(tables="tblMatters\\nMSysCompactError\\n~TMPCLP1\\n")
    run = crossed(crossing)
    assert [(t["file"], t["sheet"], t["kind"]) for t in run.split["tables"] if t["file"] == "old.mdb"] == [("old.mdb", "tblMatters", "matters")]
    (row,) = [row for row in run.rows("02_matters") if row["custom_number"] == "24-0001"]
    assert (row["open_date"], row["description"]) == ("05/31/2024", 'Sale "as is",\r\nwith a line')
    assert not unread(run)


def test_days_times_and_numbers_read_as_they_do_in_the_database(crossing: Crossings, converter: Converter) -> None:
    rows = 'Subject,Start Date,Start Time,End Date,All Day,Matter No\\n"Hearing","2024-06-12 00:00:00","1899-12-30 09:30:00","2024-06-12 00:00:00",FALSE,"24-0009"\\n'
    converter(tables="Appointments\\n", export=f"printf '{rows}'", schema="printf '\\t[Start Date]\\t\\tDateTime, \\n\\t[Start Time]\\t\\tDateTime, \\n\\t[End Date]\\t\\tDateTime\\n'")
    run = crossed(crossing)
    assert [(r["start_date"], r["start_time"], r["end_date"], r["end_time"]) for r in run.rows("calendar_events")] == [("06/12/2024", "09:30:00", "06/12/2024", "")]
    assert not run.found("ends_before_it_starts")


def test_numbers_lose_the_noise_of_their_binary_form_and_nothing_else() -> None:
    cells = [("Rate", "Discount", "Note"), ("0.6000000000000001", "0.050000001", "0.6000000000000001"), ("-1234.5", "0.15", "x"), ("1e-05", "12345.678", None), (None, "no", "y")]
    frame = pl.DataFrame(cells, schema=["c0", "c1", "c2"], orient="row").with_row_index("row", offset=1)
    (made,) = measured(iter([frame]), {"Rate": "Double", "Discount": "Single"})
    assert made.drop("row").rows()[1:] == [("0.6", "0.05", "0.6000000000000001"), ("-1234.5", "0.15", "x"), ("1e-05", "12345.678", None), (None, "no", "y")]


def test_what_the_converter_leaves_out_is_told(crossing: Crossings, converter: Converter) -> None:
    export = f"printf '{MATTERS}\"24-0002\",\"Old\",\"Smith, John\",\"Open\",\"1900-01-00 00:00:00\",\"Jane Doe\"\\n'; echo 'Warning: mdb_col_to_string called on unsupported data type 20.' >&2"
    converter(tables="tblMatters\\n", linked="tblClients\\n", export=export, schema="printf '\\t[Photo]\\t\\t\\tOLE (255), \\n\\t[Notes]\\t\\tMemo/Hyperlink (255)\\n'")
    run = crossed(crossing)
    told = {one["rule"]: (one["where"], one["count"]) for one in run.split["findings"] if one["where"] == "old.mdb › tblMatters"}
    assert told == {rule: ("old.mdb › tblMatters", 1) for rule in ("binary_columns_not_read", "column_types_not_read", "days_not_told")}
    assert [where for where, detail in unread(run) if "send that one too" in detail] == ["old.mdb › tblClients"]
    assert [one["value"] for one in run.found("date_unreadable")] == ["1900-01-00 00:00:00"]


@pytest.mark.parametrize("export", [
    "exit 1", "printf 'a,b\\n1,2\\n'; echo 'mdb_read_table: Page 2 is not a valid table definition page' >&2", "yes 'Warning: mdb_col_to_string called on unsupported data type 0.' >&2",
    "printf '\\377\\376\\000a'",
])  # fmt: skip
def test_a_table_that_is_damaged_costs_no_other_and_ends_no_worker(crossing: Crossings, converter: Converter, export: str) -> None:
    converter(tables="tblBroken\\ntblMatters\\n", export=f'if [ "$table" = tblBroken ]; then {export}; else printf \'{MATTERS}\'; fi')
    run = crossed(crossing)
    assert [where for where, _ in unread(run)] == ["old.mdb › tblBroken"]
    assert "24-0001" in {row["custom_number"] for row in run.rows("02_matters")}


@pytest.mark.parametrize(("data", "says"), [(JET4[:-100], "cut off"), (b"\x00\x01\x00\x00Standard ACE DB\x00\x03".ljust(700, b"\0") + b'<?xml version="1.0"?><encryption>'.ljust(3396, b"\0"), "password")])
def test_a_database_that_is_cut_off_or_locked_says_so(crossing: Crossings, converter: Converter, data: bytes, says: str) -> None:
    converter()
    assert [(where, says in detail) for where, detail in unread(crossed(crossing, data))] == [("old.mdb", True)]


def test_one_the_converter_can_not_open_and_one_without_tables_say_so(crossing: Crossings, converter: Converter) -> None:
    converter(tables="", linked="")
    assert unread(crossed(crossing)) == [("old.mdb", "CF-123 it holds no table")]
    converter(tables="'; exit 1; '")
    assert [(where, "password" in detail) for where, detail in unread(crossed(crossing))] == [("old.mdb", True)]


def test_a_converter_that_hangs_or_floods_is_ended(crossing: Crossings, converter: Converter) -> None:
    converter(export="sleep 60")
    assert [detail[:6] for _, detail in unread(crossed(crossing, limits={"seconds": 5}))] == ["CF-130"]
