"""Mapped targets: what the YAML says becomes of the records, and nothing is lost on the way into any target."""

import io
import re
from pathlib import Path

import icalendar
import openpyxl
import pytest
import vobject  # type: ignore[import-untyped]

from caseferry.mapping.mapped import load_mapped
from caseferry.mapping.profile import ProfileError, known_sources, load_profile
from caseferry.mapping.target import TARGETS
from caseferry.records.neutral import NEUTRAL
from tasks.merge.targets.headings import headings_of
from tests.conftest import SAMPLE
from tests.crossing import ONE_MATTER, Crossed, Crossings, firm
from tests.targets.firms import CARDS, DEBTORS, JOHN, MAPPED, TRUST


def statuses(run: Crossed) -> dict[str, str]:
    """Who is in an audience, and as what; a file holds one status only."""
    files = {name: run.fitted("mailchimp", name) for name in ("01_unsubscribed", "02_subscribed")}
    assert all({line["Status"] for line in lines} <= {name[3:]} for name, lines in files.items())
    return {line["Email Address"]: line["Status"] for lines in files.values() for line in lines}


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> Crossed:
    """The sample firm, carried into every mapped target at once, and into Clio."""
    crossings = Crossings(tmp_path_factory.mktemp("everywhere"))
    import json

    choices = json.loads((SAMPLE / "migration.json").read_text()) | {"also": MAPPED, "time_zone": "America/New_York"}
    services = crossings.services()
    services.store.put("migrations/firm/trial/migration.json", json.dumps(choices).encode())
    return crossings.upload(services, (SAMPLE / "LEAP-export.zip").read_bytes(), "LEAP-export.zip").approved()


@pytest.mark.requirement("E65", "E66", "E67", "E14")
@pytest.mark.parametrize("name", MAPPED)
def test_every_record_is_in_a_file_waits_or_lies_beside(everywhere: Crossed, name: str) -> None:
    ledger = everywhere.target(name)
    placed = {t["record"]: t for t in everywhere.ledger["types"]}
    for line in ledger["records"]:
        there = placed[NEUTRAL[line["records"]].record]
        assert line["in_files"] + line["waiting"] + line["not_held"] == there["carried"] + there["derived"], line
    assert {line["records"] for line in ledger["records"]} == {n for n, one in NEUTRAL.items() if placed.get(one.record, {}).get("carried")}
    assert [c["name"] for c in ledger["checks"] if not c["passed"]] == []
    compared = next(c for c in ledger["checks"] if c["name"].endswith("_values"))["detail"]
    assert int(compared.split()[0]) > 500 or name in {"icalendar", "mailchimp"}


@pytest.mark.requirement("E66")
def test_each_target_has_its_own_counts_and_clio_is_what_it_is_alone(everywhere: Crossed, sample: Crossed) -> None:
    told = {t["target"]: sum(r["in_files"] for r in t["records"]) for t in everywhere.ledger["targets"]}
    assert set(told) == set(MAPPED)
    assert len(set(told.values())) > 4
    same = {f["name"]: f["sha256"] for f in everywhere.ledger["files"] if "calendar" not in f["name"]}  # only the time zone was added
    assert same == {f["name"]: f["sha256"] for f in sample.ledger["files"] if "calendar" not in f["name"]}


@pytest.mark.requirement("E74", "E21", "A35", "E104")
def test_every_column_ends_somewhere_in_every_target(everywhere: Crossed) -> None:
    drawn = everywhere.json("3-merge", "field-map.json")
    columns = sum(len(t["columns"]) for t in everywhere.split["tables"])
    assert set(drawn["counts"]) == {"clio", *MAPPED}
    for target, counts in drawn["counts"].items():
        assert sum(counts.values()) == columns, target
        assert counts["mapped"] > 10
    assert all(one["where"] for one in drawn["columns"] if one["becomes"] == "mapped")
    shapes = {sample for one in drawn["columns"] for sample in one["samples"]}
    assert shapes
    assert not any(char.isdigit() and char != "9" for sample in shapes for char in sample)
    page = everywhere.store.get(everywhere.run.at("3-merge", "field-map.html")).decode()
    assert drawn["version"] in page
    assert "abbott" not in page.casefold()
    book = openpyxl.load_workbook(io.BytesIO(everywhere.store.get(everywhere.run.at("3-merge", "field-map.xlsx"))))
    assert book["Field map"].max_row == len(drawn["columns"]) + 1


