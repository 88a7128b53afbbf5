import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseferry.choices import Migration
from caseferry.mapping.profile import load_profile
from caseferry.reading.delimited import Delimited
from caseferry.reading.grid import gathered
from caseferry.reading.source import Source
from caseferry.reading.spooled import Spooled
from caseferry.services.scratch import Scratch
from caseferry.tables import cells_of
from tasks.split.recognise import Fit, find_table
from tasks.split.tables import Portion, make_table
from tasks.transform.rows import transform_table
from tasks.transform.sheet import Job
from tests.crossing import CARDS, CHOICES, MATTERS, ONE_CARD, ONE_MATTER, Crossings, firm, noon


def test_values_are_carried_to_the_letter(crossing: Crossings) -> None:
    odd = '=SUM(A1),"  Åsa ","-O’Neill, Jr",,"a@x.example","+44 20 7946 0000 (ask for Sue)"\n'
    row = crossing(firm(cards=CARDS + odd + ONE_CARD.split("\n")[1] + "\n")).rows("01_contacts")[0]
    assert (row["first_name"], row["last_name"], row["primary_phone"]) == ("  Åsa ", "-O’Neill, Jr", "+44 20 7946 0000 (ask for Sue)")


@pytest.mark.requirement("A05", "E37")
def test_every_value_equals_the_source_or_its_change_is_logged(crossing: Crossings) -> None:
    cards = "First Name,Middle Name,Last Name,DOB,Address 1,Address 2,Zip\nJohn,Q,Smith,31/12/1970,1 Main St,Flat 2,01234\n"
    run = crossing(firm(cards=cards, matters=MATTERS + "1,x,John Smith,Open,31/05/2024,JD\n"))
    row = run.rows("01_contacts")[0]
    assert row["business_postal_code"] == "01234"
    assert run.changed("street_joined")[0] | {"table": ""} == {
        "table": "", "row": 2, "field": "street#1", "heading": "Address 1", "rule": "street_joined", "before": "1 Main St", "after": "1 Main St, Flat 2",
    }  # fmt: skip
    assert run.changed("date_read")[0]["before"] == "31/12/1970"
    assert run.ledger["accuracy"]["percent"] == "100"
    log = gzip.decompress(run.store.get(run.run.at("4-verify", "changes.csv.gz"))).decode("utf-8-sig")
    assert '"1 Main St","1 Main St, Flat 2","street_joined"' in log


@pytest.mark.requirement("A06")
def test_a_phone_that_is_none_is_loaded_unchanged_and_listed(crossing: Crossings) -> None:
    run = crossing(firm(cards=ONE_CARD.replace("0412 345 678", "call after 5")))
    assert run.rows("01_contacts")[0]["primary_phone"] == "call after 5"
    assert run.found("phone_format")[0]["outcome"] == "carried"


@pytest.mark.requirement("A07")
def test_an_email_in_the_last_name_is_reported_and_not_moved_unless_approved(crossing: Crossings) -> None:
    cards = CARDS + "x,Ann,ann@y.example,,,\n"
    run = crossing(firm(cards=cards))
    finding = run.found("email_in_name")[0]
    assert (finding["row"], finding["heading"], finding["proposal"]) == (2, "Last Name", "move it to the e-mail address")
    assert run.rows("01_contacts")[0]["last_name"] == "ann@y.example"
    fixed = crossing(firm(cards=cards), options={"fixes": ["email_in_name"]})
    row = fixed.rows("01_contacts")[0]
    assert (row["last_name"], row["email_address"]) == ("", "ann@y.example")
    assert len(fixed.changed("email_in_name")) == 2


@pytest.mark.requirement("A08")
def test_a_phone_in_the_prefix_is_reported(crossing: Crossings) -> None:
    cards = "Title,First Name,Last Name,Email\n0411 222 333,Ann,Lee,a@x.example\n"
    run = crossing(firm(cards=cards))
    assert [(f["row"], f["heading"]) for f in run.found("phone_in_title")] == [(2, "Title")]
    assert run.rows("01_contacts")[0]["title"] == "0411 222 333"


