"""What a reader of foreign bytes may take, and what it may find in them. Passing one is an answer, never a crash."""

from pydantic import BaseModel, ConfigDict


class ReadingLimits(BaseModel):
    """Bytes, seconds and counts for one foreign file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    unpacked_bytes: int = 50 << 30
    """All entries of an archive together."""
    entry_bytes: int = 10 << 30
    """One entry of an archive."""
    ratio: int = 200
    """An entry may unpack to this many times its size."""
    entries: int = 100_000
    """Of one archive."""
    path_bytes: int = 1024
    """Of an entry's name."""
    columns: int = 2_000
    """Of one list."""
    field_bytes: int = 1 << 20
    """A row with a longer cell waits in quarantine."""
    sheet_cells: int = 20_000_000
    """The area of a workbook's sheets, empty cells too."""
    sheets: int = 1_000
    """Of one workbook."""
    json_depth: int = 64
    """Of `migration.json`."""
    memory_bytes: int = 4 << 30
    """Of the process that reads one foreign file."""
    seconds: int = 300
    """To read one foreign file."""
    answer_bytes: int = 16 << 30
    """What that process may make of it."""
