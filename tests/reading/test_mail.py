"""Mail in files, in mailboxes and as Outlook keeps it. Every message is a row, whatever is odd about it."""

import hashlib
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from caseferry.reading import mails
from samples import outlook
from tests.crossing import CARDS, Crossings, firm


def letter(subject: str = "Hello", body: str = "Dear John", sender: str = "jane@firm.example", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "John Smith <john@x.example>", subject
    message["Date"] = "Fri, 31 May 2024 18:05:09 -0400"
    for name, value in headers.items():
        message[name] = value
    message.set_content(body)
    return message.as_bytes()


def with_attachment() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"], message["Date"] = "a@x.example", "b@x.example", "Draft", "Mon, 3 Jun 2024 09:00:00 +0000"
    message.set_content("<html><head><style>x{}</style></head><body><p>First&nbsp;line</p><div>Second</div></body></html>", subtype="html")
    message.add_attachment(b"%PDF-1.7 x", maintype="application", subtype="pdf", filename="Deed of trust.pdf")
    return message.as_bytes()


@pytest.mark.requirement("B12")
def test_messages_in_files_are_one_list_and_find_their_matter(crossing: Crossings) -> None:
    files = firm(cards=CARDS + '"Smith, John",John,Smith,,john@x.example,\n') | {
        "Mail/24-0001 Sale/1.eml": letter(), "Mail/2.eml": letter("Re: offer [24-0001]", "second"), "Mail/3.eml": with_attachment(), "Mail/4.eml": letter("=?utf-8?q?Caf=C3=A9?="),
        "Mail/5.eml": b"From: x\nDate: not a day\nSubject: \xff\xfe odd\nTo: y@x.example\n\nbody\n",
    }  # fmt: skip
    run = crossing(files, options={"documents": True})
    rows = {r["subject"]: r for r in run.rows("emails")}
    assert run.type("email")["read"] == 5
    assert (rows["Hello"]["date"], rows["Hello"]["time"], rows["Hello"]["matter"], rows["Hello"]["to"]) == ("05/31/2024", "18:05:09", "24-0001", "John Smith <john@x.example>")
    assert rows["Re: offer [24-0001]"]["matter"] == "24-0001"
    assert (rows["Draft"]["body"], rows["Draft"]["attachments"]) == ("First\xa0line\nSecond", "Deed of trust.pdf") or rows["Draft"]["body"] == "First line\nSecond"
    assert "Café" in rows
    assert len(run.changed("matter_from_mail")) == 2
    assert run.check("lines")["passed"]
    assert run.state == "completed"
    assert (run.type("document")["carried"], run.type("document")["derived"]) == (5, 1)
    attached = next(r for r in run.rows("documents") if r["path"] == "Mail/3.eml/Deed of trust.pdf")
    assert (attached["size"], attached["sha256"]) == ("10", hashlib.sha256(b"%PDF-1.7 x").hexdigest())


def test_a_mailbox_is_taken_apart_where_its_messages_begin(crossing: Crossings) -> None:
    box = b"".join(
        b"From jane@firm.example Fri May 31 18:05:09 2024\n" + letter(f"Number {n}", f"line\n\n>From the start\nFrom here on, text {n}").replace(b"\r\n", b"\n") + b"\n" for n in range(2500)
    )
    run = crossing(firm() | {"Inbox": box})
    assert run.type("email")["read"] == 2500
    rows = run.rows("emails")
    assert rows[7]["subject"] == "Number 7"
    assert rows[7]["body"] == "line\n\nFrom the start\nFrom here on, text 7"
    assert run.check("lines")["passed"]
    assert run.state == "completed"


def test_two_attachments_of_one_name_are_two_documents_in_every_target(crossing: Crossings) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"], message["Date"] = "a@x.example", "b@x.example", "Scans", "Mon, 3 Jun 2024 09:00:00 +0000"
    message.set_content("two scans")
    for data in (b"%PDF-1.7 a", b"%PDF-1.7 b"):
        message.add_attachment(data, maintype="application", subtype="pdf", filename="scan.pdf")
    run = crossing(firm() | {"m.eml": message.as_bytes()}, target="generic_crm", options={"documents": True}).approved()
    assert run.state == "completed", run.reasons
    assert [line["Path"] for line in run.fitted("generic_crm", "12_documents")] == ["m.eml", "m.eml/scan.pdf", "m.eml/scan.pdf"]


@pytest.mark.requirement("B12")
def test_a_message_as_outlook_keeps_it_is_a_row(crossing: Crossings) -> None:
    run = crossing(firm() | {"Mail/offer.msg": (Path(__file__).parent / "offer.msg").read_bytes()})
    (row,) = run.rows("emails")
    assert (row["date"], row["time"], row["subject"], row["matter"]) == ("05/31/2024", "22:05:09", "Offer [24-0001]", "24-0001")
    assert (row["to"], row["attachments"]) == ("John Smith <john@x.example>", "Deed of trust.pdf")
    assert row["body"] == "Dear John,\nplease find the offer."
    assert run.check("lines")["passed"]


SENT = datetime(2024, 6, 3, 13, 0, 5, tzinfo=UTC)


@pytest.mark.requirement("B12")
def test_a_message_of_an_exchange_server_has_addresses_of_the_net_and_all_it_carries() -> None:
    inner = outlook.tree({outlook.SUBJECT: "Inner", outlook.BODY: "x"}, files=[{outlook.DATA: b"x", outlook.LONG_NAME: "in.txt"}], is_inner=True)
    row = read(outlook.message(
        {outlook.CLASS: "IPM.Note", outlook.SUBJECT: "Exchange", outlook.BODY: "Hello\r\nthere", outlook.SENDER: "Jane Doe", outlook.SENDER_TYPE: "EX",
         outlook.SENDER_ADDRESS: "/O=FIRM/OU=EX/CN=RECIPIENTS/CN=JDOE", outlook.SENDER_SMTP: "jane@firm.example", outlook.SENT: SENT},
        [{outlook.SHOWN: who, outlook.ADDRESS: f"{who}@x.example", outlook.ROLE: role} for who, role in (("ann", outlook.TO), ("bea", outlook.CC), ("cat", outlook.BCC))],
        [{outlook.DATA: b"%PDF" + bytes(9000), outlook.LONG_NAME: "Big.pdf", outlook.SHORT_NAME: "BIG~1.PDF"}, {outlook.DATA: inner, outlook.SHOWN: "Inner", outlook.METHOD: 5}, {outlook.DATA: b"z", outlook.SHORT_NAME: "OLD.DOC"}],
    ))  # fmt: skip
    assert (row["Date"], row["Time"], row["Date Header"], row["From"]) == ("2024-06-03", "13:00:05", "2024-06-03T13:00:05+00:00", "Jane Doe <jane@firm.example>")
    assert (row["To"], row["Cc"], row["Other Fields"]) == ("ann <ann@x.example>", "bea <bea@x.example>", "Bcc: cat <cat@x.example>")
    assert (row["Body"], row["Attachments"]) == ("Hello\nthere", "Big.pdf; Inner.msg; OLD.DOC")
    assert [line.split(" ", 2)[::2] for line in row["Attached Files"].splitlines()] == [["9004", "Big.pdf"], ["1", "Inner.msg/in.txt"], ["1", "OLD.DOC"]]


def test_what_came_through_the_net_is_told_by_its_headers_and_old_letters_are_read() -> None:
    headers = "From: =?iso-8859-1?Q?J=F6rg?= <j@x.example>\r\nTo: =?utf-8?q?Z=C3=B6e?= <z@x.example>\r\nDate: Mon, 3 Jun 2024 09:00:05 -0400\r\n\r\n"
    row = read(outlook.message({outlook.SUBJECT: "Kündigung", outlook.BODY: "Grüße", outlook.CODE_PAGE: 1252, outlook.SENT: SENT, outlook.HEADERS: headers}, encoding="cp1252"))
    assert (row["Time"], row["From"], row["To"], row["Subject"], row["Body"]) == ("09:00:05", "Jörg <j@x.example>", "Zöe <z@x.example>", "Kündigung", "Grüße")


def test_a_page_in_another_encoding_than_it_says_and_text_nobody_reads_cost_nothing() -> None:
    assert read(outlook.message({outlook.HTML: b"<p>caf\xe9</p>", outlook.HTML_CODE_PAGE: 65001}))["Body"] == "café"
    row = read(outlook.message({outlook.CLASS: "IPM.Appointment", outlook.SUBJECT: "rich", outlook.RTF: RICH}))
    assert (row["Body"], row["Attachments"], row["Other Fields"]) == ("", "text of the message.rtf", "Kind: IPM.Appointment")
    assert row["Attached Files"] == f"{len(PLAIN)} {hashlib.sha256(PLAIN).hexdigest()} text of the message.rtf"


PLAIN = rb"{\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
RICH = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
"""The second example of MS-OXRTFCP, 4.1.2: what it refers to has just been written."""


def test_a_message_that_can_not_be_read_costs_no_other(crossing: Crossings) -> None:
    broken = (Path(__file__).parent / "offer.msg").read_bytes()[:2600]
    run = crossing(firm() | {"a.eml": letter("A"), "b.msg": broken, "c.eml": letter("C")})
    assert sorted(r["subject"] for r in run.rows("emails")) == ["A", "C"]
    assert [note["where"] for note in run.noted("unreadable_file")] == ["b.msg"]
    assert run.check("lines")["passed"]


def parts(*some: tuple[str, str], kind: str = "mixed", cut: str = "cut") -> bytes:
    """A message of several parts, each its headers and its text."""
    text = f"From: a@x.example\r\nTo: b@x.example\r\nSubject: odd\r\nDate: Mon, 3 Jun 2024 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary={cut}\r\n\r\n"
    return (text + "".join(f"--{cut}\r\n{headers}\r\n\r\n{body}\r\n" for headers, body in some) + f"--{cut}--\r\n").encode()


def read(data: bytes) -> dict[str, str]:
    """One message as a row."""
    header, row = (piece for piece in next(mails.pieces([("m.eml", data)])).drop("row").rows())
    return {name: cell or "" for name, cell in zip(header, row, strict=True)}


def test_a_message_in_a_message_is_a_file_and_speaks_for_itself() -> None:
    inner = parts(("Content-Type: text/plain", "inner text"), ("Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=deed.pdf", "%PDF-1.7 x"), cut="inner").decode()
    row = read(parts(("Content-Type: text/plain", "see below"), ("Content-Type: message/rfc822", inner)))
    assert (row["Body"], row["Attachments"]) == ("see below", "odd.eml")
    assert [line.split(" ", 2)[2] for line in row["Attached Files"].splitlines()] == ["odd.eml", "odd.eml/deed.pdf"]


def test_what_is_no_text_to_read_is_listed_and_never_taken_for_the_text() -> None:
    page = ("Content-Type: text/html", "<table><tr><td>Fee</td><td>350.00</td></tr></table>")
    row = read(parts(page, ("Content-Type: image/png\r\nContent-ID: <1>", "x"), ("Content-Type: text/calendar; method=REQUEST", "BEGIN:VCALENDAR"), kind="related"))
    assert (row["Body"], row["Attachments"]) == ("Fee 350.00", "image/png; text/calendar")


@pytest.mark.parametrize(("delsp", "text"), [("", "one paragraph of two lines\n> quoted on and on\nends\n-- \nJohn"), ("; delsp=yes", "one paragraphof two lines\n> quoted onand on\nends\n-- \nJohn")])
def test_lines_broken_for_the_way_are_whole_again(delsp: str, text: str) -> None:
    lines = "one paragraph \r\nof two lines\r\n> quoted on \r\n> and on\r\nends\r\n-- \r\nJohn\r\n"
    assert read(f"From: a@x.example\r\nContent-Type: text/plain; format=flowed{delsp}\r\n\r\n{lines}".encode())["Body"] == text


def test_letters_no_header_may_have_are_read() -> None:
    for encoding in ("cp1252", "utf-8"):
        assert read("From: José <jose@x.example>\nSubject: Café – reçu\n\nx\n".encode(encoding)) | {"From": "José <jose@x.example>", "Subject": "Café – reçu"} == read("From: José <jose@x.example>\nSubject: Café – reçu\n\nx\n".encode(encoding))


def test_a_message_of_a_mailbox_has_a_path_and_the_labels_it_was_filed_under(crossing: Crossings) -> None:
    labelled = letter("Labelled", **{"X-Gmail-Labels": "=?UTF-8?Q?Important,24-0001_Sale?="})
    box = b"From 18@xxx Sat Jun 01 00:00:00 +0000 2024\n" + labelled + b"\n" + SEPARATOR + with_attachment() + b"\n"
    run = crossing(firm() | {"Takeout/All mail.mbox": box.replace(b"\r\n", b"\n")}, options={"documents": True})
    assert {r["subject"]: r["matter"] for r in run.rows("emails")} == {"Labelled": "24-0001", "Draft": ""}
    assert [r["path"] for r in run.rows("documents")] == ["Takeout/All mail.mbox/message 2/Deed of trust.pdf"]
    assert run.check("lines")["passed"]


def test_a_message_is_found_odd_where_it_is_odd(crossing: Crossings) -> None:
    packed = parts(("Content-Type: text/plain", "x"), ("Content-Type: application/ms-tnef\r\nContent-Disposition: attachment; filename=winmail.dat", "x"))
    run = crossing(firm() | {"a.eml": letter(sender='"Smith, John" <JOHN@x.example>'), "b.eml": packed, "c.eml": b"From: not an address @ all\nTo: b@x.example\n\nx\n"})
    assert sorted((one["rule"], one["row"]) for one in run.notes("findings") if one["rule"] in {"email_format", "winmail_not_opened", "no_date"}) == [("email_format", 4), ("no_date", 4), ("winmail_not_opened", 3)]


SEPARATOR = b"From jane@firm.example Fri May 31 18:05:09 2024\n"


@pytest.mark.parametrize("front", [b"", b"\xef\xbb\xbf", b"\n", b"\r\n\r\n", b" \n\t"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_no_message_of_an_odd_mailbox_is_lost(crossing: Crossings, front: bytes, end: bytes) -> None:
    bodies = ["plain", "\n\nFrom Zürich\nÖffnung: 9 Uhr", "From here on\nNote: 9 Uhr", ""]
    box = front + b"".join(SEPARATOR + letter(f"Number {n}", body) + b"\n" for n, body in enumerate(bodies)).replace(b"\r\n", b"\n").replace(b"\n", end)
    run = crossing(firm() | {"Inbox": box})
    assert [r["subject"] for r in run.rows("emails")] == ["Number 0", "Number 1", "Number 2", "Number 3"]
    assert run.check("lines")["passed"]


@pytest.mark.parametrize(
    "odd",
    [
        b"From: a@x.example\nSubject: odd\nContent-Type: text/plain; charset=utf-7\n\n+2AA-\n", b"From: a@x.example\nSubject: odd\nContent-Type: text/plain; charset=undefined\n\nx\n",
        b"From: a@x.example\nSubject: =?utf-7?q?+2AA-?=\n\nx\n", b"From: a@x.example\nSubject: odd\nContent-Disposition: attachment; filename*=undefined''x%41\n\nx\n",
        b"From: a@x.example\nSubject: deep\n" + b"Content-Type: message/rfc822\n\n" * 1500 + b"x\n",
    ],
)  # fmt: skip
def test_one_odd_message_costs_no_other_of_its_mailbox(crossing: Crossings, odd: bytes) -> None:
    run = crossing(firm() | {"Inbox": SEPARATOR + letter("A") + b"\n" + SEPARATOR + odd + b"\n" + SEPARATOR + letter("C")})
    assert run.type("email")["read"] == 3
    assert {"A", "C"} <= {r["subject"] for r in run.rows("emails")}


def test_a_page_keeps_its_text_whatever_end_tags_it_lacks(crossing: Crossings) -> None:
    page = b"From: a@x.example\nSubject: page\nContent-Type: text/html\n\n<html><head><meta charset=utf-8><title>T<body><p>Hello</p><style>p{}</style><p>there"
    assert crossing(firm() | {"a.eml": page}).rows("emails")[0]["body"] == "Hello\nthere"


def test_a_report_of_delivery_is_a_file_and_names_are_read_however_they_are_written() -> None:
    status = ("Content-Type: message/delivery-status", "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; b@x.example\r\nStatus: 5.1.1")
    named = ('Content-Type: application/pdf; name="=?utf-8?q?Vertr=C3=A4ge.pdf?="\r\nContent-Disposition: attachment', "x")
    raw = ('Content-Type: application/pdf; name="Verträge.pdf"\r\nContent-Disposition: attachment', "x")
    row = read(parts(("Content-Type: text/plain", "undelivered"), status, named, raw, kind="report"))
    assert (row["Body"], row["Attachments"]) == ("undelivered", "message/delivery-status; Verträge.pdf; Verträge.pdf")
    assert read(parts(raw).decode().encode("cp1252"))["Attachments"] == "Verträge.pdf"
