"""What real exports do to those who trust them. Each trap was fallen into once."""

import pytest

from tests.crossing import MATTERS, ONE_CARD, ONE_MATTER, Crossings, firm

TIME = "Date,Matter No,Staff,Description,Hours,Rate,Amount\n"
TWO = ONE_MATTER + '24-0002,Will,"Smith, John",Open,31/05/2024,Jane Doe\n'


def test_an_aging_report_is_never_taken_for_trust_money(crossing: Crossings) -> None:
    run = crossing(firm(d="Aged Debtors as at 31/05/2024\nMatter No,Debtor Name,Current,30 Days,90 Days,Balance\n24-0001,x,100.00,0,50.00,150.00\n"))
    assert run.rows("balances_forward")[0]["price"] == "150.00"


def test_a_balance_list_that_could_be_either_is_no_list_of_ours(crossing: Crossings) -> None:
    run = crossing(firm(d='Matter No,Client,Balance\n24-0001,"Smith, John",150.00\n'))
    assert "could be any of" in run.ledger["unknown_tables"][0]["reason"] and run.state == "completed_with_differences"


def test_the_same_balance_in_two_lists_waits(crossing: Crossings) -> None:
    trust = 'As at {},,\nMatter No,Client,Trust Balance\n24-0001,"Smith, John",{}\n'
    run = crossing(firm(a=trust.format("30 April 2024", "100.00"), b=trust.format("31 May 2024", "120.00")))
    assert run.type("trust")["quarantined"] == 2 and not run.all_rows("trust_balances")
    owed = 'Matter No,Debtor Name,Invoice No,Outstanding\n24-0001,"Smith, John",I1,100.00\n'
    twice = crossing(firm(a=owed, b=owed.replace("100.00", "100.0")))
    assert twice.type("receivable")["quarantined"] == 2


def test_the_same_work_in_two_lists_is_carried_once_and_the_copy_waits(crossing: Crossings) -> None:
    line = "31/05/2024,24-0001,JD,Call,0.5,300,150.00\n"
    run = crossing(firm(a=TIME + line, b=TIME + line + "30/05/2024,24-0001,JD,Letter,1,300,300.00\n"))
    assert len(run.all_rows("activities")) == 2
    assert [f["row"] for f in run.found("same_in_two_lists")] == [2]


def test_a_lone_total_makes_no_group_to_fill_from(crossing: Crossings) -> None:
    lines = "13/05/2024,24-0001,JD,Call,0.5,300,150.00\n14/05/2024,,JD,Staff training,2,300,600.00\nTotal,,,,2.5,,750.00\n"
    run = crossing(firm(t=TIME + lines))
    assert [f["row"] for f in run.found("no_matter")] == [3]
    assert [r["note"] for r in run.all_rows("activities")] == ["Call"]


def test_a_client_whose_name_begins_with_total_is_a_client(crossing: Crossings) -> None:
    cards = ONE_CARD + "Total Fitness Pty Ltd,,,Total Fitness Pty Ltd,t@x.example,\n"
    run = crossing(firm(cards=cards, t='Client,Trust Balance\n"Smith, John",100.00\nTotal Fitness Pty Ltd,5000.00\nTotal,5100.00\n'))
    assert {r["contact"]: r["amount"] for r in run.rows("trust_balances")} == {"John Smith": "100.00", "Total Fitness Pty Ltd": "5000.00"}


@pytest.mark.parametrize("cells", [("12,50", "100.50"), ("1.234", "2.500")])
def test_amounts_that_can_be_read_in_two_ways_wait(crossing: Crossings, cells: tuple[str, str]) -> None:
    lines = "".join(f'24-0001,"Smith, John",I{n},"{cell}"\n' for n, cell in enumerate(cells))
    run = crossing(firm(d="Matter No,Debtor Name,Invoice No,Outstanding\n" + lines))
    assert {f["value"] for f in run.found("amount_unreadable")} == ({"12,50"} if "," in cells[0] else set(cells))


def test_a_total_with_tax_is_never_made_a_rate(crossing: Crossings) -> None:
    run = crossing(firm(t="Date,Matter No,Staff,Description,Hours,GST,Total\n13/05/2024,24-0001,JD,Call,1,30.00,330.00\n"))
    assert run.found("no_rate") and not run.all_rows("activities")


def test_billed_words_are_known_or_the_entry_waits(crossing: Crossings) -> None:
    head = "Date,Matter No,Staff,Hours,Rate,Status,Invoice No\n"
    words = [("", "Draft", "carried"), ("Unbilled", "", "carried"), ("Written Off", "", "quarantined"), ("Billed - Inv 104", "", "quarantined"),
             ("Billed", "", "excluded"), ("", "INV-9", "excluded")]  # fmt: skip
    run = crossing(firm(t=head + "".join(f"13/05/2024,24-0001,JD,1,{n}00,{status},{invoice}\n" for n, (status, invoice, _) in enumerate(words, 1))))
    placed = run.type("time_entry")
    assert (placed["carried"], placed["quarantined"], placed["excluded"]) == (2, 2, 2)


