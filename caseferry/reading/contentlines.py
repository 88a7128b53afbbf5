"""The lines that iCalendar and vCard are written in: `group.NAME;PARAM=a,b:value`, folded, escaped, now and then broken.

Sources: RFC 5545 section 3.1, RFC 6350 section 3.2, and vCard 2.1 for bare parameters and quoted-printable text.
"""

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_EDGE = re.compile(r"(?i)(?:BEGIN|END):")
"""Nothing is folded into where a thing begins or ends, and nothing goes on there."""
_PRINTABLE = re.compile(r"(?i)^[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE[;:]")
_ENCODED = re.compile(r"(?i)^[^:]*;(?:ENCODING=)?(?:BASE64|B)(?:[;:]|$)")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}$")
_PIECE = re.compile(r"((?:\\.|[^;\\])*)(?:;|$)", re.DOTALL)
_CHARSETS = {
    "utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-2", "iso-8859-15", "latin1", "windows-1250", "windows-1251", "windows-1252", "cp1252", "koi8-r",
    "shift_jis", "iso-2022-jp", "euc-jp", "gb2312", "gbk", "gb18030", "big5", "euc-kr",
}  # fmt: skip
_NAME = re.compile(r"(?:([\w-]+)\.)?([\w-]+)$")
_ESCAPED = re.compile(r"\\([\\;,nN:])")


@dataclass(frozen=True)
class Line:
    name: str
    """In capitals."""
    value: str
    parameters: dict[str, list[str]] = field(default_factory=dict)
    """By name in capitals; vCard 2.1's bare ones, such as `WORK`, stand under `TYPE`."""
    group: str = ""

    @property
    def types(self) -> set[str]:
        return {one.casefold() for one in self.parameters.get("TYPE", ())}

    @property
    def text(self) -> str:
        return unescaped(self.value)

    @property
    def parts(self) -> list[str]:
        """The pieces of a value between semicolons, each unescaped."""
        found = [unescaped(piece.group(1)) for piece in _PIECE.finditer(self.value)]
        return found[:-1] if len(found) > 1 and not self.value.endswith(";") else found


def edge_of(line: Line, name: str) -> str:
    """What begins or ends in a line, in capitals; nothing if it is no such line to the letter."""
    value = line.value.rstrip(" \t")
    is_edge = line.name == name and not line.parameters and not line.group and value.isascii() and value[:1].isalpha()
    return value.upper() if is_edge else ""


def unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found.group(1) in "nN" else found.group(1), text)


def lines(text: str) -> Iterator[Line]:
    """Every line; one that is none has the name `?`."""
    keeps_blank = False
    for whole in _unfolded(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        if not whole.strip():
            continue
        whole = whole.replace("\n", " " if keeps_blank else "")
        line = _line(whole) or Line("?", whole)
        if line.name == "VERSION":
            keeps_blank = line.value.strip() == "2.1"
        if _PRINTABLE.match(whole):
            line = Line(line.name, _printable(line.value, line.parameters), line.parameters, line.group)
        yield line


def _unfolded(raw: list[str]) -> Iterator[str]:
    """Lines with those that go on with them; where one went on stands a line feed, but not in quoted-printable text."""
    held: list[str] = []
    for one in raw:
        if held and _PRINTABLE.match(held[0]) and held[-1].endswith("=") and not _EDGE.match(one):
            held[-1] = held[-1][:-1]
            held.append(one)
        elif held and _ENCODED.match(held[0]) and _BASE64.match(one):
            held.append(one)  # some telephones fold without a blank
        elif held and one[:1] in {" ", "\t"} and not _EDGE.match(held[0]):
            held.append(one[1:] if _PRINTABLE.match(held[0]) else "\n" + one[1:])
        else:
            if held:
                yield "".join(held)
            held = [one]
    if held:
        yield "".join(held)


def _line(text: str) -> Line | None:
    quoted = False
    for place, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char == ":" and not quoted:
            head, *given = _split(text[:place])
            name = _NAME.match(head)
            if name is None:
                return None
            parameters: dict[str, list[str]] = {}
            for one in given:
                key, equals, value = one.partition("=")
                values = [part.strip().strip('"') for part in (value if equals else key).split(",")]
                parameters.setdefault(key.strip().upper() if equals else "TYPE", []).extend(values)
            return Line(name.group(2).upper() if name.group(2).isascii() else name.group(2), text[place + 1 :], parameters, name.group(1) or "")
    return None


def _split(head: str) -> list[str]:
    """The name and the parameters of a line; a semicolon between quotation marks parts nothing."""
    return re.findall(r'(?:[^;"]|"[^"]*"?)+', head) or [""]


def _printable(value: str, parameters: dict[str, list[str]]) -> str:
    charset = next(iter(parameters.get("CHARSET", ())), "utf-8").strip().casefold()
    data = quopri.decodestring(value.encode(errors="replace"))
    try:
        return data.decode(charset if charset in _CHARSETS else "utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
