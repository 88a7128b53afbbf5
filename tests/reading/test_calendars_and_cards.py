"""iCalendar and vCard as lists: folded, escaped, in any version, and broken in the ways such files are."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry.reading.calendars import read_calendar
from caseferry.reading.cards import read_cards
from caseferry.reading.contentlines import lines
from caseferry.reading.grid import Grid
from caseferry.reading.kinds import Kind, kind_of
from caseferry.reading.source import Source
from tasks.verify import recount
from tests.crossing import Crossings, firm


def rows(text: str, read: Callable[[str], Grid] = lambda text: read_calendar(text)[0]) -> list[dict[str, str]]:
    header, *found = [row[1:] for row in read(text).cells.rows()]
    return [{name: cell for name, cell in zip(header, row, strict=True) if cell} for row in found]


def event(*properties: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *properties, "END:VEVENT", "END:VCALENDAR", ""])


def test_lines_are_unfolded_and_their_parameters_told() -> None:
    found = list(lines('item1.TEL;TYPE=work,voice;X="a;b:c":+1\r\n 603\r\nNOTE;CHARSET=iso-8859-1;ENCODING=QUOTED-PRINTABLE:caf=E9=\r\n=0Atwo\r\njunk\r\n'))
    assert [(one.name, one.value, one.group, one.types) for one in found] == [("TEL", "+1603", "item1", {"work", "voice"}), ("NOTE", "café\ntwo", "", set()), ("?", "junk", "", set())]
    assert found[0].parameters["X"] == ["a;b:c"]


def test_an_event_is_read_with_its_zone_and_its_rule() -> None:
    found = rows(event(
        "UID:1", "SUMMARY:Hearing\\, Dover", "DTSTART;TZID=America/New_York:20240531T093000", "DTEND;TZID=America/New_York:20240531T103000", "LOCATION:Court 2",
        "DESCRIPTION:Bring the file\\nand the plan", "ORGANIZER;CN=Jane Doe:mailto:jane@x.example", "ATTENDEE:mailto:a@x.example", "RRULE:FREQ=WEEKLY;COUNT=3",
        "EXDATE;TZID=America/New_York:20240607T093000", "BEGIN:VALARM", "DESCRIPTION:Wake up", "END:VALARM",
    ))  # fmt: skip
    assert found == [{
        "Subject": "Hearing, Dover", "Start Date": "2024-05-31", "Start Time": "09:30:00", "End Date": "2024-05-31", "End Time": "10:30:00", "All Day Event": "False",
        "Time Zone": "America/New_York", "Location": "Court 2", "Description": "Bring the file\nand the plan", "Organizer": "Jane Doe", "Attendees": "a@x.example",
        "Recurrence": "RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;TZID=America/New_York:20240607T093000", "UID": "1", "Reminder": "yes",
        "Other Fields": "ORGANIZER: mailto:jane@x.example",
    }]  # fmt: skip


def test_a_whole_day_ends_on_the_day_people_say() -> None:
    assert rows(event("SUMMARY:x", "DTSTART;VALUE=DATE:20240531", "DTEND;VALUE=DATE:20240603"))[0] | {"End Date": "2024-06-02", "All Day Event": "True"} == rows(event("SUMMARY:x", "DTSTART;VALUE=DATE:20240531", "DTEND;VALUE=DATE:20240603"))[0]
    for end in ((), ("DTEND;VALUE=DATE:20240531",), ("DTEND;VALUE=DATE:20240601",)):
        assert rows(event("SUMMARY:x", "DTSTART;VALUE=DATE:20240531", *end))[0]["End Date"] == "2024-05-31"


def test_zones_times_and_lengths_in_their_many_forms() -> None:
    def one(*properties: str) -> tuple[str | None, ...]:
        found = rows(event("SUMMARY:x", *properties))[0]
        return tuple(found.get(name) for name in ("Start Date", "Start Time", "End Date", "End Time", "Time Zone"))

    assert one("DTSTART:20240531T133000Z", "DURATION:PT1H30M") == ("2024-05-31", "13:30:00", "2024-05-31", "15:00:00", "UTC")
    assert one("DTSTART:20240531T2330", "DURATION:P1D") == ("2024-05-31", "23:30:00", "2024-06-01", "23:30:00", None)
    assert one('DTSTART;TZID="/mozilla.org/20050126_1/Europe/Berlin":20240531T0900')[4] == "Europe/Berlin"
    assert one("DTSTART;TZID=AUS Eastern Standard Time:20240531T0900")[4] == "Australia/Sydney"
    assert one("DTSTART:next Tuesday")[0] == "next Tuesday"
    assert one()[0] is None


def test_what_was_cancelled_or_sent_again_says_so() -> None:
    text = event("UID:1", "SUMMARY:old", "SEQUENCE:0", "DTSTART:20240531T0900") + event("UID:1", "SUMMARY:new", "SEQUENCE:2", "DTSTART:20240531T1000")
    text += event("UID:2", "SUMMARY:off", "STATUS:CANCELLED", "DTSTART:20240531T0900") + event("SUMMARY:no id", "DTSTART:20240531T0900") * 2
    text += event("UID:1", "RECURRENCE-ID:20240607T0900", "SUMMARY:once otherwise", "DTSTART:20240607T1100")
    assert [(one["Subject"], one.get("Event Status", "")) for one in rows(text)] == [("old", "Replaced"), ("new", ""), ("off", "Cancelled"), ("no id", ""), ("no id", ""), ("once otherwise", "")]


def card(*properties: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", *properties, "END:VCARD", ""])


def test_cards_of_every_version_are_read() -> None:
    text = card("VERSION:2.1", "N;CHARSET=iso-8859-1;ENCODING=QUOTED-PRINTABLE:Pe=F1a;Luis;M.;Dr;Jr.", "TEL;WORK;VOICE:603 555 0101", "TEL;CELL:603 555 0102")
    text += card("VERSION:3.0", "FN:Ann Okafor", "item1.EMAIL;type=INTERNET:ann@x.example", "item1.X-ABLabel:_$!<Home>!$_", "ORG:Bright\\; Bakery;Sales", "ADR;TYPE=home:;Suite 4;12 Elm St;Concord;NH;03301;USA", "BDAY:19790821")
    text += card("VERSION:4.0", "FN:Eve", "EMAIL:1@x.example", "EMAIL;PREF=1:2@x.example", "EMAIL:3@x.example", "EMAIL:4@x.example", "TEL;TYPE=cell:1", "TEL;TYPE=cell:2", "PHOTO;ENCODING=b:AAAA", "NICKNAME:Evie", "BDAY:--0310")
    assert rows(text, read_cards) == [
        {"Last Name": "Peña", "First Name": "Luis", "Middle Name": "M.", "Prefix": "Dr", "Suffix": "Jr.", "Work Phone": "603 555 0101", "Mobile": "603 555 0102"},
        {"Card Name": "Ann Okafor", "Email": "ann@x.example", "Organisation": "Bright; Bakery", "Department": "Sales", "Address Line 1": "12 Elm St", "Address Line 2": "Suite 4",
         "City": "Concord", "State": "NH", "Postcode": "03301", "Country": "USA", "Date of Birth": "1979-08-21"},
        {"Card Name": "Eve", "Email": "2@x.example", "Email 2": "1@x.example", "Email 3": "3@x.example", "Other Emails": "4@x.example", "Mobile": "1", "Other Phones": "2 (cell)",
         "Other Fields": "NICKNAME: Evie", "Birthday Without Year": "--03-10", "Pictures": "PHOTO : 3 bytes, SHA-256 709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c"},
    ]  # fmt: skip


@pytest.mark.parametrize(("birth", "year", "without"), [
    ("BDAY:--0415", None, "--04-15"), ("BDAY:--04-15", None, "--04-15"), ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15", None, "--04-15"), ("BDAY;VALUE=date:1604-04-15", None, "--04-15"),
    ("BDAY;X-APPLE-OMIT-YEAR=2000:2000-04-15", None, "--04-15"), ("BDAY:0000-02-29", None, "--02-29"), ("BDAY:19790415", "1979-04-15", None), ("BDAY:1979-04-15T00:00:00Z", "1979-04-15", None),
    ("BDAY:1979", "1979", None), ("BDAY;VALUE=text:circa 1800", "circa 1800", None), ("BDAY:---15", "---15", None),
])  # fmt: skip
def test_no_date_is_made_of_a_birthday_without_a_year(birth: str, year: str | None, without: str | None) -> None:
    (found,) = rows(card("FN:x", birth), read_cards)
    assert (found.get("Date of Birth"), found.get("Birthday Without Year")) == (year, without)


def test_a_birthday_without_a_year_is_carried_as_text_and_told(crossing: Crossings) -> None:
    run = crossing(firm() | {"book.vcf": card("VERSION:3.0", "N:Okafor;Ann;;;", "FN:Ann Okafor", "EMAIL:ann@x.example", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15")})
    values = {(r["field"], r["value"]) for r in run.rows("contact_custom_fields")}
    assert ("Birthday Without Year", "--04-15") in values and "1604" not in str(values)
    assert [note["count"] for note in run.noted("birthdays_without_year")] == [1]


def test_pictures_are_listed_and_none_of_their_lines_is_taken_for_a_field() -> None:
    import hashlib
    jpeg = hashlib.sha256(b"picture!!").hexdigest()
    for photo in ("PHOTO;ENCODING=b;TYPE=JPEG:cGlj\r\n dHVy\r\n ZSEh", "PHOTO;JPEG;ENCODING=BASE64:\r\n cGljdHVy\r\n ZSEh\r\n", "PHOTO;JPEG;ENCODING=BASE64:\r\ncGljdHVy\r\nZSEh\r\n", "PHOTO:data:jpeg;base64,cGljdHVyZSEh"):
        assert rows(card("FN:x", photo, "NOTE:y"), read_cards) == [{"Card Name": "x", "Notes": "y", "Pictures": f"PHOTO jpeg: 9 bytes, SHA-256 {jpeg}"}]
    assert rows(card("FN:x", "PHOTO;VALUE=uri:https://x.example/a.jpg", "KEY;ENCODING=b:!!"), read_cards)[0]["Pictures"] == "PHOTO: https://x.example/a.jpg; KEY : cut off or damaged"


def test_a_group_of_cards_is_no_contact_and_its_name_goes_to_its_members(crossing: Crossings) -> None:
    book = card("VERSION:4.0", "FN:Ann Okafor", "N:Okafor;Ann;;;", "EMAIL:ann@x.example", "UID:urn:uuid:A-1", "CATEGORIES:Client") + card("VERSION:4.0", "KIND:org", "FN:Bright Bakery", "UID:B-2", "TEL:1 603 555 0101")
    book += card("VERSION:4.0", "KIND:group", "FN:Executors", "MEMBER:urn:uuid:a-1", "MEMBER:urn:uuid:b-2", "MEMBER:urn:uuid:elsewhere") + card("VERSION:3.0", "FN:Tax", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:A-1")
    assert [(one.get("Card Type"), one.get("Categories")) for one in rows(book, read_cards)] == [(None, "Client; Executors; Tax"), ("Organisation", "Executors"), ("Group of cards", None), ("Group of cards", None)]
    run = crossing(firm() | {"book.vcf": book})
    assert [(one["row"], one["value"]) for one in run.found("card_is_group")] == [(4, "Executors"), (5, "Tax")]
    assert run.type("contact") | {"read": 5, "carried": 3, "excluded": 2, "quarantined": 0} == run.type("contact")
    assert run.check("lines")["passed"]


def test_what_a_person_called_a_field_is_kept() -> None:
    found = rows(card("FN:x", "item1.EMAIL:a@x.example", "item1.X-ABLabel:Assistant", "item2.ADR:;;1 High St;Leeds;;LS1;UK", "item2.X-ABLabel:Chambers", "item3.X-ABDATE:2001-02-03", "item3.X-ABLabel:_$!<Anniversary>!$_", "item4.URL:https://x.example", "item4.X-ABLabel:_$!<HomePage>!$_"), read_cards)[0]
    assert found["Other Fields"] == "Assistant: a@x.example; Chambers: 1 High St, Leeds, LS1, UK; Anniversary: 2001-02-03"
    custom = rows(card("VERSION:2.1", "FN:x", "TEL;X-Custom(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,B=C3=BCro):1"), read_cards)[0]
    assert (custom["Phone"], custom["Other Fields"]) == ("1", "Büro: 1")
    assert [one["Email"] for one in rows(card("FN:x", "EMAIL;PREF=20:b@x.example", "EMAIL;PREF=3:a@x.example", "EMAIL:c@x.example"), read_cards)] == ["a@x.example"]


def test_text_cut_off_in_the_middle_costs_no_card_behind_it() -> None:
    assert [one.get("Card Name") for one in rows("BEGIN:VCARD\nVERSION:2.1\nFN:a\nNOTE;ENCODING=QUOTED-PRINTABLE:cut=\nEND:VCARD\nBEGIN:VCARD\nFN:b\nPHOTO;BASE64:AAAA\nBBBBB\nEND:VCARD\n", read_cards)] == ["a", "b"]


def test_nothing_a_card_says_is_dropped() -> None:
    olga = "BEGIN:VCARD\nVERSION:2.1\nN:Outer;Olga\nAGENT:\nBEGIN:VCARD\nFN:Ivy Inner\nEND:VCARD\nTEL:1\nEND:VCARD\n"
    assert rows(olga, read_cards) == [{"Last Name": "Outer", "First Name": "Olga", "Phone": "1"}, {"Card Name": "Ivy Inner"}]
    assert rows(card("FN:x", "LABEL:1 High St"), read_cards)[0]["Other Addresses"] == "1 High St"
    assert rows(card("FN:x", "ADR:;;1 High St;Leeds;;LS1;UK;beyond"), read_cards)[0]["Other Addresses"] == "beyond"
    assert rows(card("N:a;b;c;d;e;f;g"), read_cards)[0]["Other Fields"] == "f, g"
    assert rows(card("FN:x", "item2.TEL:9", "item2.X-ABLabel:Boat"), read_cards)[0] == {"Card Name": "x", "Phone": "9", "Other Fields": "Boat: 9"}
    assert rows(card("FN:x", "NICKNAME:n", "no line at all"), read_cards)[0]["Other Fields"] == "NICKNAME: n; no line at all"
    assert rows(card(r"N:Back\\;Jo"), read_cards)[0] == {"Last Name": "Back\\", "First Name": "Jo"}


def test_text_that_goes_on_in_the_next_line_is_put_together_as_its_version_says() -> None:
    assert rows(card("VERSION:2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:owes a total=", " be careful", "FN:x"), read_cards)[0] == {"Card Name": "x", "Notes": "owes a total be careful"}
    assert rows(card("VERSION:2.1", "NOTE:hello", " world"), read_cards)[0]["Notes"] == "hello world"
    assert rows(card("VERSION:3.0", "NOTE:hel", " lo"), read_cards)[0]["Notes"] == "hello"


def test_nothing_an_event_says_is_dropped() -> None:
    found = rows(event("SUMMARY:x", "DTSTART:20240531T0900", "COMMENT:see plan", "X-MATTER:123", "DESCRIPTION:one", "DESCRIPTION:two", "ATTENDEE;CN=Jo:mailto:jo@x.example"))[0]
    assert found["Other Fields"] == "COMMENT: see plan; X-MATTER: 123; DESCRIPTION: two" and found["Attendees"] == "Jo <jo@x.example>"


def todo(*properties: str) -> str:
    return event(*properties).replace("VEVENT", "VTODO")


@pytest.mark.requirement("E27")
def test_to_dos_are_tasks_with_their_matter_if_it_is_told(crossing: Crossings) -> None:
    calendar = event("UID:1", "SUMMARY:Hearing", "CATEGORIES:Court,24-0001", "DTSTART:20240614T0900")
    calendar += todo("UID:2", "SUMMARY:24-0001 - file answer", "DUE;VALUE=DATE:20240620", "PRIORITY:1", "STATUS:NEEDS-ACTION", "DESCRIPTION:with exhibits", "ATTENDEE;CN=Jane Doe:mailto:jane@firm.example")
    calendar += todo("UID:3", "SUMMARY:Call", "CATEGORIES:24-0001", "DUE;TZID=America/New_York:20240621T170000", "COMPLETED:20240601T120000Z", "PRIORITY:7", "RRULE:FREQ=WEEKLY")
    calendar += todo("UID:4", "SUMMARY:Off", "STATUS:CANCELLED") + todo("UID:2", "SUMMARY:24-0001 - file answer", "SEQUENCE:1", "DUE:20240622T030000Z") + todo("UID:5", "DESCRIPTION:no name")
    calendar += "BEGIN:VCALENDAR\r\nBEGIN:VJOURNAL\r\nSUMMARY:y\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n"
    run = crossing(firm() | {"cal.ics": calendar})
    assert run.type("task") | {"read": 5, "carried": 2, "excluded": 2, "quarantined": 1} == run.type("task")
    assert [(r["name"], r["due_date"], r["status"], r["priority"], r["matter"]) for r in run.rows("tasks")] == [
        ("Call", "06/21/2024", "Complete", "Low", "24-0001"), ("24-0001 - file answer", "06/22/2024", "Pending", "", "24-0001"),
    ]  # fmt: skip
    assert {r["summary"]: r["matter"] for r in run.rows("calendar_events")} == {"Hearing": "24-0001"}
    assert {one["rule"]: one["count"] for one in run.split["findings"] if "layout" not in one["rule"] and one["where"].startswith("cal.ics")} == {"due_in_universal_time": 1, "journals_not_read": 1, "todos_that_repeat": 1}
    assert run.check("lines")["passed"]


def test_a_file_of_to_dos_alone_is_read(crossing: Crossings) -> None:
    run = crossing(firm() | {"reminders.ics": todo("SUMMARY:Call", "DUE;VALUE=DATE:20240620")})
    assert [r["name"] for r in run.rows("tasks")] == ["Call"]
    assert run.check("lines")["passed"] and [table["sheet"] for table in run.split["tables"] if table["file"] == "reminders.ics"] == ["to-dos"]


OWN_ZONE = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:{summer}
TZOFFSETTO:{winter}
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:{winter}
TZOFFSETTO:{summer}
RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def in_own_zone(winter: str, summer: str, *properties: str, name: str = "Customized Time Zone", more: str = "") -> list[Grid]:
    zone = OWN_ZONE.format(name=name, winter=winter, summer=summer).replace(f"TZID:{name}\n", f"TZID:{name}\n{more}")
    return read_calendar(zone + event("SUMMARY:x", f"DTSTART;TZID={name}:20240612T093000", f"DTEND;TZID={name}:20240612T103000", *properties))


def when(grids: list[Grid]) -> tuple[str | None, ...]:
    found = rows("", lambda _: grids[0])[0]
    return tuple(found.get(name) for name in ("Start Date", "Start Time", "End Time", "Time Zone"))


def test_a_zone_the_file_defines_is_placed_by_what_it_says() -> None:
    made = in_own_zone("-0500", "-0400", "RRULE:FREQ=WEEKLY", "EXDATE;TZID=Customized Time Zone:20240619T093000")
    assert when(made) == ("2024-06-12", "09:30:00", "10:30:00", "America/New_York") and made[0].notes == {"zones_of_its_own": 1}
    assert "EXDATE;TZID=America/New_York:20240619T093000" in rows("", lambda _: made[0])[0]["Recurrence"]
    assert when(in_own_zone("-0317", "-0217")) == ("2024-06-12", "11:47:00", "12:47:00", "UTC")  # a clock nobody has: the moment is told, for it does not repeat
    odd = in_own_zone("-0317", "-0217", "RRULE:FREQ=WEEKLY")
    assert when(odd)[1:] == ("09:30:00", "10:30:00", "Customized Time Zone") and odd[0].notes == {"zones_unknown": 1}
    assert when(in_own_zone("+0100", "+0200", more="X-LIC-LOCATION:Europe/Paris\n"))[3] == "Europe/Paris"
    fixed = "BEGIN:VTIMEZONE\nTZID:Firm\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:-0700\nTZOFFSETTO:-0700\nEND:STANDARD\nEND:VTIMEZONE\n"
    assert when(read_calendar(fixed + event("SUMMARY:x", "DTSTART;TZID=Firm:20240612T093000")))[3] == "Etc/GMT+7"


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=13", "nonsense", "FREQ=YEARLY;COUNT=x", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"])
def test_a_zone_that_says_nothing_to_go_by_leaves_the_clock_and_its_name(rule: str) -> None:
    zone = OWN_ZONE.format(name="Ours", winter="-0500", summer="-0400").replace("FREQ=YEARLY;BYDAY=2SU;BYMONTH=3", rule)
    assert when(read_calendar(zone + event("SUMMARY:x", "DTSTART;TZID=Ours:20240612T093000")))[3] in {"Ours", "UTC"}
    assert when(read_calendar(event("SUMMARY:x", "DTSTART;TZID=Nobody's:20240612T093000"))) == ("2024-06-12", "09:30:00", None, "Nobody's")


def series(rule: str, *changed: str, start: str = "20240603T090000", cut: str = "20240701T090000") -> list[dict[str, str]]:
    text = event("UID:1", "SUMMARY:old", f"DTSTART;TZID=America/New_York:{start}", rule)
    return rows(text + event("UID:1", "SUMMARY:new", f"RECURRENCE-ID;TZID=America/New_York;RANGE=THISANDFUTURE:{cut}", *changed))


def test_where_the_rest_of_a_series_changed_it_ends_and_another_begins() -> None:
    later = "DTSTART;TZID=America/New_York:20240701T110000"
    assert [(one["Start Time"], one["Recurrence"]) for one in series("RRULE:FREQ=WEEKLY;BYDAY=MO", later)] == [
        ("09:00:00", "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20240701T125959Z"), ("11:00:00", "RRULE:FREQ=WEEKLY;BYDAY=MO"),
    ]  # fmt: skip
    assert [one["Recurrence"] for one in series("RRULE:FREQ=WEEKLY;COUNT=10", later)] == ["RRULE:FREQ=WEEKLY;UNTIL=20240701T125959Z", "RRULE:FREQ=WEEKLY;COUNT=6"]
    assert [one["Recurrence"] for one in series("RRULE:FREQ=WEEKLY", later, "RRULE:FREQ=MONTHLY")] == ["RRULE:FREQ=WEEKLY;UNTIL=20240701T125959Z", "RRULE:FREQ=MONTHLY"]


@pytest.mark.parametrize(("rule", "start"), [
    ("RRULE:FREQ=WEEKLY;BYDAY=MO", "20240702T110000"), ("RRULE:FREQ=WEEKLY;UNTIL=20241231T235959Z", "20240701T110000"), ("RRULE:FREQ=WEEKLY;COUNT=2", "20240701T110000"),
    ("RRULE:FREQ=WEEKLY;COUNT=x", "20240701T110000"), ("RRULE:nonsense;COUNT=5", "20240701T110000"), ("RRULE:FREQ=WEEKLY\r\nEXDATE;TZID=America/New_York:20240708T090000", "20240701T110000"),
])  # fmt: skip
def test_a_change_of_the_rest_that_can_not_be_told_stands_as_it_came(rule: str, start: str) -> None:
    text = event("UID:1", "SUMMARY:old", "DTSTART;TZID=America/New_York:20240603T090000", rule)
    text += event("UID:1", "SUMMARY:new", "RECURRENCE-ID;TZID=America/New_York;RANGE=THISANDFUTURE:20240701T090000", f"DTSTART;TZID=America/New_York:{start}")
    grid = read_calendar(text)[0]
    assert grid.notes == {"series_not_split": 1} and "UNTIL=20240701" not in rows(text)[0]["Recurrence"] and "RECURRENCE-ID" in rows(text)[1]["Recurrence"]


@pytest.mark.parametrize("mode", ["keep", "expand"])
def test_a_rule_that_is_none_costs_the_rule_and_not_the_event(crossing: Crossings, mode: str) -> None:
    rules = ["FREQ=WEEKLY;BYDAY=MO", "FREQ=FORTNIGHTLY", "BYDAY=MO", "FREQ=WEEKLY;BYDAY=XX", "FREQ=YEARLY;BYMONTH=13", "FREQ=DAILY;UNTIL=20249901", "FREQ=DAILY;COUNT=0"]
    calendar = "".join(event(f"UID:{n}", f"SUMMARY:S{n}", "DTSTART:20240603T090000Z", "DURATION:PT1H", f"RRULE:{rule}") for n, rule in enumerate(rules))
    run = crossing(firm() | {"c.ics": calendar}, options={"recurrence": mode}, time_zone="America/New_York")
    assert len(run.found("rule_unreadable")) == 6
    assert run.type("calendar_event")["read"] == 7
    once = [r for r in run.rows("calendar_events") if r["summary"] != "S0"]
    assert len(once) == 6 and {r["recurrence"] for r in once} == {""}
    assert run.state == "completed", run.reasons


def test_hours_an_event_lasts_are_those_of_the_clock_that_changes_meanwhile() -> None:
    def end(*properties: str) -> tuple[str | None, str | None]:
        found = rows(event("SUMMARY:x", *properties))[0]
        return found.get("End Date"), found.get("End Time")

    assert end("DTSTART;TZID=America/New_York:20240309T220000", "DURATION:PT8H") == ("2024-03-10", "07:00:00")
    assert end("DTSTART;TZID=America/New_York:20240309T220000", "DURATION:P1D") == ("2024-03-10", "22:00:00")


def test_odd_moments_cost_no_other_event() -> None:
    text = event("SUMMARY:a", "UID:1", "SEQUENCE:²", "DTSTART:20240105T000000", "DURATION:P9999999999D") * 2 + event("SUMMARY:b", "DTSTART;VALUE=PERIOD:20240105T090000Z/PT1H")
    assert [one["Subject"] for one in rows(text)] == ["a", "a", "b"] and rows(text)[2]["All Day Event"] == "False"
    ends = rows(event("SUMMARY:x", "DTSTART;TZID=Europe/London:20240330T230000", "DTEND;TZID=America/New_York:20240330T230000"))[0]
    assert (ends["End Date"], ends["End Time"], ends["Time Zone"]) == ("2024-03-31", "04:00:00", "Europe/London")
    assert rows(event("SUMMARY:x", "DTSTART;VALUE=DATE:20240105", "DURATION:PT36H"))[0]["End Date"] == "2024-01-06"


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "a\0b", "no such"])
def test_a_charset_nobody_should_name_costs_no_card(charset: str) -> None:
    assert len(rows(card(f"N;CHARSET={charset};ENCODING=QUOTED-PRINTABLE:+2AA-=ud800") + card("FN:good"), read_cards)) == 2


JUNK = st.lists(st.sampled_from(["BEGIN:VEVENT", "END:VEVENT", "BEGIN:VCARD", "END:VCARD", "BEGIN:VALARM", "DTSTART:20249999T9", "DTSTART;TZID=:x", "DURATION:P", "SUMMARY", "N:;;;;;;;", "TEL;=:;", " folded", ";:", 'A;B="x:y', "NOTE;QUOTED-PRINTABLE:x=", "BEGIN: VEVENT", "BEGIN;X=1:VEVENT", "a.BEGIN:VEVENT", "BEGIN:VEVENT \t", "BEGıN:VEVENT", "BEGIN:VTODO", "RRULE:FREQ=DAILY;COUNT=3", "UID:1", "RECURRENCE-ID;RANGE=THISANDFUTURE:20240101T000000", "DTSTART:20240101T000000", "BEGIN:VTIMEZONE", "BEGIN:STANDARD", "TZID:x", "FN:é"]), max_size=25)


@given(JUNK, st.sampled_from(["\n", "\r\n", "\r"]))
def test_whatever_the_file_holds_rows_and_recount_agree(junk: list[str], end: str) -> None:
    text = end.join(junk)
    source = Source.of(text.encode())
    counted = recount.count_calendar(source, {}, None)
    assert {grid.sheet: grid.cells.height for grid in read_calendar(text)}.items() <= counted.items()
    assert sum(grid.cells.height - 1 for grid in read_calendar(text)) == sum(counted.values()) - 2
    assert recount.count_begun(source, {}, None, "VCARD") == read_cards(text).cells.height


def test_they_are_told_by_their_content() -> None:
    assert kind_of(b"\xef\xbb\xbfbegin:vcalendar\r\n") is Kind.CALENDAR
    assert kind_of(b"BEGIN:VCARD\nVERSION:3.0\n") is Kind.CARDS


@pytest.mark.requirement("E27")
def test_a_firm_that_sends_a_calendar_and_cards_gets_events_and_contacts(crossing: Crossings) -> None:
    calendar = event("UID:1", "SUMMARY:Hearing", "DTSTART;TZID=America/New_York:20240631T0900") + event("UID:2", "SUMMARY:Filing due", "DTSTART;VALUE=DATE:20240614", "ORGANIZER;CN=Jane Doe:mailto:x")
    calendar += event("UID:3", "SUMMARY:Off", "STATUS:CANCELLED", "DTSTART:20240614T0900Z")
    run = crossing(firm(cal=calendar, book=card("FN:Ann Okafor", "N:Okafor;Ann;;;", "EMAIL:ann@x.example", "TEL;CELL:0412 345 678")))
    assert run.type("calendar_event") | {"read": 3, "carried": 1, "excluded": 1, "quarantined": 1} == run.type("calendar_event")
    assert [one["row"] for one in run.found("event_cancelled")] == [4]
    assert {"Ann", "John"} <= {line["first_name"] for line in run.rows("contacts")}
    assert next(check for check in run.ledger["checks"] if check["name"] == "lines")["passed"]


def test_zones_by_the_names_of_windows_are_known(crossing: Crossings) -> None:
    event = "BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:S{n}\r\nDTSTART;TZID={zone}:20240603T083000\r\nDTEND;TZID={zone}:20240603T093000\r\nEND:VEVENT\r\n"
    zones = ['"Eastern Standard Time"', "W. Europe Standard Time", "/mozilla.org/20070129_1/Europe/Paris", "Nowhere Standard Time"]
    text = "BEGIN:VCALENDAR\r\n" + "".join(event.format(n=n, zone=zone) for n, zone in enumerate(zones)) + "END:VCALENDAR\r\n"
    run = crossing(firm() | {"c.ics": text})
    assert [row["time_zone"] for row in run.rows("calendar_events")] == ["America/New_York", "Europe/Berlin", "Europe/Paris", "Nowhere Standard Time"]
