"""Values the target has no place of its own for: custom fields, planned by name and type before they are filled."""

import polars as pl

from caseferry.frames import kept
from caseferry.manifest import Finding
from caseferry.mapping.headings import normal
from caseferry.reading.grid import ROW
from tasks.merge.contacts import NAME, shown_name
from tasks.merge.desk import Desk

_OWN: dict[str, tuple[tuple[str, str, str], ...]] = {
    "contact": (("birth_on", "Date of Birth", "date"), ("client_since", "Client Since in Old System", "date"), ("card_type", "Card Type", "text_line"), ("household", "Household", "text_line"), ("household_title", "Household Title", "text_line")),
    "matter": (
        ("matter_type", "Matter Type", "text_line"), ("stage", "Matter Stage in Old System", "text_line"),
        ("status_before", "Status in Old System", "text_line"),
        ("acting", "Person Acting", "text_line"), ("assisting", "Person Assisting", "text_line"),
        ("originating", "Originating Attorney", "text_line"),
        ("responsible", "Responsible in Old System", "text_line"),
    ),
}  # fmt: skip
_PARENT = {"contact": "Contact", "matter": "Matter"}


def custom_fields(desk: Desk) -> tuple[dict[str, str], ...]:
    """Fill both custom-field files; return the plan: name, parent, type, and whether it is made or reused."""
    plan: list[dict[str, str]] = []
    for record, own in _OWN.items():
        frame = desk.carried(record) if record in desk.records else None
        if frame is None:
            continue
        declared = {f"x:{name}": (name, spec.type) for table in desk.profile.tables.values() if table.record == record for name, spec in table.custom.items()}
        declared |= {  # columns nobody declared, and that were made fields by their heading
            f"x:{column.field}": (column.field, "text_line") for table in desk.split.tables if table.record == record for column in table.columns
            if column.use == "custom_field" and f"x:{column.field}" not in declared
        }  # fmt: skip
        fields = [(column, name, kind) for column, name, kind in own if column in frame.columns]
        fields += [(column, *declared[column]) for column in sorted(declared) if column in frame.columns]
        lines = []
        for column, name, kind in fields:
            filled = kept(frame, frame[column].is_not_null())
            if filled.is_empty():
                continue
            plan.append(_plan(desk, name[: desk.target.custom_field_name], _PARENT[record], kind))
            value = desk.date_text(column) if frame.schema[column] == pl.Date else pl.col(column)
            who = [shown_name().alias("contact"), *NAME] if record == "contact" else [pl.col("number").alias("matter")]
            title = pl.lit(name[: desk.target.custom_field_name]).alias("field")
            day = pl.col(column) if frame.schema[column] == pl.Date else pl.lit(None, pl.Date)
            lines.append(filled.select("table", ROW, *who, title, pl.lit(kind).alias("type"), value.cast(pl.String).alias("value"), day.alias("day")))
        if lines:
            desk.files[f"{record}_custom_fields"] = pl.concat(lines)
    return tuple(plan)


def _plan(desk: Desk, name: str, parent: str, kind: str) -> dict[str, str]:
    existing = [f for f in desk.migration.existing_custom_fields if f.parent == parent and normal(f.name) == normal(name)]
    if not existing:
        return {"name": name, "parent": parent, "type": kind, "action": "create"}
    if existing[0].type == kind:
        return {"name": name, "parent": parent, "type": kind, "action": "reuse"}
    desk.notes.append(Finding(rule="custom_field_of_another_type", where=f"{parent} field {name!r}", detail=f"there it is {existing[0].type}, here {kind}"))
    return {"name": name, "parent": parent, "type": kind, "action": "conflict"}
