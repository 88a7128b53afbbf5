"""What no import carries is listed: nothing of it is ever counted as carried."""

import pytest

from tests.crossing import ONE_MATTER, Crossings, firm, packed

TASKS = "Task,Due Date,Assigned To,Matter No\nFile ADV update,13/07/2024,RR,24-0001\nAdvise client,14/07/2024,RR,24-0001\nAnnual review,15/07/2024,RR,\n"
EVENTS = "Subject,Start Date,Start Time,End Date,End Time,All day event,Staff,Recurrence\nForm CRS mailing,30/06/2024,9:30,30/06/2024,10:00,False,RR,RRULE:FREQ=YEARLY\n"


@pytest.mark.requirement("E13", "E60")
def test_what_a_supervisor_asks_for_is_listed_one_by_one(crossing: Crossings) -> None:
    run = crossing(firm(t=TASKS, e=EVENTS))
    found = run.ledger["inventory"]["compliance"]
    assert found["count"] == 3
    assert [(c["what"], c["day"]) for c in found["listed"]] == [("File ADV update", "07/13/2024"), ("Annual review", "07/15/2024"), ("Form CRS mailing", "06/30/2024")]
    assert found["listed"][2]["repeats"] == "RRULE:FREQ=YEARLY"
    own = crossing(firm(t=TASKS), rules={"source": {"compliance_words": ["advise"]}})
    assert own.ledger["inventory"]["compliance"]["count"] == 3


@pytest.mark.requirement("E17", "E61")
def test_ids_of_other_systems_are_kept_and_the_systems_listed(crossing: Crossings) -> None:
    cards = 'Card Name,First Name,Last Name,Email,Orion Household ID,Shoe Size\n"Smith, John",John,Smith,,H-77,44\n'
    run = crossing(firm(cards=cards))
    assert [(r["field"], r["value"]) for r in run.rows("contact_custom_fields")] == [("Orion Household ID", "H-77")]
    assert [(c["system"], c["kept_as"]) for c in run.ledger["inventory"]["connections"]] == [("Orion (portfolio)", "custom field")]
    every = crossing(firm(cards=cards), options={"unknown_columns": "custom_field"})
    assert sorted(r["field"] for r in every.rows("contact_custom_fields")) == ["Orion Household ID", "Shoe Size"]


@pytest.mark.requirement("E12", "E22", "E26", "E62", "E96")
def test_workflows_templates_and_reports_are_listed_and_not_carried(crossing: Crossings) -> None:
    pdf = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
    files = firm(matters=ONE_MATTER) | {
        "Billing/Aged report.pdf": pdf, "24-0001 Sale/letter.pdf": pdf + b" ", "Templates/Engagement letter.dotx": packed({"[Content_Types].xml": "<Types/>", "word/document.xml": "<document/>"}),
        "Compliance/Form CRS 2023.pdf": pdf + b"  ",
    }  # fmt: skip
    run = crossing(files)
    inventory, page = run.ledger["inventory"], run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert {w["name"] for w in inventory["workflows"]} == {"Intake automation", "Deadline tracking", "Client communication sequences"}
    assert [r["name"] for r in inventory["reports"]] == ["Billing/Aged report.pdf", "Compliance/Form CRS 2023.pdf"]
    assert [r["name"] for r in inventory["records_of_truth"]] == ["Compliance/Form CRS 2023.pdf"]
    assert [(t["format"], t["count"]) for t in inventory["templates"]] == [("dotx", 1)]
    assert all(len(r["sha256"]) == 64 for r in inventory["records_of_truth"])
    assert all(w["effort"] in page for w in inventory["workflows"])
    assert {t["record"] for t in run.ledger["types"] if t["carried"]} == {"contact", "matter"}
    assert run.type("document")["excluded"] == run.type("document")["read"] == 4
    carried = crossing(files, options={"documents": True})
    assert [d["path"] for d in carried.rows("documents.csv")] == ["24-0001 Sale/letter.pdf", "Billing/Aged report.pdf", "Compliance/Form CRS 2023.pdf"]
    assert [(f["value"], f["outcome"]) for f in carried.found("document_template")] == [("Templates/Engagement letter.dotx", "excluded")]
    assert [(x["rows"], x["scope"]) for x in carried.ledger["exclusions"] if x["name"] == "document_template"] == [(1, "made again in the target by hand")]