def test_a_target_that_forgets_a_kind_of_record_does_not_load(tmp_path: Path) -> None:
    text = (TARGETS / "generic_crm.yaml").read_text().replace("not_held:", "other:")
    (tmp_path / "odd.yaml").write_text(text.replace("other:", "not_held: {}\nignored:"))
    with pytest.raises(ProfileError, match="ignored"):
        load_mapped("odd", tmp_path)
    (tmp_path / "odd.yaml").write_text((TARGETS / "generic_crm.yaml").read_text().split("not_held:")[0])
    with pytest.raises(ProfileError, match="trust_balances"):
        load_mapped("odd", tmp_path)


def test_files_over_the_targets_limits_are_cut(crossing: Crossings) -> None:
    cards = CARDS + "".join(f'"Smith{n:04d}, Ann",Ann,Smith{n:04d},,a{n}@x.example,,,,,\n' for n in range(2100))
    matters = ONE_MATTER.split("\n")[0] + "\n" + "".join(f'24-{n:04d},Sale,"Smith{n:04d}, Ann",Open,31/05/2024,Jane Doe\n' for n in range(2100))
    run = crossing(firm(cards=cards, matters=matters), target="quickbooks_online", also=["hubspot"],
                   rules={"targets": {"hubspot": {"files": {"contacts": {"bytes": 20000}}}}}).approved()  # fmt: skip
    assert run.state == "completed_with_differences" or run.state == "completed"
    rows = {f["name"]: f["rows"] for f in run.target("quickbooks_online")["files"] if f["file"] == "customers"}
    assert rows == {"01_customers.csv": 999, "01_customers_2.csv": 999, "01_customers_3.csv": 102}
    files = [f["name"] for f in run.target("hubspot")["files"] if f["file"] == "contacts"]
    sizes = [len(run.store.get(run.run.at("3-merge", "hubspot", "files", name))) for name in files]
    assert len(files) > 5
    assert max(sizes) <= 20000
    assert min(sizes[:-1]) > 19800


def test_what_a_cell_can_not_hold_is_listed_and_what_a_line_lacks_makes_it_wait(crossing: Crossings) -> None:
    long = "L" * 60
    cards = CARDS + JOHN + f'"Roe, Jane",Jane,Roe,,jane@x.example,,,{long},,\nAcme,,,Acme,a@x.example,,,,,\nSolo,Solo,,,s@x.example,,,,,\n'
    matters = ONE_MATTER + '24-0002,Lease,"Solo",Open,31/05/2024,Jane Doe\n'
    tasks = "Task,Due Date,Assigned To,Matter No\nCall,13/07/2024,RR,24-0002\n"
    run = crossing(firm(cards=cards, matters=matters, t=tasks), target="salesforce_fsc").approved()
    people = run.fitted("salesforce_fsc", "02_person_accounts")
    assert [p["LastName"] for p in people] == ["Smith", "Roe"]
    assert people[1]["PersonMailingCity"] == ""
    left = run.fitted("salesforce_fsc", "left_out")
    assert [(line["Column"], line["Value"]) for line in left] == [("PersonMailingCity", long)]
    waiting = run.fitted("salesforce_fsc", "person_accounts_waiting")
    assert [(line["FirstName"], line["Why it waits"]) for line in waiting] == [("Solo", "LastName is missing or can't be held")]
    assert [line["Why it waits"] for line in run.fitted("salesforce_fsc", "tasks_waiting")] == [
        "Case:What.Legacy_Id__c: its record is not in cases_of_people or cases_of_companies or cases_without_account"
    ]
    assert {r["records"]: r["waiting"] for r in run.target("salesforce_fsc")["records"]} == {"contacts": 1, "matters": 1, "tasks": 1}
    assert run.state == "completed_with_differences"


