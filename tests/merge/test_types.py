"""Each of the twelve types the target takes, and each kind it does not."""

import json
from pathlib import Path

import pytest

from tests.crossing import CARDS, ONE_CARD, ONE_MATTER, Crossed, Crossings, firm

TIME = "Date,Matter No,Staff,Description,Hours,Rate,Amount,Billed,Invoice No\n"


@pytest.mark.requirement("B06")
def test_contacts_add_up(crossing: Crossings) -> None:
    cards = ONE_CARD + ONE_CARD.split("\n")[1] + "\n,,,,nameless@x.example,\nAcme Ltd,,,Acme Ltd,a@x.example,\n"
    run = crossing(firm(cards=cards))
    assert run.type("contact") | {"title": ""} == {"record": "contact", "title": "", "read": 4, "carried": 2, "merged": 1, "excluded": 0, "quarantined": 1, "derived": 0}
    assert len(run.rows("01_contacts")) == 2


@pytest.mark.requirement("B08")
def test_relations_keep_both_ends_and_their_label(crossing: Crossings) -> None:
    run = crossing(firm(p='Matter No,Contact Name,Role\n24-0001,"Smith, John",Witness\n24-0001,"Gone, Long",Judge\n99-9999,"Smith, John",Judge\n'))
    assert [(r["matter"], r["contact"], r["relationship"]) for r in run.rows("related_contacts")] == [("24-0001", "John Smith", "Witness")]
    assert {f["rule"] for f in run.notes("findings") if f["outcome"] == "quarantined"} == {"contact_not_in_export", "matter_not_in_export"}


@pytest.mark.requirement("B09")
def test_tasks_keep_what_they_say(crossing: Crossings) -> None:
    tasks = "Task,Due Date,Assigned To,Status,Matter No\nFile motion,30/06/2024,RR,Done,24-0001\nCall,13/07/2024,Sam Former,,24-0001\n"
    rows = crossing(firm(t=tasks)).rows("tasks")
    assert [(r["name"], r["due_date"], r["assignee"], r["status"], r["matter"]) for r in rows] == [
        ("File motion", "06/30/2024", "Richard Roe", "Complete", "24-0001"), ("Call", "07/13/2024", "Jane Doe", "Pending", "24-0001"),
    ]  # fmt: skip


@pytest.mark.requirement("B10")
def test_notes_hang_on_a_matter_or_a_contact_or_wait(crossing: Crossings) -> None:
    notes = 'Date,Subject,File Note,Matter No,Client\n31/05/2024,S,"Two\nlines",24-0001,\n31/05/2024,T,B,,"Smith, John"\n31/05/2024,U,C,,\n31/05/2024,V,D,99-9999,\n'
    run = crossing(firm(n=notes))
    assert [(r["matter"], r["date"], r["subject"], r["note"]) for r in run.rows("matter_notes")] == [("24-0001", "05/31/2024", "S", "Two\nlines")]
    assert [(r["contact"], r["subject"]) for r in run.rows("contact_notes")] == [("John Smith", "T")]
    assert {f["rule"] for f in run.notes("findings") if f["outcome"] == "quarantined"} == {"no_parent", "matter_not_in_export"}


@pytest.mark.requirement("B11")
def test_events_keep_times_zone_owner_and_matter(crossing: Crossings) -> None:
    events = (
        "Subject,Start Date,Start Time,End Date,End Time,All day event,Staff,Matter No,Recurrence\n"
        "24-0001 - hearing,30/06/2024,9:30 AM,30/06/2024,10:30 PM,False,RR,,\nHoliday,13/07/2024,,14/07/2024,,True,Jane Doe,24-0001,weekly\n"
    )
    run = crossing(firm(e=events), time_zone="Europe/London")
    keys = ("summary", "start_date", "start_time", "end_date", "end_time", "all_day", "time_zone", "calendar", "matter", "recurrence")
    assert [tuple(r[k] for k in keys) for r in run.rows("calendar_events")] == [
        ("24-0001 - hearing", "06/30/2024", "09:30:00", "06/30/2024", "22:30:00", "", "Europe/London", "Richard Roe", "24-0001", ""),
        ("Holiday", "07/13/2024", "", "07/14/2024", "", "yes", "Europe/London", "Jane Doe", "24-0001", "weekly"),
    ]  # fmt: skip
    assert len(run.found("recurring_event")) == 1
    assert len(crossing(firm(e=events)).found("time_zone_unknown")) == 1


