"""Messages as a list: a row for each, in the words a mail program's own list would have.

A message is an `.eml` file, an Outlook `.msg`, or one of many in a mailbox. Its day and time are those of its own header, by
the sender's clock. What is attached is named, measured and hashed; the bytes stay in the message, which is kept as it came.
"""

import email
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from email import policy
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

import polars as pl

from caseferry.reading.grid import ROW
from caseferry.reading.pages import text_of_page
from caseferry.reading.source import Source

HEADINGS = ("Date", "Time", "From", "To", "Cc", "Subject", "Body", "Attachments", "Folder", "Date Header", "Message-ID", "Other Fields", "Attached Files")
_OLE = b"\xd0\xcf\x11\xe0"
_AT_ONCE = 1_000
"""Messages of a piece."""
_READ = 4 << 20
_START = re.compile(rb"(?m)^From [^\n]*\d\d:\d\d[^\n]*\n(?=[!-9;-~]+:)")
"""Where a message of a mailbox begins: a line of `From `, whose moment has a time, and a header behind it. Source: RFC 4155."""
_BODY = re.compile(rb"\r?\n\r?\n")
_BLANK = b"\xef\xbb\xbf \t\r\n"
_OTHERS = ("Reply-To", "Bcc", "In-Reply-To", "X-Gmail-Labels")
_LABELS = "X-Gmail-Labels"
"""The folders of a message in a mailbox of Google's Takeout, which is one file for all."""


def messages(data: Source, spans: Sequence[Sequence[Any]]) -> Iterator[tuple[str, bytes]]:
    """Messages that lie one behind the other: name, where each begins, and its bytes."""
    for name, start, size in spans:
        yield str(name), data[start : start + size]


def mailbox(data: Source, file: str = "") -> Iterator[tuple[str, bytes]]:
    """The messages of a mailbox, however long it is, each named after the file and its place there.

    What stands before the first separator is a message too.
    """
    held, at, count = b"", 0, 0
    while at < len(data) or held:
        held += data[at : at + _READ]
        is_first, at = not at, at + _READ
        held = held.lstrip(_BLANK) if is_first else held
        starts = [found.start() for found in _START.finditer(held) if found.start()]
        is_last = at >= len(data)
        begin = 0
        for cut in [*starts, *([len(held)] if is_last else [])]:
            if cut > begin:
                count += 1
                yield f"{file}/message {count}", _unquoted(held[begin:cut])
            begin = cut
        held = b"" if is_last else held[begin:]


def _unquoted(message: bytes) -> bytes:
    """Without its separator, and without the mark before `From ` in its body."""
    body = message.partition(b"\n")[2] if message.startswith(b"From ") else message
    return re.sub(rb"(?m)^>(>*From )", rb"\1", body)


def pieces(found: Iterable[tuple[str, bytes]]) -> Iterator[pl.DataFrame]:
    """The list, some rows at a time, its header first."""
    rows: list[Sequence[str]] = [HEADINGS]
    first = 1
    for name, data in found:
        rows.append(_row(name, data))
        if len(rows) >= _AT_ONCE:
            yield _piece(rows, first)
            first, rows = first + len(rows), []
    if rows:
        yield _piece(rows, first)


def _piece(rows: list[Sequence[str]], first: int) -> pl.DataFrame:
    cells = pl.DataFrame([list(row) for row in rows], schema=[f"c{n}" for n in range(len(HEADINGS))], orient="row")
    cells = cells.with_columns(pl.when(pl.all().str.strip_chars() == "").then(None).otherwise(pl.all()).name.keep())
    return cells.with_row_index(ROW, offset=first)


def _row(name: str, data: bytes) -> Sequence[str]:
    if data.startswith(_OLE):
        return [_whole(cell) for cell in _outlook(name, data)]
    try:
        cells = _internet(name, data)
    except Exception:  # no message is so odd that the others of its mailbox should go with it
        cells = _bare(name, data)
    return [_whole(cell) for cell in cells]


def _whole(text: str) -> str:
    """Without halves of letters, which nothing can store."""
    return text.encode("utf-8", "replace").decode()