def test_words_the_map_does_not_know_are_counted_until_a_rule_names_them(crossing: Crossings) -> None:
    tasks = "Task,Due Date,Assigned To,Priority,Matter No\nCall,13/07/2024,RR,Frantic,24-0001\nWrite,14/07/2024,RR,Frantic,24-0001\n"
    run = crossing(firm(t=tasks), target="wealthbox").approved()
    assert {"file": "tasks", "column": "Priority", "word": "Frantic", "count": 2} in run.target("wealthbox")["unmapped"]
    rules = {"targets": {"wealthbox": {"files": {"tasks": {"columns": {"Priority": {"values": {"frantic": "High"}}}}}}}}
    run = crossing(firm(t=tasks), target="wealthbox", rules=rules).approved()
    assert run.target("wealthbox")["unmapped"] == []
    assert [line["Priority"] for line in run.fitted("wealthbox", "04_tasks")] == ["High", "High"]


@pytest.mark.requirement("E91")
def test_nobody_is_subscribed_who_did_not_say_so(crossing: Crossings) -> None:
    cards = (
        CARDS + JOHN + '"Yes, Ann",Ann,Yes,,ann@x.example,,,,Yes,\n"No, Ben",Ben,No,,ben@x.example,,,,No,\n'
        '"Out, Cy",Cy,Out,,cy@x.example,,,,yes,Yes\n"Wife, Eve",Eve,Wife,,shared@x.example,,,,Yes,\n"Man, Adam",Adam,Man,,Shared@x.example,,,,,Yes\n'
        '"Mute, Di",Di,Mute,,,,,,Yes,\n'
    )
    run = crossing(firm(cards=cards), target="mailchimp").approved()
    status = statuses(run)
    assert status == {"ann@x.example": "subscribed", "ben@x.example": "unsubscribed", "cy@x.example": "unsubscribed", "shared@x.example": "unsubscribed"}
    waits = {line["Email Address"]: line["Why it waits"] for name in ("unsubscribed", "subscribed", "unasked") for line in run.fitted("mailchimp", f"{name}_waiting")}
    assert waits == {"john@x.example": "Status is missing or can't be held", "Shared@x.example": "Email Address: another line has the same"}
    lines = next(r for r in run.target("mailchimp")["records"] if r["records"] == "contacts")
    assert (lines["in_files"], lines["waiting"], lines["not_held"]) == (4, 2, 1)


@pytest.mark.requirement("E23")
def test_open_invoices_of_a_system_that_bills_on_move_at_a_months_end_or_by_a_person(crossing: Crossings) -> None:
    folder = SAMPLE.parent / "clio-small" / "export"
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".csv"}
    run = crossing(files, source="clio", cut_off="2024-05-17")
    assert run.state == "held"
    assert [(r["code"], "400.00 USD" in r["detail"]) for r in run.reasons] == [("CF-149", True)]
    assert run.release("x", options={"mid_month_confirmed": True}).state.startswith("completed")
    assert crossing(files, source="clio", cut_off="2024-05-31").state.startswith("completed")


@pytest.mark.requirement("E23")
def test_open_invoices_in_the_middle_of_a_month_are_told_whatever_the_source(crossing: Crossings) -> None:
    told = [crossing(firm(d=DEBTORS), cut_off=day).noted("open_invoices_mid_month") for day in ("2024-05-17", "2024-05-31")]
    assert [[note["count"] for note in notes] for notes in told] == [[1], []]
    assert "1 matters with open invoices, 100.10 USD in all, as at 2024-05-17" in told[0][0]["detail"]
    assert {name for name in known_sources() if not load_profile(name).bills_on} == {"leap"}


def test_cards_are_read_back_by_other_code(everywhere: Crossed) -> None:
    for name, version in (("vcard", "4.0"), ("vcard3", "3.0")):
        data = everywhere.store.get(everywhere.run.at("3-merge", name, "files", "01_contacts.vcf"))
        assert all(len(line) <= 75 for line in data.split(b"\r\n"))
        cards = list(vobject.readComponents(data.decode()))
        assert len(cards) == everywhere.target(name)["records"][2]["in_files"] or len(cards) > 600
        assert {card.version.value for card in cards} == {version}
        first = next(card for card in cards if card.uid.value == "C00000")
        assert (first.n.value.family, first.n.value.given, first.adr.value.city) == ("Abbott", "Anna", "Springfield")