@pytest.mark.requirement("C06")
def test_what_the_firm_said_is_kept_with_the_run_and_held_against_the_export(crossing: Crossings) -> None:
    said = {"product": "LEAP", "version": "2023.1", "volumes": {"contact": 1, "matter": 5}, "wanted": ["contact", "matter", "note"]}
    run = crossing(firm(), questionnaire=said)
    assert run.json("0-original", "admission.json")["questionnaire"]["version"] == "2023.1"
    assert [(v["record"], v["said"], v["found"]) for v in run.ledger["volumes"]] == [("contact", 1, 1), ("matter", 5, 1), ("note", None, 0)]
    assert "differs" in run.store.get(run.run.at("4-verify", "report.html")).decode()
    assert crossing(firm(), questionnaire={"volumes": {"shoes": 3}}).state == "held"


@pytest.mark.requirement("B05")
def test_practice_areas_and_templates_of_the_account_are_held_against_the_matters(crossing: Crossings) -> None:
    matters = "Matter No,Description,Client,Status,Open Date,Person Responsible,Matter Type\n" + "".join(
        f'24-000{n},Sale,"Smith, John",Open,31/05/2024,Jane Doe,{area}\n' for n, area in enumerate(("Family", "conveyancing", "Probate"))
    )
    areas = crossing(firm(matters=matters), existing_practice_areas=["Family", "Conveyancing"], existing_matter_templates=["Probate"]).ledger["practice_areas"]
    assert [(a["name"], a["action"], a["there"], a["template"]) for a in areas] == [
        ("Family", "reuse", "Family", False), ("Probate", "create", "", True), ("conveyancing", "reuse, in the account's spelling", "Conveyancing", False),
    ]  # fmt: skip


@pytest.mark.requirement("E25")
def test_paths_that_can_not_stay_are_mapped_old_to_new(crossing: Crossings) -> None:
    pdf = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
    files = firm() | {"24-0001 Sale/plan.pdf": pdf, "24-0001 Sale/what? no.pdf": pdf + b" ", "loose.pdf": pdf + b"  ", f"24-0001 Sale/{'x' * 260}.pdf": pdf + b"   "}
    run = crossing(files, options={"documents": True})
    told = {r["old_path"]: (r["new_path"], r["why"].split()[0]) for r in run.rows("document_paths")}
    assert told["24-0001 Sale/what? no.pdf"] == ("24-0001 Sale/what_ no.pdf", "characters")
    assert told["loose.pdf"][1] == "no"
    assert len(told) == 3
    assert "24-0001 Sale/plan.pdf" not in told


@pytest.mark.requirement("A36")
def test_what_a_profile_takes_for_given_is_said(crossing: Crossings) -> None:
    run = crossing(firm())
    assert any("Addresses are moved" in text for text in run.ledger["source"]["assumptions"])
    assert "Addresses are moved" in run.store.get(run.run.at("4-verify", "report.html")).decode()


@pytest.mark.requirement("E13", "E62")
def test_a_category_of_the_old_system_makes_an_event_one_to_sign_for(crossing: Crossings) -> None:
    event = "BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:Lunch {n}\r\nDTSTART:2024060{n}T083000Z\r\n{more}END:VEVENT\r\n"
    text = "BEGIN:VCALENDAR\r\n" + event.format(n=3, more="CATEGORIES:Annual review,ADV\r\n") + event.format(n=4, more="") + "END:VCALENDAR\r\n"
    run = crossing(firm() | {"c.ics": text})
    assert "record of truth" in run.store.get(run.run.at("4-verify", "report.html")).decode()
    listed = run.ledger["inventory"]["compliance"]["listed"]
    assert [(one["type"], one["what"]) for one in listed] == [("calendar_events", "Lunch 3")]
