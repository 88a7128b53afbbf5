"""What one stage hands to the next."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from caseferry.mapping.dates import Order
from caseferry.model import Model

MESSAGES = "(messages)"
"""What the list is called that is made of messages in files of their own."""
PORTAL, PORTAL_MESSAGES = "portal_data", "portal_messages"
"""The rule that tells messages and shares of a client portal, and the name a decision about them has."""
FORMAT = 9
"""The layout of a run. A worker leaves a run of a later layout to a newer worker."""
LAID_APART = 9
"""The first whose batches may be laid by tasks of their own, and whose lines are told in their order, without numbers. What an
older worker began, one such may go on with.
"""


class Uploaded(Model):
    """One uploaded object, to the version."""

    key: str
    size: int
    tag: str
    version: str = ""


class Arrival(Model):
    """`arrival.json`: the objects this run is about, fixed when it was claimed."""

    format: int = FORMAT
    key: str
    version: str
    size: int
    at: datetime
    """When the run was claimed; its day is the day of receipt, however late the work begins."""
    objects: tuple[Uploaded, ...]
    loose: bool = False
    """True when loose files start together; then `key` is the file that closed the drop."""


class Packed(Model):
    """Where in an archive a file lies, and how."""

    start: int
    length: int
    """Bytes, as they lie there."""
    method: int
    """0: as they are; 8: deflated."""
    crc32: str
    """Of these bytes."""


class Kept(Model):
    """One file of the drop, as it lies in `0-original/`."""

    name: str
    """The path the firm gave it, inside the archive if it came in one."""
    key: str
    """Of the object that is it, or of the archive it lies in: nothing is stored a second time."""
    size: int
    sha256: str
    kind: str
    archive: str = ""
    packed: Packed | None = None
    """Of a file that is read out of the archive; none where the object is the file, and of papers nobody reads here."""


class Refusal(Model):
    """A file that could not be read, and why."""

    name: str
    code: str
    detail: str = ""


class Intake(Model):
    """`0-original/manifest.json`: the drop as it came."""

    received_on: date
    files: tuple[Kept, ...]
    refused: tuple[Refusal, ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    templates: tuple[Kept, ...] = ()


class ControlTotal(Model):
    """A sum the report itself prints, found in its furniture."""

    row: int
    scope: Literal["subtotal", "total"]
    field: str
    value: str
    first_row: int
    """The rows it sums: from this one to the row above it."""


class ColumnUse(Model):
    """What became of one source column."""

    heading: str
    place: int
    field: str = ""
    use: Literal["mapped", "custom_field", "ignored", "archive_only"]
    decided: bool = False
    """A profile, or the firm's rules over it, say by name what becomes of the column."""


class Joined(Model):
    """The columns that make one field together, in this order, and what stands between them."""

    places: tuple[int, ...]
    between: str = "-"


class Table(Model):
    """One list found in a file, and how it reads."""

    id: str
    file: str
    sheet: str = ""
    kind: str
    record: str
    place: Literal["carried", "excluded"]
    confidence: float
    header_row: int
    header_rows: int = 1
    title: tuple[str, ...] = ()
    as_at: str = ""
    lines: dict[str, int]
    """Rows of the sheet by what they are: data, blank, title, header, group, subtotal, total, footer."""
    columns: tuple[ColumnUse, ...]
    joined: dict[str, Joined] = Field(default_factory=dict)
    """Fields that several columns make together."""
    matter_by: Literal["number", "id"] = "number"
    """What names the matters in it: their number, or the id a database gave them."""
    date_orders: dict[str, Order] = Field(default_factory=dict)
    decimal_comma: tuple[str, ...] = ()
    too_long: tuple[int, ...] = ()
    """Rows that hold a cell longer than a cell may be."""
    epoch_1904: bool = False
    control_totals: tuple[ControlTotal, ...] = ()
    parts: tuple[str, ...] = ()
    part_rows: tuple[int, ...] = ()
    part_bytes: tuple[int, ...] = ()
    """Text of each part."""


class UnknownTable(Model):
    file: str
    sheet: str = ""
    rows: int
    columns: tuple[str, ...]
    reason: str


class Finding(Model):
    """What was noticed about a file, table or column as a whole; rows' findings lie in columns of their own."""

    rule: str
    where: str
    count: int = 1
    detail: str = ""
    outcome: Literal["carried", "emptied", "quarantined", "excluded", "noted"] = "noted"


class Split(Model):
    """`1-split/tables.json`: what is in the drop."""

    source: str
    product: str
    version_guess: str
    confidence: float
    tables: tuple[Table, ...]
    unknown: tuple[UnknownTable, ...] = ()
    missing: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def part(self, name: str) -> Table:
        return next(t for t in self.tables if name in t.parts)

    @property
    def portal(self) -> tuple[Finding, ...]:
        """What a client portal left behind, list by list and folder by folder."""
        return tuple(finding for finding in self.findings if finding.rule == PORTAL)