def test_calendars_are_read_back_by_other_code(everywhere: Crossed) -> None:
    data = everywhere.store.get(everywhere.run.at("3-merge", "icalendar", "files", "01_events.ics"))
    calendar = icalendar.Calendar.from_ical(data)
    events = list(calendar.walk("VEVENT"))
    assert len(events) == next(r["in_files"] for r in everywhere.target("icalendar")["records"] if r["records"] == "calendar_events")
    assert all(event["UID"] and event["DTSTAMP"] and event["SUMMARY"] for event in events)
    assert {zone["TZID"] for zone in calendar.walk("VTIMEZONE")} == {"America/New_York"}
    moment = next(event for event in events if event["SUMMARY"] == "Client meeting").decoded("DTSTART")
    assert str(moment) == "2024-01-16 09:30:00-05:00"
    assert not calendar.errors


def test_odd_texts_survive_cards_and_calendars(crossing: Crossings) -> None:
    odd = 'a;b,c\\d "q" é漢字' + " long" * 30
    cards = CARDS + f'"Smith, John",John,Smith,,john@x.example,,"{odd.replace(chr(34), chr(34) * 2)}",Leeds,,\n'
    events = f'Subject,Start Date,Start Time,End Date,End Time,All day event,Staff,Notes\n"{odd.replace(chr(34), chr(34) * 2)}",30/06/2024,,31/07/2024,,True,RR,"two\nlines"\n'
    run = crossing(firm(cards=cards, e=events), target="vcard", also=["icalendar", "vcard3"])
    assert run.state == "completed", run.reasons
    card = next(c for c in vobject.readComponents(run.store.get(run.run.at("3-merge", "vcard3", "files", "01_contacts.vcf")).decode()))
    assert card.adr.value.street == odd
    event = icalendar.Calendar.from_ical(run.store.get(run.run.at("3-merge", "icalendar", "files", "01_events.ics"))).walk("VEVENT")[0]
    assert (str(event["SUMMARY"]), str(event["DESCRIPTION"])) == (odd, "two\nlines")
    assert (str(event.decoded("DTSTART")), str(event.decoded("DTEND"))) == ("2024-06-30", "2024-08-01")


def test_the_sample_for_every_target_is_deterministic(crossing: Crossings) -> None:
    files = firm(d=DEBTORS, tr=TRUST)
    digests = []
    for settings in ({}, {"work": {"batch_rows": 1}}):
        run = crossing(files, settings=settings, target="wealthbox", also=["salesforce_fsc"]).approved()
        digests.append({(t["target"], f["name"]): f["sha256"] for t in run.ledger["targets"] for f in t["files"]})
    assert digests[0] == digests[1]


def test_events_that_repeat_are_kept_or_written_once_for_each_time(crossing: Crossings) -> None:
    calendar = """BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:a\r
SUMMARY:Docket\r
DTSTART;TZID=America/New_York:20240603T083000\r
DTEND;TZID=America/New_York:20240603T090000\r
RRULE:FREQ=WEEKLY;UNTIL=20240701T123000Z\r
EXDATE;TZID=America/New_York:20240617T083000\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:b\r
SUMMARY:Odd rule\r
DTSTART;VALUE=DATE:20240610\r
RRULE:FREQ=SOMETIMES\r
END:VEVENT\r
END:VCALENDAR\r
"""
    kept = crossing(firm() | {"c.ics": calendar}, also=["icalendar"])
    assert [r["recurrence"].split("\n")[0] for r in kept.rows("calendar_events")] == ["RRULE:FREQ=WEEKLY;UNTIL=20240701T123000Z", ""]
    assert [f["value"] for f in kept.found("rule_unreadable")] == ["RRULE:FREQ=SOMETIMES"]
    run = crossing(firm() | {"c.ics": calendar}, also=["icalendar"], options={"recurrence": "expand"})
    days = [(r["start_date"], r["end_date"], r["recurrence"]) for r in run.rows("calendar_events")]
    assert days == [(f"{day}/2024", f"{day}/2024", "") for day in ("06/03", "06/10", "06/24", "07/01")] + [("06/10/2024", "06/10/2024", "")]
    assert run.type("calendar_event")["derived"] == 3
    assert run.check("written")["passed"]
    events = icalendar.Calendar.from_ical(run.store.get(run.run.at("3-merge", "icalendar", "files", "01_events.ics"))).walk("VEVENT")
    assert len({str(event["UID"]) for event in events}) == 5
    assert run.state.startswith("completed")


