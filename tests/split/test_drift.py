"""A layout that is not the one a profile was written for is told, column by column."""

import pytest

from samples.sources import export
from tests.crossing import Crossings, firm


@pytest.mark.requirement("E69")
def test_what_most_exports_hold_and_this_one_does_not_is_named(crossing: Crossings) -> None:
    run = crossing({name: data for name, data in export("clio", "solo").items() if name != "migration.json"}, source="clio")
    assert {note["where"] for note in run.noted("list_not_sent")} == {"receivables", "calendar", "document"}


def test_columns_that_are_new_missing_or_renamed_are_told(crossing: Crossings) -> None:
    files = {name: data.decode() for name, data in export("clio", "solo").items() if name.endswith(".csv")}
    assert crossing(files, source="clio").noted("layout_changed") == []
    changed = files["matters.csv"].replace("Practice Area", "Practice Areas", 1).replace("Close Date", "Closed Date", 1).replace("Originating Attorney", "Budget Owner", 1)
    notes = crossing(files | {"matters.csv": changed}, source="clio").noted("layout_changed")
    assert [(note["where"], note["count"]) for note in notes] == [("matters.csv", 4)]
    detail = notes[0]["detail"]
    assert detail.startswith("changed since profile v1: ")
    assert "'Practice Area' is now 'Practice Areas'" in detail
    assert "'Close Date' is now 'Closed Date'" in detail
    assert "new: 'Budget Owner'" in detail
    assert "missing: 'Originating Attorney'" in detail


@pytest.mark.requirement("E69")
def test_a_column_that_the_profile_knows_is_not_new(crossing: Crossings) -> None:
    files = {name: data.decode() for name, data in export("clio", "solo").items() if name.endswith(".csv")}
    header, *rows = files["matters.csv"].splitlines()
    for more, told in (("Location", []), ("Location,Budget", ["changed since profile v1: new: 'Budget'"])):
        text = "\n".join([f"{header},{more}", *(row + ",x" * len(more.split(",")) for row in rows)])
        assert [note["detail"] for note in crossing(files | {"matters.csv": text}, source="clio").noted("layout_changed")] == told


def test_where_no_layout_is_known_a_likely_new_name_is_told(crossing: Crossings) -> None:
    cards = 'Card Name,First Name,Last Name,Email,Mobile,Job Titles\n"Smith, John",John,Smith,,0412 345 678,Baker\n'
    notes = crossing(firm(cards=cards)).noted("layout_changed")
    assert [note["detail"] for note in notes] == ["changed since profile v1: renamed: 'job title' may now be 'Job Titles'"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Open Date", "Date Instructed", "'Open Date' is now 'Date Instructed'"),  # it means the same, holds days, and stands there
        ("Close Date", "Finalized", "'Close Date' may now be 'Finalized' (0.66: it holds days too, it stands in the same place)"),
        ("Matter Stage", "Stage of Matter", "'Matter Stage' is now 'Stage of Matter'"),
        ("Responsible Attorney", "Budget", "new: 'Budget'; missing: 'Responsible Attorney'"),
    ],
)
def test_a_renamed_column_is_told_by_words_values_and_place_with_its_confidence(crossing: Crossings, old: str, new: str, said: str) -> None:
    files = {name: data.decode() for name, data in export("clio", "solo").items() if name.endswith(".csv")}
    detail = crossing(files | {"matters.csv": files["matters.csv"].replace(old, new, 1)}, source="clio").noted("layout_changed")[0]["detail"]
    assert said in detail, detail


def test_a_column_of_other_values_takes_no_place(crossing: Crossings) -> None:
    files = {name: data.decode() for name, data in export("clio", "solo").items() if name.endswith(".csv")}
    header, *rows = files["matters.csv"].splitlines()
    text = "\n".join([header.replace("Open Date", "Date Instructed", 1), *(row.replace("20", "xx") for row in rows)])
    detail = crossing(files | {"matters.csv": text}, source="clio").noted("layout_changed")[0]["detail"]
    assert "missing: 'Open Date'" in detail and "new: 'Date Instructed'" in detail
