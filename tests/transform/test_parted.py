"""Where one cell names a client and a matter: nobody is made a contact who is a matter, and no money loses its matter."""

from tests.crossing import Crossings

CUSTOMERS = 'Customer full name,Company,Email,Bill with Parent\n"Smith, John",,john@x.example,No\n"Smith, John:24-0012",,,Yes\nAcme LLC:,Acme LLC,a@x.example,No\n'
MATTERS = 'Matter Number,Matter Description,Client,Status,Opened\n24-0012,Divorce,"Smith, John",Open,01/15/2024\n'
INVOICES = 'Date,Transaction Type,Num,Customer,Due Date,Open Balance\n04/30/2024,Invoice,1,"Smith, John:24-0012",05/30/2024,400.00\n04/30/2024,Invoice,2,"Smith, John:24-0099",05/30/2024,7.00\n'
TIME = 'Date,Customer,Employee,Hours,Rate\n04/30/2024,"Smith, John : 24-0012",Jane Doe,1.5,100\n'


def test_a_matter_below_a_customer_is_no_contact_and_keeps_its_money_and_time(crossing: Crossings) -> None:
    run = crossing({"c.csv": CUSTOMERS, "m.csv": MATTERS, "i.csv": INVOICES, "t.csv": TIME}, source="quickbooks", cut_off="2024-05-31")
    assert [(c["first_name"], c["last_name"], c["company"]) for c in run.rows("01_contacts")] == [("John", "Smith", ""), ("", "", "Acme LLC")]
    assert [(f["row"], f["outcome"]) for f in run.found("matter_among_clients")] == [(3, "quarantined")]
    assert [(b["matter"], b["price"]) for b in run.rows("balances_forward")] == [("24-0012", "400.00")]
    assert [(a["matter"], a["quantity"]) for a in run.rows("activities")] == [("24-0012", "1.5")]
    assert [f["value"] for f in run.found("matter_not_in_export")] == ["24-0099"]
    assert {(c["field"], c["after"]) for c in run.changed("client_and_matter_apart")} >= {("client", "Smith, John"), ("matter", "24-0012")}
    assert not [c for c in run.ledger["checks"] if not c["passed"]]


def test_a_colon_means_nothing_where_the_source_does_not_say_so(crossing: Crossings) -> None:
    run = crossing({"c.csv": 'Card Name,First Name,Last Name,Email\n"Smith, John:24-0012",,,john@x.example\n', "m.csv": "Matter No,Description,Client,Status\n1,x,,Open\n"})
    assert run.found("matter_among_clients") == []
    assert run.type("contact")["carried"] == 1
