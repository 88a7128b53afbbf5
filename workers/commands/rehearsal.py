"""What lets a dry run go on past the field map, which a real run waits at for a person."""

from collections.abc import Iterable, Mapping
from typing import Any

from workers.commands.scope import UNDECIDED

_DECISION = "options.decisions."


def answers(drawn: Mapping[str, Any], asked: Iterable[Mapping[str, str]], by: str) -> dict[str, Any]:
    """Changes to the choices: the map is approved, the scope read, unknown columns stay in the archive, and what has to be decided is left open by name.

    Args:
        drawn: the field map.
        asked: what the run is held for.
        by: the command.
    """
    open_ = {one["answer_with"].removeprefix(_DECISION): UNDECIDED for one in asked if one["answer_with"].startswith(_DECISION)}
    return {"approved_map": {"version": drawn["version"], "by": by}, "acknowledged_by": by, "options": {"unknown_columns": "archive", "decisions": open_}}
