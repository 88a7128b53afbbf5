"""The load plan: which file is loaded into what, how, and in which order, for the programs that do it."""

from typing import Any

from caseferry.manifest import Fit
from caseferry.mapping.mapped import MappedTarget

NAME = "load-plan.json"


def load_plan(fit: Fit, target: MappedTarget) -> dict[str, Any]:
    """Every import file in the order it is loaded; the parts of one that was cut stand one behind the other.

    Where the target does not say `load`, `object`, `operation` and `key` are empty: its own import asks for them.
    """
    steps: list[dict[str, Any]] = []
    for file in fit.files:
        if not file.is_import:
            continue
        load = target.files[file.file].load
        steps.append({
            "order": len(steps) + 1, "file": file.name, "rows": file.rows, "sha256": file.sha256, "title": target.files[file.file].title, "format": target.files[file.file].format,
            "object": load.object if load else "", "operation": load.operation if load else "", "key": load.key if load else "",
            "waits_for": sorted({refers.partition(".")[0] for cell in target.files[file.file].columns.values() for refers in cell.refers}),
        })  # fmt: skip
    return {
        "schema": 1, "target": fit.target, "encoding": target.encoding, "column_delimiter": ",",
        "line_ending": target.line_ending.replace("\r", "CR").replace("\n", "LF"), "reads_as_empty": list(target.never), "steps": steps,
    }  # fmt: skip