@pytest.mark.requirement("B12")
def test_emails_are_carried_as_communications(crossing: Crossings) -> None:
    mails = "Date,From,To,Subject,Body,Matter No\n31/05/2024 10:15,a@x.example,b@y.example,Hi,=1+1,24-0001\n"
    row = crossing(firm(m=mails)).rows("emails")[0]
    assert [row[k] for k in ("date", "time", "from", "to", "subject", "body", "matter")] == [
        "05/31/2024", "10:15:00", "a@x.example", "b@y.example", "Hi", "=1+1", "24-0001",
    ]  # fmt: skip


@pytest.mark.requirement("B13")
def test_calls_are_carried(crossing: Crossings) -> None:
    calls = "Date,Time,Caller,Call For,Phone Number,Minutes,Message,Matter No\n31/05/2024,2:05 PM,Ann,Jane,555 010 0100,30,-called,24-0001\n"
    row = crossing(firm(c=calls)).rows("phone_logs")[0]
    assert [row[k] for k in ("date", "time", "caller", "callee", "number", "duration_hours", "note", "matter")] == [
        "05/31/2024", "14:05:00", "Ann", "Jane", "555 010 0100", "0.5", "-called", "24-0001",
    ]  # fmt: skip


@pytest.mark.requirement("B14", "B23")
def test_unbilled_time_is_carried_and_billed_time_and_expenses_are_counted(crossing: Crossings) -> None:
    time = TIME + (
        "31/05/2024,24-0001,JD,work,1.5,$200.00,$300.00,No,\n31/05/2024,24-0001,JD,old,1,200,200,Yes,\n31/05/2024,24-0001,RR,old,1,200,200,,INV-1\n"
        "31/05/2024,24-0001,Greta Holm,no licence,1,200,200,,\n31/05/2024,24-0001,,nobody,1,200,200,,\n"
    )
    costs = "Date,Matter No,Expense Type,Description,Amount\n31/05/2024,24-0001,Filing,Court,45.00\n"
    run = crossing(firm(t=time, x=costs))
    rows = run.all_rows("activities")
    assert [tuple(r.values()) for r in rows] == [("24-0001", "05/31/2024", "", "work", "200.00", "1.5", "", "Jane Doe", "")]
    left = {e["name"]: (e["rows"], e["total"]) for e in run.ledger["exclusions"]}
    assert left["billed_time_entries"] == (2, "400")
    assert left["unbilled_expenses"] == (1, "45")
    assert {f["rule"] for f in run.notes("findings") if f["outcome"] == "quarantined"} == {"no_user", "user_not_found"}
    with_costs = crossing(firm(t=time, x=costs), options={"expenses": True})
    assert ("ExpenseEntry", "45.00", "1") in {(r["type"], r["price"], r["quantity"]) for r in with_costs.all_rows("activities")}


def test_units_minutes_fixed_fees_and_odd_amounts(crossing: Crossings) -> None:
    units = "Date,Matter No,Staff,Units,Rate,Amount,Non-billable\n31/05/2024,24-0001,JD,3,100,30,\n31/05/2024,24-0001,JD,,,250.00,\n31/05/2024,24-0001,JD,5,,50.00,Yes\n31/05/2024,24-0001,JD,10,100,99.00,\n"
    run = crossing(firm(t=units))
    assert [(r["price"], r["quantity"], r["non_billable"]) for r in run.all_rows("activities")] == [
        ("100.00", "0.3", ""), ("250.00", "1", ""), ("100.00", "0.5", "yes"), ("100.00", "1", ""),
    ]  # fmt: skip
    assert run.changed("flat_fee_as_one_unit") and run.changed("rate_from_amount")
    assert len(run.found("amount_is_not_rate_times_hours")) == 1
    line = next(m for m in run.ledger["money"] if m["type"] == "time_entry")
    assert (line["difference"], [d["explained"] for d in line["differences"]]) == ("-1.00", [True])


def test_work_is_one_file_for_each_user(crossing: Crossings) -> None:
    run = crossing(firm(t=TIME + "31/05/2024,24-0001,JD,a,1,200,,,\n31/05/2024,24-0001,RR,b,1,200,,,\n"))
    assert [n for n in run.names() if "activities" in n] == ["11_activities_user-01.csv", "11_activities_user-02.csv"]


