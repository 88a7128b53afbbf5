"""Where one cell names a client and a matter: nobody is made a contact who is a matter, and no money loses its matter."""

from tests.crossing import Crossings

CUSTOMERS = (
    'Customer full name,First name,Last name,Company,Email,Bill with Parent\n"Smith, John",John,Smith,,john@x.example,No\n"Smith, John:24-0012",,,,,Yes\n'
    'Acme LLC:,,,Acme LLC,a@x.example,No\n"Smith, John:24-0099",,,,,Yes\nAcme LLC:24-0012,,,,,Yes\n"Smith, John:24-0013",John,Smith,,john@x.example,Yes\n"Smith, John:24-0014",,,,other@x.example,Yes\n'
    'Nobody Ltd:24-0015,,,,,Yes\n"Smith, John:24-0012:Appeal",,,,,Yes\n'
)
MATTERS = (
    'Matter Number,Matter Description,Client,Status,Opened\n24-0012,Divorce,"Smith, John",Open,01/15/2024\n24-0013,Will,John Smith,Open,01/15/2024\n'
    '24-0014,Lease,"Smith, John",Open,01/15/2024\n24-0015,Sale,Nobody Ltd,Open,01/15/2024\n'
)
INVOICES = 'Date,Transaction Type,Num,Customer,Due Date,Open Balance\n04/30/2024,Invoice,1,"Smith, John:24-0012",05/30/2024,400.00\n04/30/2024,Invoice,2,"Smith, John:24-0099",05/30/2024,7.00\n'
TIME = 'Date,Customer,Employee,Hours,Rate\n04/30/2024,"Smith, John : 24-0012",Jane Doe,1.5,100\n'


def test_a_matter_below_a_customer_is_no_contact_and_keeps_its_money_and_time(crossing: Crossings) -> None:
    run = crossing({"c.csv": CUSTOMERS, "m.csv": MATTERS, "i.csv": INVOICES, "t.csv": TIME}, source="quickbooks", cut_off="2024-05-31")
    assert [(c["first_name"], c["last_name"], c["company"]) for c in run.rows("01_contacts")] == [("John", "Smith", ""), ("", "", "Acme LLC"), ("", "", "Nobody Ltd")]
    assert [(b["matter"], b["price"]) for b in run.rows("balances_forward")] == [("24-0012", "400.00")]
    assert [(a["matter"], a["quantity"]) for a in run.rows("activities")] == [("24-0012", "1.5")]
    assert [f["value"] for f in run.found("matter_not_in_export")] == ["24-0099"]
    assert {(c["field"], c["after"]) for c in run.changed("client_and_matter_apart")} >= {("client", "Smith, John"), ("matter", "24-0012")}
    assert not [c for c in run.ledger["checks"] if not c["passed"]]
    # Merged with the list of matters, once; of another client, without a matter there, or with a value of its own it waits.
    assert [(f["row"], f["outcome"]) for f in run.found("matter_in_both_lists")] == [(3, "merged"), (7, "merged"), (9, "merged")]
    assert [(f["row"], f["outcome"], bool(f["proposal"])) for f in run.found("matter_among_clients")] == [
        (5, "quarantined", False), (6, "quarantined", False), (8, "quarantined", True), (10, "quarantined", False),
    ]  # fmt: skip
    contacts = run.type("contact")
    assert (contacts["read"], contacts["carried"], contacts["merged"], contacts["quarantined"]) == (9, 2, 3, 4)
    assert run.type("matter")["carried"] == 4


def test_without_a_list_of_matters_they_wait(crossing: Crossings) -> None:
    run = crossing({"c.csv": CUSTOMERS, "i.csv": INVOICES}, source="quickbooks", cut_off="2024-05-31")
    assert len(run.found("matter_among_clients")) == 7 and run.type("contact")["quarantined"] == 7


def test_a_colon_means_nothing_where_the_source_does_not_say_so(crossing: Crossings) -> None:
    run = crossing({"c.csv": 'Card Name,First Name,Last Name,Email\n"Smith, John:24-0012",,,john@x.example\n', "m.csv": "Matter No,Description,Client,Status\n1,x,,Open\n"})
    assert run.found("matter_among_clients") == []
    assert run.type("contact")["carried"] == 1