def _bare(name: str, data: bytes) -> Sequence[str]:
    """A message no reader can take apart: its headers line by line, and all of it as its text."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    head = text.partition("\n\n")[0]
    said = {key.casefold(): value.strip() for key, _, value in (line.partition(":") for line in head.splitlines())}
    day, time = _moment(said.get("date", ""))
    return (day, time, said.get("from", ""), said.get("to", ""), said.get("cc", ""), said.get("subject", ""), text, "", name, said.get("date", ""), said.get("message-id", ""), "could not be taken apart: all of it is the text", "")


def _internet(name: str, data: bytes) -> Sequence[str]:
    """A message as it goes through the net. Source: RFC 5322 and MIME, as the standard library reads them."""
    data = _headers_in_utf8(data)
    message = email.message_from_bytes(data)  # its newer policies read a header anew each time it is asked for
    headers = {key: _header(message, key) for key in ("Date", "From", "To", "Cc", "Subject", "Message-ID", *_OTHERS)}
    day, time = _moment(headers["Date"])
    others = "; ".join(f"{key}: {headers[key]}" for key in _OTHERS if headers[key])
    leaves = list(_leaves(message))
    attached = list(_attached(leaves))
    return (
        day, time, headers["From"], headers["To"], headers["Cc"], headers["Subject"], _body(leaves), _names(attached), _folder(name, headers[_LABELS]), headers["Date"],
        headers["Message-ID"], others, _facts(attached),
    )  # fmt: skip


def _folder(name: str, labels: str) -> str:
    """The path of a message; where it has labels, they stand before its own name."""
    folder, _, own = name.rpartition("/")
    return "/".join(filter(None, (folder, *(label.strip() for label in labels.split(",")), own))) if labels else name


def _headers_in_utf8(data: bytes) -> bytes:
    """With letters no header may have, and old programs write, in the one encoding they can be read by."""
    end = _BODY.search(data)
    head = data[: end.start()] if end else data
    try:
        head.decode()
    except UnicodeDecodeError:
        return head.decode("cp1252", "replace").encode() + data[len(head) :]
    return data


def _header(message: Message, key: str) -> str:
    """A header's text, decoded; of a header no rule fits as far as it can be."""
    wanted = key.casefold()
    raw = [value for name, value in message.raw_items() if name.casefold() == wanted]
    try:
        return " ".join(", ".join(str(policy.default.header_fetch_parse(key, value)) for value in raw).split())
    except Exception:
        return _plain(message, key)


def _plain(message: Message, key: str) -> str:
    return _decoded(", ".join(str(value) for value in message.get_all(key, [])))


def _decoded(text: str) -> str:
    from email.header import decode_header, make_header

    try:
        return " ".join(str(make_header(decode_header(text))).split())
    except (LookupError, ValueError):
        return " ".join(text.encode("utf-8", "replace").decode().split())


def _moment(text: str) -> tuple[str, str]:
    """Day and time of day by the sender's clock; a text that is no moment stands as the day, for a person to see."""
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return text, ""
    return found.date().isoformat(), found.time().isoformat("seconds")


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something; a message within the message is one of them, whatever that holds."""
    if message.get_content_maintype() == "message" or not message.is_multipart():
        yield message
        return
    for part in message.get_payload():
        if isinstance(part, Message):
            yield from _leaves(part)


def _body(leaves: Iterable[Message]) -> str:
    """The plain text; where there is none, the page's text."""
    plain: list[str] = []
    page: list[str] = []
    for part in leaves:
        if not _is_file(part):
            text = _text(part)
            (page if part.get_content_subtype() == "html" else plain).append(_flowing(part, text))
    body = "\n".join(text for text in plain if text.strip()) or "\n".join(text_of_page(text) for text in page)
    return body.replace("\r\n", "\n").strip("\n")


def _is_file(part: Message) -> bool:
    """True for what is attached, and for whatever is no text to read, such as a picture or an invitation."""
    is_text = part.get_content_type() in {"text/plain", "text/html", "text/enriched", "text/richtext"}
    return not is_text or part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _flowing(part: Message, text: str) -> str:
    """Paragraphs whose lines were broken for the way, as one line each again. Source: RFC 3676."""
    if str(part.get_param("format", "")).casefold() != "flowed":
        return text
    ends = " " if str(part.get_param("delsp", "")).casefold() == "yes" else ""
    made: list[str] = []
    goes_on, depth_before = False, 0
    for line in text.replace("\r\n", "\n").split("\n"):
        plain = line.lstrip(">")
        depth = len(line) - len(plain)
        plain = plain.removeprefix(" ")
        if goes_on and depth == depth_before:
            made[-1] = made[-1].removesuffix(ends) + plain
        else:
            made.append(f"{'>' * depth} {plain}" if depth else plain)
        goes_on, depth_before = plain.endswith(" ") and plain != "-- ", depth
    return "\n".join(made)