DEBTORS = 'As at 31/05/2024,,,\nMatter No,Debtor Name,Invoice No,Outstanding\n24-0001,"Smith, John",I1,"1,000.10"\n24-0001,"Smith, John",I2,(0.10)\n24-0002,"Smith, John",I3,5.00\n24-0002,"Smith, John",I4,5.00-\nTotal,,,"1,000.00"\n'
TWO_MATTERS = ONE_MATTER + '24-0002,Will,"Smith, John",Open,31/05/2024,Richard Roe\n24-0003,Lease,"Smith, John",Open,31/05/2024,Richard Roe\n'


@pytest.mark.requirement("B15", "D20", "D21")
def test_receivables_are_one_line_for_each_matter_that_owes(crossing: Crossings) -> None:
    run = crossing(firm(matters=TWO_MATTERS, d=DEBTORS))
    rows = run.all_rows("balances_forward")
    assert [tuple(r.values()) for r in rows] == [
        ("24-0001", "05/31/2024", "Balance Brought Forward from Previous Software", "opening balance as at 2024-05-31", "1000.00", "1")
    ]
    placed = run.type("receivable")
    assert (placed["carried"], placed["merged"], placed["excluded"]) == (1, 1, 2)
    entry = next(f for f in run.ledger["files"] if "balances" in f["name"])
    assert (entry["user"], entry["name"]) == ("Jane Doe", "12_balances_forward_user-01.csv")
    assert run.ledger["to_bill"] == [{"matter": "24-0001", "amount": "1000.00"}]
    assert any("generate bills for 1 matters" in text and "1,000.00 USD" in text for text in run.ledger["todo"])
    assert run.check("money_receivable")["passed"] and run.check("control_totals")["passed"]


@pytest.mark.requirement("B16")
def test_trust_is_one_line_for_each_matter_or_contact(crossing: Crossings) -> None:
    listing = (
        'Trust Trial Balance,,\nAs at 31 May 2024,,\nMatter No,Client,Trust Balance\n24-0001,"Smith, John",100.05\n24-0001,"Smith, John",50.00 CR\n'
        ',"Smith, John",7.00\n,Nobody Known,9.00\n99-9,"Smith, John",3.00\n24-0002,"Smith, John",0.00\n'
    )
    run = crossing(firm(matters=TWO_MATTERS, t=listing))
    rows = [(r["matter"], r["contact"], r["amount"], r["date"], r["currency"]) for r in run.rows("trust_balances")]
    assert rows == [("24-0001", "", "150.05", "05/31/2024", "USD"), ("", "John Smith", "7.00", "05/31/2024", "USD")]
    placed = run.type("trust")
    assert (placed["carried"], placed["merged"], placed["excluded"], placed["quarantined"]) == (2, 1, 1, 2)
    line = next(m for m in run.ledger["money"] if m["type"] == "trust")
    assert (line["exported"], line["written"], line["quarantined"], line["difference"]) == ("169.05", "157.05", "12.00", "0.00")


@pytest.mark.requirement("B17", "D05", "E24")
def test_documents_are_off_until_chosen_and_then_listed_with_hash_and_matter(crossing: Crossings) -> None:
    files = firm() | {"Documents/24-0001 Sale/a.pdf": b"%PDF-1.4 x", "Documents/misc/b.rtf": b"{\\rtf1 x}", "Documents/24-0001/copy.pdf": b"%PDF-1.4 x"}
    off = crossing(files)
    left = next(e for e in off.ledger["exclusions"] if e["name"] == "documents")
    assert left["rows"] == 3 and not off.all_rows("documents")
    on = crossing(files, options={"documents": True})
    assert {(r["path"], r["matter"], r["size"]) for r in on.rows("documents")} == {
        ("Documents/24-0001 Sale/a.pdf", "24-0001", "10"), ("Documents/misc/b.rtf", "", "9"), ("Documents/24-0001/copy.pdf", "24-0001", "10"),
    }  # fmt: skip
    assert len(on.rows("documents")[0]["sha256"]) == 64
    assert on.noted("documents_in_scope")[0]["count"] == 3
    assert len(on.found("document_without_matter")) == 1