def test_dates_and_companies_in_name_fields_are_reported(crossing: Crossings) -> None:
    cards = CARDS + "a,,Acme Pty Ltd,,,\nb,Ann,31/12/1970,,,\n"
    run = crossing(firm(cards=cards))
    assert run.found("company_in_name") and run.found("date_in_name")


@pytest.mark.requirement("A27")
def test_persons_and_companies_are_told_apart(crossing: Crossings) -> None:
    cards = (
        "Card Name,Card Type,First Name,Last Name,Company,Email\n"
        '"Lee, Ann",,,,,a@x.example\nAcme Pty Ltd,,,,,b@x.example\nMr Bob Ray,,,,,c@x.example\nZenith,,,,,d@x.example\n'
        "Quo Vadis,People,,,,e@x.example\n,,Jo,Kim,Kim & Co,f@x.example\n"
    )
    run = crossing(firm(cards=cards))
    rows = [(r["title"], r["first_name"], r["last_name"], r["company"]) for r in run.rows("01_contacts")][:6]
    assert rows == [("", "Ann", "Lee", ""), ("", "", "", "Acme Pty Ltd"), ("Mr", "Bob", "Ray", ""), ("", "", "", "Zenith"),
                    ("", "Quo", "Vadis", ""), ("", "Jo", "Kim", "Kim & Co")]  # fmt: skip
    assert [f["row"] for f in run.found("person_or_company")] == [5]


@pytest.mark.requirement("A29")
def test_all_addresses_are_kept_and_one_is_primary(crossing: Crossings) -> None:
    cards = "First Name,Last Name,Email 1,Email 2\nAnn,Lee,a@x.example; b@x.example,c@x.example\n"
    run = crossing(firm(cards=cards))
    found = [(d["value"], d["primary"]) for d in run.rows("contact_details") if d["kind"] == "Email"]
    assert found == [("a@x.example", "yes"), ("b@x.example", "no"), ("c@x.example", "no")]
    assert run.rows("01_contacts")[0]["email_address"] == "a@x.example"


@pytest.mark.requirement("A31")
def test_four_kinds_of_numbers_stay_four(crossing: Crossings) -> None:
    cards = "First Name,Last Name,Phone,Home,Mobile,Fax\nAnn,Lee,555-0001 00,555-0002 00,555-0003 00,555-0004 00\n"
    found = {d["kind"]: d["value"] for d in crossing(firm(cards=cards)).rows("contact_details")}
    assert found == {"Phone": "555-0001 00", "Home": "555-0002 00", "Mobile": "555-0003 00", "Fax": "555-0004 00"}


@pytest.mark.requirement("A34")
def test_a_birthday_becomes_a_custom_field_and_an_impossible_one_is_reported(crossing: Crossings) -> None:
    cards = "First Name,Last Name,DOB\nAnn,Lee,31/12/1970\nBob,Ray,31/02/1980\nCy,Fu,13/06/2030\nDi,Wu,01/02/45\n"
    run = crossing(firm(cards=cards))
    fields = [(f["last_name"], f["field"], f["type"], f["value"]) for f in run.rows("contact_custom_fields")]
    assert fields == [("Lee", "Date of Birth", "date", "12/31/1970"), ("Wu", "Date of Birth", "date", "02/01/1945")]
    assert run.found("date_unreadable")[0]["value"] == "31/02/1980"
    assert run.found("birth_in_future")
    assert not any("birth" in name or "dob" in name.lower() for name in run.rows("01_contacts")[0])


@pytest.mark.requirement("A24", "A25")
def test_compliance_fields_exist_for_uk_and_eu_accounts_only(crossing: Crossings) -> None:
    matters = "Matter No,Description,Status,AML Status,Exchange Date,SDLT\n1,x,Open,clear,31/05/2024,1200.00\n"
    uk = crossing(firm(matters=matters), region="uk")
    assert {(f["field"], f["value"]) for f in uk.rows("matter_custom_fields")} >= {("AML Status", "clear"), ("Exchange Date", "31/05/2024"), ("SDLT", "1200.00")}
    plan = {(c["name"], c["type"], c["parent"], c["action"]) for c in uk.ledger["custom_fields"]}
    assert ("Exchange Date", "date", "Matter", "create") in plan
    us = crossing(firm(matters=matters), region="us")
    assert not any(f["field"] == "AML Status" for f in us.all_rows("matter_custom_fields"))
    assert [n["count"] for n in us.noted("field_of_another_region")] == [1, 1, 1]


