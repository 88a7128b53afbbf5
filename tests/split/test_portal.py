"""What a client portal leaves behind is told, asked about where a target has no portal, and counted where it lies."""

from typing import Any

import pytest

from tests.crossing import CARDS, Crossed, Crossings, firm

MESSAGES = "Thread,Posted,Said\n1,31/05/2024,Hello\n2,31/05/2024,Thanks\n\n3,01/06/2024,Bye\n"
EMAILS = "Date,From,To,Subject,Body,Matter No\n31/05/2024,a@x.example,b@x.example,Hi,Text,24-0001\n"
SHARES = "Deed,Shared with Client,Size\nA,Yes,1\nB,No,2\nC,,3\nD,x,4\n"


def told(run: Crossed) -> dict[str, tuple[int, str]]:
    return {f["where"]: (f["count"], f["outcome"]) for f in run.split["findings"] if f["rule"] == "portal_data"}


def page(run: Crossed) -> str:
    return " ".join(run.store.get(run.run.at("3-merge", "scope.html")).decode().split())


@pytest.mark.requirement("E02", "E52")
def test_lists_and_folders_of_a_portal_are_told_with_their_rows(crossing: Crossings) -> None:
    files = firm() | {
        "Client_Portal_Messages.csv": MESSAGES, "PortalMessages2.csv": EMAILS, "shares.csv": SHARES,
        "Client Portal/24-0001/deed.pdf": b"%PDF-1.4 x", "Client Portal/24-0001/will.pdf": b"%PDF-1.4 y",
        "Portal/one.eml": "From: a@x.example\nTo: b@x.example\nDate: Fri, 31 May 2024 10:00:00 +0000\nSubject: x\n\nText\n",
    }  # fmt: skip
    run = crossing(files)
    assert told(run) == {
        "Client_Portal_Messages.csv": (3, "excluded"), "PortalMessages2.csv": (1, "carried"), "shares.csv": (2, "excluded"),
        "Client Portal/": (2, "excluded"), "Portal/": (1, "carried"),
    }  # fmt: skip
    assert '<th scope="row">Client portal: Client_Portal_Messages.csv</th><td class="n">3</td>' in page(run)
    assert "Clio has a portal of its own" in page(run)
    assert run.state == "completed_with_differences"  # two lists nobody knows: told, not asked about
    assert {"Client_Portal_Messages.csv", "shares.csv"} == {u["file"] for u in run.ledger["unknown_tables"]}
    assert run.type("email")["read"] == 2 and run.type("document")["excluded"] == 3  # a message is a file too
    assert next(e["rows"] for e in run.ledger["exclusions"] if e["name"] == "portal_messages") == 9


@pytest.mark.requirement("E02")
@pytest.mark.parametrize(
    "files",
    [
        {"cards.csv": CARDS.replace("Mobile", "Portal Access") + '"Smith, John",John,Smith,,john@x.example,Yes\n'}, {"portal users.csv": "Login,Last seen\na,b\n"},
        {"24-0001 Portal Holdings v Smith/deed.pdf": b"%PDF-1.4 x"}, {"Client Portal Guide/page.pdf": b"%PDF-1.4 x"}, {"client portal.csv": "Thread,Posted,Said\n"},
        {"client portal cards.csv": CARDS + '"Able, Ann",Ann,Able,,,\n'}, {"portals.csv": "Door,Height\nA,2\n"}, {"deed of client portal.pdf": b"%PDF-1.4 x"},
    ],
)  # fmt: skip
def test_what_only_sounds_like_a_portal_is_not_told(crossing: Crossings, files: dict[str, Any]) -> None:
    assert told(crossing(firm() | files)) == {}


@pytest.mark.requirement("E02", "E52")
def test_a_target_without_a_portal_takes_no_file_before_somebody_chose(crossing: Crossings) -> None:
    held = crossing(firm() | {"portal messages.csv": MESSAGES}, target="wealthbox", also=["redtail"])
    asked = [r for r in held.reasons if r["code"] == "CF-153"]
    assert [(r["where"], r["answer_with"]) for r in asked] == [
        ("target Wealthbox", "options.decisions.wealthbox.portal_messages"), ("target Redtail", "options.decisions.redtail.portal_messages"),
    ]  # fmt: skip
    assert "3 rows or files (portal messages.csv)" in asked[0]["detail"] and "keep the old portal open" in asked[0]["detail"]
    assert held.state == "held" and not held.has("3-merge/manifest.json")
    assert "Client portal: portal messages.csv" in page(held)
    choice = {"wealthbox.portal_messages": "leave in the archive", "redtail.portal_messages": "keep the old portal open"}
    version = held.json("3-merge", "field-map.json")["version"]
    done = held.release("Olive", acknowledged_by="Olive", approved_map={"version": version, "by": "Olive"}, options={"decisions": choice})
    made = {name: [(d["records"], d["choice"], d["rows"]) for d in done.target(name)["decisions"]] for name in ("wealthbox", "redtail")}
    assert made == {"wealthbox": [("portal_messages", "leave in the archive", 3)], "redtail": [("portal_messages", "keep the old portal open", 3)]}
    report = done.store.get(done.run.at("4-verify", "report.html")).decode()
    assert "keep the old portal open" in report and "in the archive: portal messages.csv" in report


@pytest.mark.requirement("E02")
def test_the_words_are_the_firms_to_change(crossing: Crossings) -> None:
    files = firm() | {"portal messages.csv": MESSAGES, "letterbox.csv": MESSAGES}
    rules = {"source": {"portal": {"names": ["letterbox"], "never": ["portal messages"]}}}
    assert told(crossing(files, rules=rules)) == {"letterbox.csv": (3, "excluded")}
    asked = crossing(files, rules={"source": {"portal": None}}, target="wealthbox")
    assert told(asked) == {} and not [r for r in asked.reasons if r["code"] == "CF-153"]


@pytest.mark.requirement("E02")
def test_a_target_that_carries_contacts_alone_is_told_its_limit_without_a_question(crossing: Crossings) -> None:
    run = crossing(firm() | {"portal messages.csv": MESSAGES}, target="vcard").approved()
    assert "held" not in run.state
    assert [(d["records"], d["rows"]) for d in run.target("vcard")["decisions"] if d["records"] == "portal_messages"] == [("portal_messages", 3)]