LEFT_OUT = {
    "trust_account_transactions": ("B18", "Date,Rec No,Drawer,Amount\n31/05/2024,R1,x,10.00\n31/05/2024,R2,y,5.50\n", "15.5"),
    "trust_account_requests": ("B19", "Trust Request No,Request Date,Matter No,Requested Amount\n1,31/05/2024,24-0001,10.00\n", "10"),
    "trust_account_payments": ("B20", "Trust Payment No,Date,Payee,Amount\n1,31/05/2024,x,10.00\n", "10"),
    "operating_account_transactions": ("B21", "Date,Operating Account,Debit,Credit\n31/05/2024,Main,10.00,\n", "10"),
    "invoices": ("B22", "Invoice No,Invoice Date,Matter No,Total,Status\n1,31/05/2024,24-0001,10.00,Paid\n", "10"),
    "accounts_receivable_ledgers": ("B24", "Date,Transaction No,Debtor Name,Debit,Credit,Balance\n31/05/2024,Inv - 1,x,10.00,,10.00\n", "10"),
    "bill_payments": ("B25", "Payment No,Payment Date,Invoice No,Amount Paid\n1,31/05/2024,9,10.00\n", "10"),
    "historical_bills": ("B26", "Bill No,Bill Date,Matter No,Bill Total\n1,31/05/2024,24-0001,10.00\n", "10"),
    "user_rates": ("B27", "Staff,Hourly Rate\nJane Doe,350.00\n", ""),
    "client_rates": ("B28", "Client,Agreed Rate\nSmith,350.00\n", ""),
    "matter_rates": ("B29", "Matter No,Matter Rate\n24-0001,350.00\n", ""),
    "reports": ("B30", "Report Name,Schedule\nAged WIP,weekly\n", ""),
    "user_permissions": ("B31", "User,Permission\nJane,admin\n", ""),
    "settings": ("B32", "Setting,Value\nAuto numbering,on\n", ""),
    "bank_accounts": ("D06", "Bank Account Name,Account Number\nTrust,123\n", ""),
    "groups": ("D12", "Group Name,Members\nLitigation,Jane\n", ""),
}


@pytest.mark.requirement(
    "A18", "B18", "B19", "B20", "B21", "B22", "B24", "B25", "B26", "B27", "B28", "B29", "B30", "B31", "B32", "D06", "D07", "D08", "D09", "D10",
    "D11", "D12", "C07",
)  # fmt: skip
@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_the_target_does_not_take_is_counted_totalled_and_kept_only_in_the_archive(crossing: Crossings, name: str) -> None:
    _, text, total = LEFT_OUT[name]
    marked = text.replace("\n", ",MARKER-CELL\n", 1).replace("MARKER-CELL", "Note", 1)
    run = crossing(firm() | {"some list.csv": text})
    left = next(e for e in run.ledger["exclusions"] if e["name"] == name)
    assert (left["rows"], left["total"]) == (text.count("\n") - 1, total)
    assert run.type("excluded")["excluded"] == text.count("\n") - 1
    assert not run.ledger["unknown_tables"]
    assert all(f["record"] != "excluded" for f in run.ledger["files"])
    assert run.state == "completed"
    assert marked
    todo = {"user_rates": "rate of each user", "client_rates": "client rates", "matter_rates": "matter rates", "reports": "Recreate the reports",
            "user_permissions": "permissions", "settings": "preferences", "bank_accounts": "ledgers, not links", "groups": "groups"}  # fmt: skip
    if name in todo:
        assert any(todo[name] in text for text in run.ledger["todo"])


@pytest.mark.requirement("A18", "D05", "D06", "D07", "D08", "D09", "D10", "D11", "D12")
def test_the_report_names_what_was_not_moved_even_if_none_was_found(crossing: Crossings) -> None:
    run = crossing(firm())
    page = run.store.get(run.run.at("4-verify", "report.html")).decode()
    for title in ("Documents", "Bank accounts", "Trust account payments", "Bill payments", "Historical bills", "Billable rates: matters", "User permissions", "Groups"):
        assert title in page
    assert page.count("none found") == len(run.ledger["exclusions"])


@pytest.mark.requirement("B36")
def test_rows_entered_after_the_cut_off_are_listed_by_who_entered_them(crossing: Crossings) -> None:
    import io

    import openpyxl

    cards = "First Name,Last Name,Email,Created,Last Edited By\nAnn,Lee,a@x.example,31/05/2024 10:00,JD\nBob,Ray,b@x.example,31/05/2024 19:00,RR\n"
    run = crossing(firm(cards=cards), cut_off="2024-05-31T18:00:00")
    assert [f["row"] for f in run.found("after_cut_off")] == [3]
    book = openpyxl.load_workbook(io.BytesIO(run.store.get(run.run.at("4-verify", "report.xlsx"))))
    assert [c.value for c in book["After cut-off"][2]][:4:3] == ["RR", 3]