def test_the_more_telling_of_two_balance_columns_is_read(crossing: Crossings) -> None:
    run = crossing(firm(t='Matter No,Client,Balance,Client Account Balance\n24-0001,"Smith, John",-75.00,500.00\n'))
    assert run.rows("trust_balances")[0]["amount"] == "500.00"


def test_money_of_a_number_that_two_matters_share_waits(crossing: Crossings) -> None:
    matters = ONE_MATTER + '24-0001,Other,"Smith, Mary",Open,31/05/2024,Jane Doe\n'
    run = crossing(firm(matters=matters, t='Matter No,Client,Trust Balance\n24-0001,"Smith, Mary",77.00\n'))
    assert run.found("matter_number_of_two") and not run.all_rows("trust_balances")


def test_two_cards_of_one_name_are_told(crossing: Crossings) -> None:
    run = crossing(firm(cards=ONE_CARD + '"Smith, John",John,Smith,,other@y.example,\n'))
    assert [f["row"] for f in run.found("client_name_shared")] == [2]


@pytest.mark.parametrize("text", ["Paid £500 – the clients’ “final” offer", "Café … José said £500", "It’s the client’s house – 5 St", "£1,234.50"])
def test_what_excel_writes_in_windows_1252_is_read_so(text: str) -> None:
    from caseferry.reading.encoding import tell, text_of
    from caseferry.reading.source import Source

    source = Source.of(f"Note\n{text}\n".encode("cp1252"))
    assert (tell(source).encoding, text_of(source)) == ("cp1252", f"Note\n{text}\n")


@pytest.mark.parametrize("title", ["BM Legal Pty Ltd", "RIFF & Co", "ID3 Partners", "GIF8 Ltd"])
def test_a_title_that_begins_like_a_picture_is_text(title: str) -> None:
    from caseferry.reading.kinds import Kind, kind_of

    assert kind_of(f"{title},,\nDate,Matter No,Hours\n".encode()) is Kind.DELIMITED
    assert kind_of(b"Subject:,Date:,Matter No:,File Note:\nRe: settlement,1,2,3\n") is Kind.DELIMITED


def test_only_a_lone_cell_is_a_footer(crossing: Crossings) -> None:
    tasks = "Task,Due Date,Assigned To\nRun by counsel,13/06/2024,JD\nPrinted at court: collect,14/06/2024,JD\nPrinted: 31/05/2024 10:33,,\n"
    assert [r["name"] for r in crossing(firm(t=tasks)).rows("tasks")] == ["Run by counsel", "Printed at court: collect"]


def test_a_narrative_that_runs_over_is_no_group(crossing: Crossings) -> None:
    lines = "13/05/2024,24-0001,JD,Drafting lease for,1,300,300\n,,,24-0002 premises,,,\n14/05/2024,,JD,Admin,1,300,300\n"
    run = crossing(firm(matters=TWO, t=TIME + lines))
    assert [r["matter"] for r in run.all_rows("activities")] == ["24-0001"]
    assert run.type("time_entry")["quarantined"] == 2


def test_footers_and_sections_of_a_matter_list_are_no_matters_and_no_people(crossing: Crossings) -> None:
    tail = "Archived Matters,,,,,\n24-0003,Old,\"Smith, John\",Open,31/05/2024,\nTotal matters: 2,,,,,\nPrinted: 31/05/2024 10:33,,,,,\n"
    run = crossing(firm(matters=ONE_MATTER + tail))
    assert [(r["custom_number"], r["status"]) for r in run.rows("02_matters")] == [("24-0001", "Open"), ("24-0003", "Closed")]
    assert "Archived Matters" not in str(run.ledger["fallbacks"])


def test_closed_and_archived_columns_that_hold_words(crossing: Crossings) -> None:
    matters = 'Matter No,Description,Client,Status,Closed,Archived\n1,a,"Smith, John",Open,Yes,\n2,b,"Smith, John",Open,,Not Archived\n3,c,"Smith, John",Open,01/01/1900,No\n'
    run = crossing(firm(matters=matters))
    assert [(r["status"], r["close_date"]) for r in run.rows("02_matters")] == [("Closed", ""), ("Open", ""), ("Open", "")]
    assert run.found("archive_word_unknown")


def test_work_of_the_future_and_damaged_numbers_wait(crossing: Crossings) -> None:
    run = crossing(firm(t=TIME + "24/05/31,24-0001,JD,Call,1,300,300\n24/05/13,24-0001,JD,Call,1,300,300\n"))
    assert run.found("work_in_the_future")
    numbers = crossing(firm(matters=MATTERS + '24-May,m,"Smith, John",Open,31/05/2024,JD\n1.00E+05,n,"Smith, John",Open,31/05/2024,JD\n'))
    assert len(numbers.found("number_is_a_date")) == 2


