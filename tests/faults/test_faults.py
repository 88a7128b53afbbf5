"""A slice of each campaign, and the page that shows the last full run of all of them."""

from pathlib import Path

import pytest

from tests.faults.campaign import Campaign, Ground, all_campaigns
from tests.faults.page import NOT_SHOWN, PAGE, known, render
from tests.faults.plan import GROUPS, ROWS


@pytest.mark.fault
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("campaign", all_campaigns().values(), ids=lambda campaign: campaign.name)
def test_a_slice_of(campaign: Campaign, tmp_path: Path) -> None:
    counts = campaign.run(Ground(tmp_path / "ground", full=False))
    assert counts


def test_the_page_says_what_the_last_run_counted() -> None:
    assert PAGE.read_text() == render(known()), "run `make faults`, or undo what was written into docs/reliability.md by hand"


def test_every_fault_of_the_plan_has_a_campaign_or_a_reason() -> None:
    rows = {row for campaign in all_campaigns().values() for row in campaign.rows}
    assert rows | set(NOT_SHOWN) == set(ROWS) and not rows & set(NOT_SHOWN)
    assert set(ROWS) <= {number for numbers in GROUPS.values() for number in numbers}
    assert len([row for row in ROWS if row > 102]) >= 10
    shown = {row for result in known()["campaigns"].values() for row in result["rows"]}
    assert shown == rows, "a campaign has not run in full since it was last changed"
    assert [name for name, result in known()["campaigns"].items() if not result["passed"]] == []