@pytest.mark.requirement("E91")
@pytest.mark.parametrize("mark", ["X", "checked", "on", "01/05/2023", "Opted Out", "unsubscribe", "Y.", "2", "never"])
def test_whatever_stands_in_a_column_of_opt_outs_is_one(crossing: Crossings, mark: str) -> None:
    cards = CARDS + f'"Yes, Ann",Ann,Yes,,ann@x.example,,,,Yes,{mark}\n"Smith, John",John,Smith,,john@x.example,,,,Yes,No\n'
    run = crossing(firm(cards=cards), target="mailchimp").approved()
    assert statuses(run) == {"ann@x.example": "unsubscribed", "john@x.example": "subscribed"}


@pytest.mark.requirement("E91")
def test_an_opt_out_on_a_card_that_is_not_carried_counts(crossing: Crossings) -> None:
    cards = CARDS + JOHN + '"Out, Cy",Cy,Out,,cy@x.example,,,,Yes,\n,,,,cy@x.example,,,,no,\n'
    run = crossing(firm(cards=cards), target="mailchimp").approved()
    assert run.type("contact")["quarantined"] == 1
    assert list(statuses(run).values()) == ["unsubscribed"]


def test_a_zone_nobody_knows_lets_the_event_float_and_says_so(crossing: Crossings) -> None:
    event = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:S\r\nDTSTART;TZID=Nowhere Standard Time:20240603T083000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    run = crossing(firm() | {"c.ics": event}, target="icalendar", also=["salesforce_fsc"]).approved()
    text = run.store.get(run.run.at("3-merge", "icalendar", "files", "01_events.ics")).decode()
    assert "DTSTART:20240603T083000" in text
    assert "X-TIME-ZONE:Nowhere Standard Time" in text
    assert [line["Why it waits"] for line in run.fitted("salesforce_fsc", "events_waiting")] == ["StartDateTime is missing or can't be held"]


@pytest.mark.parametrize("odd", ["two\r\nlines", "a\rb", "nul \x00 in it", "a\x01b", "back\\slash; semi, comma"])
def test_odd_cells_fail_no_card(crossing: Crossings, odd: str) -> None:
    quoted = odd.replace('"', '""')
    cards = f'Card Name,First Name,Last Name,Email,City,Notes\n"Smith, John",John,Smith,,"{quoted}","{quoted}"\n'
    run = crossing(firm(cards=cards), target="vcard", also=["vcard3"])
    assert not [c for c in run.ledger["checks"] if not c["passed"]]


def test_bytes_do_not_depend_on_batches(crossing: Crossings) -> None:
    notes = "Date,Subject,File Note,Matter No\n31/05/2024,S,B,24-0002\n31/05/2024,T,C,24-0001\n"
    calendars = {
        f"{name}.ics": f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:{name}\r\nSUMMARY:S\r\nDTSTART;TZID={zone}:20240603T083000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        for name, zone in (("a", "America/New_York"), ("b", "Europe/Berlin"))
    }
    files = firm(matters=ONE_MATTER + '24-0002,Lease,"Smith, John",Open,31/05/2024,Jane Doe\n', n=notes) | calendars
    digests = []
    for work in ({}, {"part_rows": 1, "batch_rows": 1}):
        run = crossing(files, settings={"work": work}, target="salesforce_fsc", also=["icalendar", "hubspot"]).approved()
        digests.append({(t["target"], f["name"]): f["sha256"] for t in run.ledger["targets"] for f in t["files"]})
    assert digests[0] == digests[1]