@pytest.mark.requirement("E22")
def test_a_report_printed_to_pdf_is_catalogued_and_not_read(crossing: Crossings) -> None:
    run = crossing(firm() | {"Billing history.pdf": b"%PDF-1.4 x"})
    assert run.noted("pdf_report")[0]["where"] == "Billing history.pdf"
    assert {d["name"]: d["kind"] for d in run.ledger["documents"]}["Billing history.pdf"] == "pdf"


@pytest.mark.requirement("B39")
def test_import_files_have_the_seen_headers_and_no_other_is_invented(crossing: Crossings) -> None:
    seen = json.loads((Path(__file__).parent / "clio_headers_seen.json").read_text())
    tasks = "Task,Due Date,Assigned To,Status\nFile,30/06/2024,RR,Done\n"
    run = crossing(firm(matters=TWO_MATTERS, d=DEBTORS, t=TIME + "31/05/2024,24-0001,JD,a,1,200,,,\n", k=tasks))
    imports = {f["name"]: f["header"] for f in run.ledger["files"] if f["is_import"]}
    assert {n.split("_", 1)[1].split("_user")[0].removesuffix(".csv"): h for n, h in imports.items()} == seen
    assert all(f["is_import"] or f["name"].startswith("NOT-AN-IMPORT-FILE_") for f in run.ledger["files"])
    assert run.check("schema")["passed"]


@pytest.mark.requirement("B39")
def test_a_template_the_firm_downloaded_gives_its_header(crossing: Crossings) -> None:
    tasks = "Task,Due Date,Assigned To,Status\nFile,30/06/2024,RR,Done\n"
    header = "Task Name,Due At,Assignee,Colour\n"
    run = crossing(firm(k=tasks), templates={"whatever.csv": header, "odd.csv": "Foo,Bar\n"})
    assert run.raw("09_tasks") == b'\xef\xbb\xbf"Task Name","Due At","Assignee","Colour"\r\n"File","06/30/2024","Richard Roe",""\r\n'
    assert run.noted("template_column_left_empty")[0]["where"].endswith("'Colour'")
    assert run.noted("template_not_recognised")[0]["where"].endswith("odd.csv")


def test_import_files_keep_every_byte_and_follow_the_account(crossing: Crossings) -> None:
    cards = CARDS + '"Smith, John",=1+1,-Smith,,a@x.example,+1 604 555 0100\n'
    uk = crossing(firm(cards=cards), region="uk")
    assert uk.raw("01_contacts").startswith(b'\xef\xbb\xbf"title","job_title","first_name"')
    assert b'"=1+1","-Smith"' in uk.raw("01_contacts") and b'"+1 604 555 0100"\r\n' in uk.raw("01_contacts")
    assert uk.rows("02_matters")[0]["open_date"] == "31/05/2024"


def test_rows_after_a_link_that_fails_say_which(crossing: Crossings) -> None:
    run: Crossed = crossing(firm(t=TIME + "31/05/2024,24 - 0001,JD,a,1,200,,,\n31/05/2024,99,JD,b,1,200,,,\n"))
    assert run.changed("matter_by_normal_form")[0]["before"] == "24 - 0001"
    assert [f["value"] for f in run.found("matter_not_in_export")] == ["99"]


def test_money_of_another_currency_waits_and_is_counted_as_nothing(crossing: Crossings) -> None:
    trust = "Matter No,Client,Trust Balance\n24-0001,,EUR 5.00\n24-0001,,$7.00\n24-0001,,AUD 3.00\n"
    debts = "Matter No,Outstanding\n24-0001,£300.00\n24-0001,US$4.00\n24-0001,USD 1.00\n"
    run = crossing(firm(tb=trust, d=debts), region="us")
    assert sorted((f["table"].split("-")[1], f["row"], f["outcome"]) for f in run.found("other_currency")) == [
        ("receivables", 2, "quarantined"), ("trust_listing", 2, "quarantined"), ("trust_listing", 4, "quarantined"),
    ]  # fmt: skip
    money = {m["type"]: m for m in run.ledger["money"]}
    assert {kind: (m["exported"], m["quarantined"], m["written"]) for kind, m in money.items() if kind != "time_entry"} == {
        "trust": ("7.00", "0.00", "7.00"), "receivable": ("5.00", "0.00", "5.00"),
    }  # fmt: skip
