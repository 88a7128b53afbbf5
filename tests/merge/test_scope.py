"""What moves and what does not is written down before a file is, and somebody says that he has read it."""

from typing import Any

import pytest

from tests.crossing import Crossed, Crossings, firm
from tests.targets.firms import TRUST

RATES = "Staff,Hourly Rate\nJane,350\n"


def page(run: Crossed) -> str:
    return " ".join(run.store.get(run.run.at("3-merge", "scope.html")).decode().split())


@pytest.mark.requirement("C10", "C07")
@pytest.mark.parametrize("target", ["clio", "wealthbox"])
def test_no_file_is_written_before_the_scope_is_acknowledged(crossing: Crossings, target: str) -> None:
    more: dict[str, Any] = {"questionnaire": {"wanted": ["contact", "note"]}, "options": {"trust_stays": "LEAP"} | ({"require_acknowledgement": True} if target == "clio" else {})}
    run = crossing(firm(r=RATES, tr=TRUST, odd="Shelf,Seal\n1,red\n"), target=target, **more)
    if target != "clio":
        version = run.json("3-merge", "field-map.json")["version"]
        assert "What the targets can't do" in page(run) and "Wealthbox keeps no trust ledger" in page(run)
        run = run.release("Olive Ops", approved_map={"version": version, "by": "Olive Ops"})
    assert [r["code"] for r in run.reasons] == ["CF-127"]
    assert not run.has("3-merge/manifest.json")
    said = page(run)
    assert '<th scope="row">Contacts</th><td class="n">1</td><td class="n">1</td>' in said
    assert '<th scope="row">Billable rates: users</th><td class="n">1</td>' in said and "Bill payments" in said
    assert "Nobody knows this list: odd.csv" in said and "You want notes moved, and the export holds none." in said
    assert "trust money stays in LEAP" in said and "Addresses are moved with the contact" in said
    done = run.release("Jane Doe", acknowledged_by="Jane Doe")
    assert done.state.startswith("completed")
    answer = [done.json(key) for key in ("holds/merge-1.released.json", "holds/merge-2.released.json") if done.has(key)][-1]
    assert (answer["by"], answer["changes"]["acknowledged_by"], answer["at"]) == ("Jane Doe", "Jane Doe", "2024-06-03T12:00:00Z")


@pytest.mark.requirement("C10")
def test_the_scope_is_written_also_where_nobody_has_to_acknowledge_it(crossing: Crossings) -> None:
    free = crossing(firm(), target="wealthbox", options={"require_acknowledgement": False})
    assert [r["code"] for r in free.reasons] == ["CF-147"]
    assert "None was found." in page(crossing(firm()))


def test_nothing_of_a_client_stands_in_the_scope(crossing: Crossings) -> None:
    assert "Smith" not in page(crossing(firm()))
