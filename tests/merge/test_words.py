"""Value maps: what each word of the old system becomes, how many records have it, and which no map names."""

from tests.crossing import Crossings, firm

CARDS = 'Card Name,First Name,Last Name,Email,Country\n"Smith, John",John,Smith,,USA\n"Roe, Jane",Jane,Roe,,Eire\n'
MATTERS = (
    "Matter No,Description,Client,Status,Open Date,Person Responsible,Matter Type\n"
    '24-0001,A,"Smith, John",Open,31/05/2024,Jane Doe,Conv\n24-0002,B,"Smith, John",On the boil,31/05/2024,Sam Former,Conv\n24-0003,C,"Roe, Jane",Closed,31/05/2024,Jane Doe,Probate\n'
)


def test_every_word_is_counted_with_what_it_becomes(crossing: Crossings) -> None:
    lines = crossing(firm(cards=CARDS, matters=MATTERS)).ledger["value_maps"]
    told = {(v["map"], v["word"]): (v["becomes"], v["count"], v["mapped"]) for v in lines}
    assert told["status", "On the boil"] == ("Open", 1, False)
    assert told["status", "Closed"] == ("Closed", 1, True)
    assert told["type", "Conv"] == ("Conv", 2, True)
    assert told["users", "Sam Former"] == ("Jane Doe", 1, False)
    assert told["country", "Eire"] == ("Eire", 1, True)


def test_a_map_replaces_words_by_name_and_tells_those_it_lacks(crossing: Crossings) -> None:
    maps = {"type": {"conv": "Conveyancing"}, "country": {"usa": "United States"}}
    run = crossing(firm(cards=CARDS, matters=MATTERS), options={"value_maps": maps}, also=["generic_crm"]).approved()
    assert [m["Practice Area"] for m in run.fitted("generic_crm", "03_matters")] == ["Conveyancing", "Conveyancing", "Probate"]
    assert [p["Country"] for p in run.fitted("generic_crm", "01_people")] == ["United States", "Eire"]
    assert len(run.changed("value_map")) == 3
    assert sorted(f["value"] for f in run.found("not_in_value_map")) == ["Eire", "Probate"]
    assert not [c for c in run.ledger["checks"] if not c["passed"]]
    told = {(v["map"], v["word"]): v["mapped"] for v in run.ledger["value_maps"]}
    assert (told["type", "Conveyancing"], told["type", "Probate"], told["country", "Eire"]) == (True, False, False)
