"""What a reader of foreign bytes may take, and what it may find in them. Passing one is an answer, never a crash."""

from pydantic import BaseModel, ConfigDict


class ReadingLimits(BaseModel):
    """Bytes, seconds and counts for one foreign file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    unpacked_bytes: int = 50 << 30
    entry_bytes: int = 10 << 30
    ratio: int = 200
    entries: int = 100_000
    path_bytes: int = 1024
    columns: int = 2_000
    field_bytes: int = 1 << 20
    """A row with a longer cell waits in quarantine."""
    sheet_cells: int = 20_000_000
    sheets: int = 1_000
    json_depth: int = 64
    memory_bytes: int = 4 << 30
    """Of the process that reads one foreign file."""
    seconds: int = 300
    answer_bytes: int = 4 << 30
    """What that process may make of it."""
