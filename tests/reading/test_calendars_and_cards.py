"""iCalendar and vCard as lists: folded, escaped, in any version, and broken in the ways such files are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry.reading.calendars import read_calendar
from caseferry.reading.cards import read_cards
from caseferry.reading.contentlines import lines
from caseferry.reading.kinds import Kind, kind_of
from caseferry.reading.source import Source
from tasks.verify import recount
from tests.crossing import Crossings, firm


def rows(text: str, read: object = read_calendar) -> list[dict[str, str]]:
    header, *found = [row[1:] for row in read(text).cells.rows()]  # type: ignore[operator]
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
         "Other Fields": "NICKNAME: Evie", "Date of Birth": "--0310"},
    ]  # fmt: skip


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


def test_to_dos_are_not_read_and_that_is_said(crossing: Crossings) -> None:
    run = crossing(firm(cal=event("SUMMARY:x", "DTSTART:20240614T0900") + "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:y\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"))
    assert [(one["rule"], one["count"]) for one in run.split["findings"] if one["rule"] == "todos_not_read"] == [("todos_not_read", 1)]


def test_odd_moments_cost_no_other_event() -> None:
    text = event("SUMMARY:a", "UID:1", "SEQUENCE:²", "DTSTART:20240105T000000", "DURATION:P9999999999D") * 2 + event("SUMMARY:b", "DTSTART;VALUE=PERIOD:20240105T090000Z/PT1H")
    assert [one["Subject"] for one in rows(text)] == ["a", "a", "b"] and rows(text)[2]["All Day Event"] == "False"
    ends = rows(event("SUMMARY:x", "DTSTART;TZID=Europe/London:20240330T230000", "DTEND;TZID=America/New_York:20240330T230000"))[0]
    assert (ends["End Date"], ends["End Time"], ends["Time Zone"]) == ("2024-03-31", "04:00:00", "Europe/London")
    assert rows(event("SUMMARY:x", "DTSTART;VALUE=DATE:20240105", "DURATION:PT36H"))[0]["End Date"] == "2024-01-06"


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "a\0b", "no such"])
def test_a_charset_nobody_should_name_costs_no_card(charset: str) -> None:
    assert len(rows(card(f"N;CHARSET={charset};ENCODING=QUOTED-PRINTABLE:+2AA-=ud800") + card("FN:good"), read_cards)) == 2


JUNK = st.lists(st.sampled_from(["BEGIN:VEVENT", "END:VEVENT", "BEGIN:VCARD", "END:VCARD", "BEGIN:VALARM", "DTSTART:20249999T9", "DTSTART;TZID=:x", "DURATION:P", "SUMMARY", "N:;;;;;;;", "TEL;=:;", " folded", ";:", 'A;B="x:y', "FN:é"]), max_size=25)


@given(JUNK, st.sampled_from(["\n", "\r\n", "\r"]))
def test_whatever_the_file_holds_rows_and_recount_agree(junk: list[str], end: str) -> None:
    text = end.join(junk)
    for read, word in ((read_calendar, "VEVENT"), (read_cards, "VCARD")):
        assert recount.count_begun(Source.of(text.encode()), {}, None, word) == read(text).cells.height


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