def test_custom_fields_may_be_called_anything(crossing: Crossings) -> None:
    names = ["table", "row", "Shoe Size", "Shoe-Size", "鞋", "靴", "Email", "First Name 2", "key"]
    cards = 'Card Name,First Name,Last Name,Email Address,' + ",".join(f'"{n}"' for n in names) + '\n"Smith, John",John,Smith,,' + ",".join(str(n) for n in range(len(names))) + "\n"
    run = crossing(firm(cards=cards), target="generic_crm", also=["salesforce_fsc"], options={"unknown_columns": "custom_field"}).approved()
    assert run.state.startswith("completed"), run.reasons
    for target, file in (("generic_crm", "01_people.csv"), ("salesforce_fsc", "02_person_accounts.csv")):
        header = next(f["header"] for f in run.target(target)["files"] if f["name"] == file)
        assert len({heading.casefold() for heading in header}) == len(header)


def test_a_line_larger_than_a_file_may_be_waits(crossing: Crossings) -> None:
    notes = f"Date,Subject,File Note,Matter No\n31/05/2024,S,{'x' * 5000},24-0001\n31/05/2024,T,short,24-0001\n"
    rules = {"targets": {"hubspot": {"files": {"notes": {"bytes": 3000}}}}}
    run = crossing(firm(n=notes), target="hubspot", rules=rules).approved()
    assert [line["Why it waits"] for line in run.fitted("hubspot", "notes_waiting")] == ["the line is larger than a file may be"]
    assert len(run.fitted("hubspot", "04_notes")) == 1
    assert not [c for c in run.ledger["checks"] if not c["passed"]]


def test_records_no_file_takes_lie_beside_also_where_a_file_has_their_name(crossing: Crossings, tmp_path: Path) -> None:
    from caseferry.mapping import mapped

    text = (TARGETS / "generic_crm.yaml").read_text().replace("target: generic_crm", "target: odd").replace("  people:\n", "  contacts:\n")
    start, end = text.index("  companies:\n"), text.index("  matters:\n    of: matters")
    text = (text[:start] + text[end:]).replace("people.Contact ID, companies.Contact ID", "contacts.Contact ID")
    (tmp_path / "odd.yaml").write_text(text)
    mapped.look_in(tmp_path)
    try:
        run = crossing(firm(cards=CARDS + JOHN + "Acme,,,Acme,a@x.example,,,,,\n"), target="odd").approved()
        assert [line["Last Name"] for line in run.fitted("odd", "01_contacts")] == ["Smith"]
        assert [line["company"] for line in run.fitted("odd", "NOT-AN-IMPORT-FILE_contacts")] == ["Acme"]
        assert not [c for c in run.ledger["checks"] if not c["passed"]]
    finally:
        mapped._OWN.remove(tmp_path)
        mapped.look_in(TARGETS)
        mapped._OWN.remove(TARGETS)


def test_numbers_for_a_target_of_digits_keep_what_is_not_in_them(crossing: Crossings) -> None:
    cards = "Card Name,First Name,Last Name,Email,Phone\nA,Ann,Able,a@x.example,603-555-0100 x12\nB,Bob,Baker,b@x.example,1-603-555-0100; 603-555-0199\nC,Cy,Cole,c@x.example,+1 (603) 555-0101\n"
    run = crossing(firm(cards=cards), target="redtail").approved()
    people = {row["first_name"]: row["phone_number"] for row in run.fitted("redtail", "01_individuals") if row["first_name"] in {"Ann", "Bob", "Cy"}}
    assert people["Ann"] == "6035550100" and people["Cy"] == "16035550101"
    left = [(row["Column"], row["Value"]) for row in run.fitted("redtail", "left_out")]
    assert ("phone_number", "603-555-0100 x12") in left
    assert people["Bob"] or ("phone_number", "1-603-555-0100; 603-555-0199") in left


def test_names_of_fields_made_for_a_target_are_names_it_takes() -> None:
    fields = ["401k Plan", "1.1", "Grüße", "A very long name of a field that somebody once made " * 2, "A very long name of a field that somebody once made, again", "§"]
    made = headings_of("{api}__c", fields, [])
    assert all(re.fullmatch(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_)){0,38}[A-Za-z0-9]__c", heading) for heading in made), made
    assert len({heading.casefold() for heading in made}) == len(fields)
    assert headings_of("{name}", ["Rate", "rate"], []) == ["Rate", "rate 2"]
