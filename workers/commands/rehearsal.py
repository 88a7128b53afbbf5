"""What lets a dry run go on past the field map, which a real run waits at for a person."""

from collections.abc import Iterable, Mapping
from typing import Any

from workers.commands.scope import UNDECIDED

_DECISION = "options.decisions."
_GIVEN = "rules.targets."


def answers(drawn: Mapping[str, Any], asked: Iterable[Mapping[str, str]], by: str) -> dict[str, Any]:
    """Changes to the choices: the map is approved, the scope read, unknown columns stay in the archive, what has to be decided
    is left open by name, and what only the firm's account can tell is left to it.

    Args:
        drawn: the field map.
        asked: what the run is held for.
        by: the command.
    """
    open_ = {one["answer_with"].removeprefix(_DECISION): UNDECIDED for one in asked if one["answer_with"].startswith(_DECISION)}
    given = [one["answer_with"].split(".") for one in asked if one["answer_with"].startswith(_GIVEN)]
    rules: dict[str, Any] = {}
    for _, _, target, _, file, _, *column, value in given:
        files = rules.setdefault(target, {}).setdefault("files", {})
        files.setdefault(file, {}).setdefault("columns", {})[".".join(column)] = {value: ""}
    return {
        "approved_map": {"version": drawn["version"], "by": by}, "acknowledged_by": by, "options": {"unknown_columns": "archive", "decisions": open_},
        "rules": {"targets": rules},
    }  # fmt: skip