@pytest.mark.requirement("A25")
def test_existing_custom_fields_are_reused_or_told(crossing: Crossings) -> None:
    cards = "First Name,Last Name,DOB,Website\nAnn,Lee,31/12/1970,w.example\n"
    have = [{"name": "date-of  birth", "parent": "Contact", "type": "date"}, {"name": "Website", "parent": "Contact", "type": "text_line"}]
    run = crossing(firm(cards=cards), existing_custom_fields=have)
    actions = {c["name"]: c["action"] for c in run.ledger["custom_fields"] if c["parent"] == "Contact"}
    assert actions == {"Date of Birth": "reuse", "Website": "conflict"}
    assert run.noted("custom_field_of_another_type")


CELL = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=15)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(*[CELL] * 6), min_size=1, max_size=12))
def test_no_row_is_lost_whatever_its_cells_hold(rows: list[tuple[str, ...]]) -> None:
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["First Name", "Last Name", "Company", "Email", "Mobile", "DOB"])
    writer.writerows(rows)
    read = Delimited(Source.of(text.getvalue().encode()))
    cells = gathered(read.pieces())
    rows_read = Spooled(cells, cells.cells.height, [lambda: cells.cells])
    profile, migration = load_profile("leap"), Migration.model_validate(CHOICES | {"options": {"dates": "dmy"}})
    fit = find_table(cells, profile)
    assert isinstance(fit, Fit)
    with Scratch() as scratch:
        cut = make_table(1, "x.csv", rows_read, fit, profile, migration, Portion(1000, 1 << 20), scratch)
        assert sum(cut.table.lines.values()) == len(rows) + 1
        for part in cut.parts:
            data = cells_of(part)
            result = transform_table(data, Job(cut.table, profile, migration, noon().date()))
            assert result.records["row"].to_list() == data["row"].to_list()


def test_tests_name_the_smallest_firm() -> None:
    assert ONE_MATTER.startswith(MATTERS)


def test_what_follows_a_last_name_is_no_last_name(crossing: Crossings) -> None:
    names = "Mr. Dale Frost Jr.", "Dr. Ann Able MD", "Mr. John Smith, III", "Mrs. Maria de la Cruz"
    matters = ONE_MATTER.split("\n")[0] + "\n" + "".join(f'24-000{n},Sale,"{name}",Open,31/05/2024,Jane Doe\n' for n, name in enumerate(names))
    run = crossing(firm(matters=matters))
    found = {(row["client_first_name"], row["client_last_name"], row["client_company_name"]) for row in run.rows("02_matters")}
    assert {("Dale", "Frost Jr.", ""), ("Ann", "Able MD", ""), ("Maria de la", "Cruz", "")} <= found


def test_three_addresses_are_never_one(crossing: Crossings) -> None:
    cards = "Type,Name,First Name,Last Name,Primary Email Address,Primary Address Street,Primary Address City,Home Address Street,Work Address Street\n"
    cards += "Person,Ann Able,Ann,Able,a@x.example,1 Elm,Salem,2 Oak,3 Ash\n"
    matters = "Display Number,Description,Client,Status,Responsible Attorney,Open Date\n00001-Able,Will,Ann Able,Open,Jane Doe,2024-05-31\n"
    run = crossing({"contacts.csv": cards, "matters.csv": matters}, source="clio")
    assert [row["business_street"] for row in run.rows("01_contacts")] == ["1 Elm"]
    assert {(row["field"], row["value"]) for row in run.rows("contact_custom_fields")} >= {("Home Address Street", "2 Oak"), ("Work Address Street", "3 Ash")}
