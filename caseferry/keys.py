"""The only place that builds a key of the bucket.

A segment that could leave its prefix, or look like another, is refused: empty, `.`, `..`, slashes,
control characters, text that is not NFC.
"""

import re
import unicodedata
from dataclasses import dataclass

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f/\\\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


DROPS = "drops/"
OPEN = "open/"
ENDPOINTS = "endpoints/"


class BadKey(ValueError):
    """The text can't be a segment of a key; its own text is not repeated here."""


def segment(text: str) -> str:
    """The text itself, if it is safe as one segment of a key."""
    if (
        not text
        or text in {".", ".."}
        or _FORBIDDEN.search(text)
        or unicodedata.normalize("NFC", text) != text
        or len(text.encode()) > 255
    ):
        raise BadKey("a key segment is empty, too long, or holds a character that is not allowed")
    return text


def identifier(text: str) -> str:
    """A firm's, migration's or run's id: a letter or digit, then letters, digits, `.`, `_`, `-`."""
    if not _ID.fullmatch(text) or ".." in text:
        raise BadKey("an id is 1 to 100 letters, digits, dots, dashes or underscores")
    return text


@dataclass(frozen=True)
class Migration:
    """Where one firm's migration lives in the bucket."""

    firm: str
    migration: str

    def __post_init__(self) -> None:
        identifier(self.firm)
        identifier(self.migration)

    @property
    def drops(self) -> str:
        return f"drops/{self.firm}/{self.migration}/"

    @property
    def home(self) -> str:
        return f"migrations/{self.firm}/{self.migration}/"

    @property
    def choices(self) -> str:
        return f"{self.home}migration.json"

    @property
    def beside(self) -> str:
        return f"{self.drops}migration.json"

    def closed(self, how: str) -> str:
        """Lies there once a closing file, told by its key, version and moment, has been acted upon."""
        return f"{self.home}closed/{identifier(how)}.json"

    def moved(self, run: str) -> str:
        """What a run has moved, kept for the runs that come after it."""
        return f"{self.moved_home}{identifier(run)}.parquet"

    @property
    def moved_home(self) -> str:
        return f"{self.home}moved/"

    def run(self, run: str) -> "Run":
        return Run(self.firm, self.migration, run)


@dataclass(frozen=True)
class Run:
    """Where one crossing lives in the bucket."""

    firm: str
    migration: str
    run: str

    def __post_init__(self) -> None:
        for text in (self.firm, self.migration, self.run):
            identifier(text)

    @property
    def home(self) -> str:
        return f"migrations/{self.firm}/{self.migration}/runs/{self.run}/"

    @property
    def of(self) -> Migration:
        return Migration(self.firm, self.migration)

    @property
    def marker(self) -> str:
        """Lies there while the run is under way: the list of open work."""
        return f"{OPEN}{self.firm}/{self.migration}/{self.run}"

    def at(self, *segments: str) -> str:
        """A key below this run: `run.at("1-split", "tables.json")`."""
        return self.home + "/".join(segment(part) for name in segments for part in name.split("/"))


def disabled(endpoint: str) -> str:
    """Lies there once an endpoint has said that it wants no more; delete it to begin again."""
    return f"{ENDPOINTS}{identifier(endpoint)}.disabled.json"


def probe(name: str, firm: str = "doctor") -> str:
    """An object that is written and taken away again to see how the bucket behaves; it names no run."""
    return f"{OPEN}{identifier(firm)}/{identifier(name)}"


def parse_marker(key: str) -> Run | None:
    """The run an object of the list of open work names."""
    parts = key.split("/")
    if len(parts) != 4 or parts[0] != OPEN.rstrip("/"):
        return None
    try:
        return Run(*parts[1:])
    except BadKey:
        return None


@dataclass(frozen=True)
class DropKey:
    """A key below `drops/`, taken apart."""

    migration: Migration
    path: str

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


def parse_drop(key: str) -> DropKey | None:
    """What an uploaded object belongs to, or nothing if its key is not a drop's."""
    parts = key.split("/")
    if len(parts) < 4 or parts[0] != "drops" or not parts[-1]:
        return None
    try:
        migration = Migration(parts[1], parts[2])
        for part in parts[3:]:
            segment(unicodedata.normalize("NFC", part))  # a Mac writes letters and accents apart; the name is only data
    except BadKey:
        return None
    return DropKey(migration, "/".join(parts[3:]))