def test_a_row_that_a_stray_comma_shifted_waits(crossing: Crossings) -> None:
    run = crossing(firm(matters=TWO + "24-0014,Smith, J sale,Mary,Open,31/05/2024,JD\n"))
    assert [f["row"] for f in run.found("row_wider_than_header")] == [4]


def test_two_columns_of_narrative_are_both_kept(crossing: Crossings) -> None:
    run = crossing(firm(t="Date,Matter No,Staff,Description,Narrative,Hours,Rate\n13/05/2024,24-0001,JD,Call,about the lease,1,300\n"))
    assert run.all_rows("activities")[0]["note"] == "Call - about the lease"


def test_a_matter_list_with_balances_in_it_is_a_matter_list(crossing: Crossings) -> None:
    head = "Matter No,Description,Client,Status,Open Date,Person Responsible,Trust Balance,Outstanding\n"
    run = crossing(firm(matters=head + '24-0001,Sale,"Smith, John",Open,31/05/2024,Jane Doe,5.00,7.00\n'))
    assert run.type("matter")["carried"] == 1 and run.split["missing"] == []


def test_semicolons_beside_decimal_commas(crossing: Crossings) -> None:
    run = crossing(firm(t="Client;Trust Balance\nSmith, John;1.234,50\n", w="Date;Matter No;Staff;Hours;Rate\n13/05/2024;24-0001;JD;0,5;300\n"))
    assert run.rows("trust_balances")[0]["amount"] == "1234.50"
    assert run.all_rows("activities")[0]["quantity"] == "0.5"


def test_lists_grouped_by_a_lone_name_or_number(crossing: Crossings) -> None:
    time = "Date,Matter No,Description,Hours,Rate\nJane Doe,,,,\n13/05/2024,24-0001,Call,1,300\n14/05/2024,24-0001,Letter,1,300\n"
    assert [r["activity_user"] for r in crossing(firm(t=time)).all_rows("activities")] == ["Jane Doe"] * 2
    owed = "Invoice No,Invoice Date,Outstanding\n24-0001 Smith sale,,\nI1,13/05/2024,10.00\nI2,14/05/2024,5.00\n"
    assert crossing(firm(d=owed)).rows("balances_forward")[0]["price"] == "15.00"


def test_a_very_long_note_and_open_quotes_beside_inch_marks(crossing: Crossings) -> None:
    run = crossing(firm(n="Date,Subject,File Note,Matter No\n31/05/2024,S," + "word " * 70_000 + ",24-0001\n"))
    assert len(run.rows("matter_notes")[0]["note"]) > 340_000
    odd = crossing(firm(matters=TWO + '24-0013,"Jones will,"Smith, John",Open,31/05/2024,JD\n24-0014,12" pipe,"Smith, John",Open,31/05/2024,JD\n'))
    assert odd.state == "completed_with_differences" and odd.type("matter")["read"] == 4


@pytest.mark.parametrize("hours", ["1.33335 h", "1.33335", "1.333333h"])
def test_hours_finer_than_four_places_wait(crossing: Crossings, hours: str) -> None:
    run = crossing(firm(time=f"Date,Matter No,Staff,Hours,Rate,Amount\n31/05/2024,24-0001,JD,{hours},99.99,133.33\n"))
    assert run.type("time_entry")["quarantined"] == 1
    assert run.check("hours")["passed"]
    assert run.state == "completed_with_differences"


def test_pending_stays_pending_and_what_is_cancelled_is_not_open(crossing: Crossings) -> None:
    tasks = "Task,Due Date,Assigned To,Matter No,Status\nCall,13/07/2024,Jane Doe,24-0001,Cancelled\nWrite,13/07/2024,Jane Doe,24-0001,Open\n"
    run = crossing(firm(matters=ONE_MATTER.replace(",Open,", ",Pending,"), t=tasks))
    assert [row["Status"] if "Status" in row else row["status"] for row in run.rows("02_matters")] == ["Pending"]
    assert [(f["row"], f["outcome"]) for f in run.found("task_cancelled")] == [(2, "excluded")]
    assert len(run.rows("tasks")) == 1


def test_an_entry_of_no_hours_costs_no_other(crossing: Crossings) -> None:
    run = crossing(firm(time="Date,Matter No,Staff,Hours,Rate,Amount\n31/05/2024,24-0001,JD,0,,5.00\n31/05/2024,24-0001,JD,1.5,,300.00\n31/05/2024,24-0001,JD,2,100,200.00\n"))
    work = run.type("time_entry")
    assert (work["read"], work["carried"], work["quarantined"]) == (3, 2, 1)
    assert [(note["row"], note["rule"]) for note in run.notes("findings") if note["outcome"] == "quarantined"] == [(2, "no_rate")]
