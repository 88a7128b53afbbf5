"""Money in a column that is left behind is told where no list of its own was sent."""

import pytest

from tests.crossing import Crossings

COMPANIES = "MyCase ID,Company,E-mail Address,Outstanding Trust Balance\n1,Acme LLC,a@x.example,$55.55\n2,Bee LLC,b@x.example,$0.00\n"
CASES = "Case Number,Case Name,Case Status,Lead Attorney,Billing Contact\n1,Lease,Open,Jane Doe,Acme LLC\n"


def test_a_trust_balance_on_a_card_is_not_passed_over(crossing: Crossings) -> None:
    run = crossing({"companies.csv": COMPANIES, "cases.csv": CASES}, source="mycase")
    assert [(note["count"], note["where"]) for note in run.noted("money_not_carried")] == [(1, "companies.csv › column 4, 'Outstanding Trust Balance'")]
    assert run.state == "completed_with_differences"
    assert "55.55" not in str(run.ledger)


@pytest.mark.parametrize("more", [{"trust.csv": "Matter No,Client,Trust Balance\n1,Acme LLC,55.55\n"}, {"companies.csv": COMPANIES.replace("55.55", "0.00")}])
def test_where_its_own_list_has_it_or_there_is_none_nothing_is_told(crossing: Crossings, more: dict[str, str]) -> None:
    assert crossing({"companies.csv": COMPANIES, "cases.csv": CASES} | more, source="mycase").noted("money_not_carried") == []