def _text(part: Message) -> str:
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError):
        data = None
    if not isinstance(data, bytes):
        return str(part.get_payload() or "")
    for charset in (str(part.get_content_charset() or "utf-8"), "utf-8", "cp1252", "latin-1"):
        try:
            return data.decode(charset)
        except (LookupError, ValueError):  # a name of no encoding, or bytes it does not know
            continue
    return data.decode("latin-1")


def _attached(leaves: Iterable[Message], within: str = "") -> Iterator[tuple[str, bytes]]:
    """Name and bytes of what is attached; what an attached message holds follows it, named after it."""
    for part in leaves:
        inner = part.get_payload(0) if part.get_content_type() == "message/rfc822" and part.is_multipart() else None
        if isinstance(inner, Message):
            name = f"{within}{_called(_file_name(part) or _letter_name(inner))}"
            yield name, _bytes_of(inner)
            yield from _attached(_leaves(inner), f"{name}/")
        elif _is_file(part):
            data = part.get_payload(decode=True)
            yield f"{within}{_called(_file_name(part) or part.get_content_type())}", data if isinstance(data, bytes) else _bytes_of(part)


def _called(name: str) -> str:
    """A file's name on one line, decoded where a program wrote it as headers write text."""
    return " ".join((_decoded(name) if "=?" in name else name).split())


def _file_name(part: Message) -> str:
    """The name of a file; where it stands in letters no header may have, as those read."""
    name = str(part.get_filename() or "")
    if "\ufffd" not in name:
        return name
    for header, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        for raw in (value for key, value in part.raw_items() if key.casefold() == header):
            data = str(raw).encode("utf-8", "surrogateescape")
            try:
                read: Any = policy.default.header_fetch_parse(header, data.decode("utf-8"))
            except UnicodeDecodeError:
                read = policy.default.header_fetch_parse(header, data.decode("cp1252", "replace"))
            if found := read.params.get(parameter):
                return str(found)
    return name


def _letter_name(message: Message) -> str:
    subject = _plain(message, "Subject").replace("/", "-")
    return f"{subject[:100] or 'message'}.eml"


def _bytes_of(part: Message) -> bytes:
    try:
        return part.as_bytes(policy=policy.compat32)
    except Exception:  # a part that can be read and not written
        return b""


def _names(attached: Iterable[tuple[str, bytes | None]]) -> str:
    """What is attached by name; what an attached message holds in its turn is among the files only."""
    listed = [name for name, _ in attached]
    letters = tuple(f"{name}/" for name in listed)
    return "; ".join(name for name in listed if not name.startswith(letters))


def _facts(attached: Iterable[tuple[str, bytes | None]]) -> str:
    """A line for each file: size, SHA-256, name. What lies open among the parts of another has no bytes of its own."""
    return "\n".join(f"{len(data)} {hashlib.sha256(data).hexdigest()} {name}" for name, data in attached if data is not None)


def _outlook(name: str, data: bytes) -> Sequence[str]:
    """A message as Outlook keeps it."""
    from caseferry.reading.outlook import opened

    letter = opened(data)
    headers = {key: _decoded(value) for key, value in letter.headers.items()}
    # Its own field is in universal time; the header, where it was kept, has the sender's clock.
    day, time = _moment(headers["date"]) if headers.get("date") else (letter.sent.date().isoformat(), letter.sent.time().isoformat("seconds")) if letter.sent else ("", "")
    stands_at = headers.get("date") or (letter.sent.isoformat() if letter.sent else "")
    others = {"Bcc": headers.get("bcc") or letter.hidden, "Kind": letter.kind if not letter.kind.casefold().startswith("ipm.note") else ""}
    attached = [(_called(one), data) for one, data in letter.files]
    body = letter.body or text_of_page(letter.page)
    return (
        day, time, headers.get("from") or letter.sender, headers.get("to") or letter.to, headers.get("cc") or letter.copies, letter.subject, body.replace("\r\n", "\n").strip("\n"),
        _names(attached), name, stands_at, headers.get("message-id") or letter.message_id, "; ".join(f"{key}: {value}" for key, value in others.items() if value), _facts(attached),
    )  # fmt: skip