class PartOutcome(Model):
    """`2-transform/<part>.json`: one part, accounted for."""

    part: str
    table: str
    record: str
    rows: int
    places: dict[str, int]
    """Rows by where they ended: carried, excluded, quarantined."""
    findings: int
    changes: int
    status: Literal["done", "poison"] = "done"


class Placed(Model):
    """Where the rows of one source type ended. `read` is always the sum of the others."""

    read: int = 0
    carried: int = 0
    merged: int = 0
    excluded: int = 0
    quarantined: int = 0

    @property
    def closes(self) -> bool:
        return self.read == self.carried + self.merged + self.excluded + self.quarantined


class ImportFile(Model):
    """One file handed over."""

    name: str
    record: str
    rows: int
    sha256: str
    is_import: bool
    order: int
    header: tuple[str, ...]
    user: str = ""
    note: str = ""


class Piece(Model):
    """What one batch added to the end of one file handed over."""

    file: str
    rows: int
    size: int
    """Bytes; those of the header are in a file's first piece."""
    crc32: str


class FittedFile(ImportFile):
    """One file handed over for a mapped target."""

    file: str
    """Its name in the mapping; of a list for people, what it is: `waiting`, `left_out`, `not_held`, or `<file>.there`."""
    of: str
    closing: int = 0
    """Bytes behind the last piece."""


class Decision(Model):
    """Records a target has no place for, and what becomes of them."""

    records: str
    title: str
    rows: int
    total: str = ""
    says: str
    choices: tuple[str, ...] = ()
    choice: str = ""
    """The firm's own; nothing while it has not said."""
    file: str
    """Where they lie beside; nothing where only the package of all records has them."""


class Fit(Model):
    """What was made for one mapped target."""

    target: str
    title: str
    version: str
    """Of the mapping: source, target and the firm's own rules."""
    files: tuple[FittedFile, ...]
    batches: tuple[tuple[Piece, ...], ...]
    """The pieces of each batch; `3-merge/<target>/rows/<number>.parquet` says which row each line stands for."""
    rows: dict[str, dict[str, int]]
    """Neutral records by what became of them: in_files, waiting, not_held."""
    unmapped: tuple[dict[str, Any], ...] = ()
    """Words a value map does not name: file, column, word, count."""
    left_out: int = 0
    """Cells the target can't hold; each is listed."""
    decisions: tuple[Decision, ...] = ()
    limits: tuple[dict[str, str], ...] = ()
    """What the target can't do that this export has."""
    custom_fields: tuple[dict[str, str], ...] = ()
    todo: tuple[str, ...] = ()


class Batch(Model):
    """What the merge brought together at a time: these parts of the source, these pieces of the files.

    `3-merge/rows/<number>.zip` tells of its rows: `places`, `lineage`, `findings`, `changes`.
    """

    parts: tuple[str, ...]
    pieces: tuple[Piece, ...]


class Template(Model):
    """A template file the firm downloaded: its own header, and which of our columns each heading takes."""

    file: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    source: str


class Laying(Model):
    """What was laid of some batches that follow each other. By a task of its own it is `3-merge/laid/<part>.json`, and the files
    it names lie beside it as stretches, without their headers.
    """

    files: tuple[ImportFile, ...] = ()
    batches: tuple[Batch, ...] = ()
    placed: dict[str, Placed] = {}
    derived: dict[str, int] = {}
    not_taken: dict[str, tuple[int, Decimal | None]] = {}
    """Rows and sum of amounts by the reason they were not taken."""
    findings: tuple[Finding, ...] = ()
    todo: tuple[str, ...] = ()


class Linked(Model):
    """`3-merge/linked.json`: the first batch, which all others hang on, and what the manifest says besides batches."""

    is_apart: bool
    """The others are laid by tasks of their own. If not, nothing is laid yet, and nothing else is said here."""
    laying: Laying = Laying()
    templates: tuple[Template, ...] = ()
    custom_fields: tuple[dict[str, str], ...] = ()
    practice_areas: tuple[dict[str, Any], ...] = ()
    value_maps: tuple[dict[str, Any], ...] = ()
    map_version: str = ""


class Merged(Model):
    """`3-merge/manifest.json`: written last, so a file that it names is whole."""

    files: tuple[ImportFile, ...]
    batches: tuple[Batch, ...]
    placed: dict[str, Placed]
    derived: dict[str, int]
    findings: tuple[Finding, ...] = ()
    todo: tuple[str, ...] = ()
    custom_fields: tuple[dict[str, str], ...] = ()
    practice_areas: tuple[dict[str, Any], ...] = ()
    value_maps: tuple[dict[str, Any], ...] = ()
    exclusions: tuple[dict[str, Any], ...] = ()
    as_at: str = ""
    fits: tuple[Fit, ...] = ()
    map_version: str = ""
