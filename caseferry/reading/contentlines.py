"""The lines that iCalendar and vCard are written in: `group.NAME;PARAM=a,b:value`, folded, escaped, now and then broken.

Sources: RFC 5545 section 3.1, RFC 6350 section 3.2, and vCard 2.1 for bare parameters and quoted-printable text.
"""

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_FOLD = re.compile(r"\n[ \t]")
_EDGE = re.compile(r"(?im)^((?:BEGIN|END):[^\n]*)\n[ \t]")
"""Nothing is folded into where a thing begins or ends."""
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
        return [unescaped(one) for one in re.split(r"(?<!\\);", self.value)]


def unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found.group(1) in "nN" else found.group(1), text)


def lines(text: str) -> Iterator[Line]:
    """Every line that is one; what is none is passed over."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    folded = _FOLD.sub("", _EDGE.sub(r"\1\n;", plain)).split("\n")
    at = 0
    while at < len(folded):
        line = _line(folded[at])
        at += 1
        if line is None:
            continue
        if "QUOTED-PRINTABLE" in {one.upper() for name in ("ENCODING", "TYPE") for one in line.parameters.get(name, ())}:
            value = line.value
            while value.endswith("=") and at < len(folded):  # the text goes on in the next line
                value = value[:-1] + folded[at]
                at += 1
            line = Line(line.name, _printable(value, line.parameters), line.parameters, line.group)
        yield line


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
            return Line(name.group(2).upper(), text[place + 1 :], parameters, name.group(1) or "")
    return None


def _split(head: str) -> list[str]:
    """The name and the parameters of a line; a semicolon between quotation marks parts nothing."""
    return re.findall(r'(?:[^;"]|"[^"]*"?)+', head) or [""]


def _printable(value: str, parameters: dict[str, list[str]]) -> str:
    charset = next(iter(parameters.get("CHARSET", ())), "utf-8")
    data = quopri.decodestring(value.encode())
    try:
        return data.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return data.decode("cp1252", errors="replace")
