"""The checks of contacts: every address and number arrived, and each card is what it was, field by field."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import polars as pl

from caseferry.manifest import Table
from caseferry.records import RECORDS, Type
from tasks.verify import recount
from tasks.verify.checks import Check
from tasks.verify.evidence import Batch, Handed
from tasks.verify.seen import Seen

_AS_IS = {
    "title": "title", "job_title": "job_title", "first_name": "first_name", "last_name": "last_name", "company": "company",
    "city": "business_city", "state": "business_state", "postal_code": "business_postal_code",
}  # fmt: skip
_SHOWN = 50
_NONE = pl.Series("cell", [], dtype=pl.String)


class Reached:
    """Every distinct e-mail and telephone number of the cards is in the files, or on a card that waits."""

    name = "contact_points"

    def __init__(self) -> None:
        self._had, self._out = {"emails": _NONE, "phones": _NONE}, {"emails": _NONE, "phones": _NONE}

    def see(self, batch: Batch) -> None:
        for table in batch.of("contact"):
            carried = batch.placed(table).filter(pl.col("place") == "carried").select("row")
            kept = batch.raw(table).join(carried, on="row", how="semi")
            mapped = [c for c in table.columns if c.use == "mapped"]
            phones = [f"c{c.place}" for c in mapped if RECORDS["contact"][c.field].type is Type.PHONE]
            self._add(self._had, recount.emails_in(recount.cells_of(kept, [f"c{c.place}" for c in mapped])), recount.digits_in(recount.cells_of(kept, phones)))
        for name in ("contacts", "contact_details", "contact_custom_fields"):
            for piece in batch.files(name):
                self._add(self._out, recount.emails_in(piece.cells), recount.digits_in(piece.cells))

    def seen(self) -> Seen:
        return Seen(tables={f"{side}.{kind}": cells.to_frame() for side, found in self._sides.items() for kind, cells in found.items()})

    def add(self, seen: Seen) -> None:
        for side, found in self._sides.items():
            self._add(found, *(seen.tables[f"{side}.{kind}"].to_series() for kind in ("emails", "phones")))

    @property
    def _sides(self) -> dict[str, dict[str, pl.Series]]:
        return {"had": self._had, "out": self._out}

    @staticmethod
    def _add(to: dict[str, pl.Series], emails: pl.Series, phones: pl.Series) -> None:
        for kind, more in (("emails", emails), ("phones", phones)):
            if more.len():  # cards stand together, and most batches hold none
                to[kind] = pl.concat([to[kind], more.alias("cell")]).unique()

    def say(self) -> Iterator[Check]:
        lost = sum(had.len() - int(had.is_in(self._out[kind].implode()).sum()) for kind, had in self._had.items())
        detail = f"{self._had['emails'].len()} e-mail addresses and {self._had['phones'].len()} telephone numbers, {lost} not found"
        yield Check("contact_points", "All e-mail addresses and telephone numbers arrived", not lost, detail)


class Accuracy:
    """Client records compared field by field, source beside file: the share that is equal or changed by a named rule."""

    name = "accuracy"

    def __init__(self) -> None:
        self._compared = self._by_rule = 0
        self._differences: list[dict[str, Any]] = []

    def see(self, batch: Batch) -> None:
        for table in batch.of("contact"):
            changed = batch.changes[table.id].frame.select("row", pl.col("field").str.split("#").list.first())
            for piece in batch.files("contacts"):
                self._compare(batch.raw(table), table, piece, changed)

    def _compare(self, raw: pl.DataFrame, table: Table, piece: Handed, changed: pl.DataFrame) -> None:
        places = {c.field: c.place for c in table.columns if c.use == "mapped"}
        cells = sorted({f"c{places[name]}" for name in (*_AS_IS, "middle_name") if name in places})
        headings = {str(n): f"h:{name}" for n, name in enumerate(piece.header) if name in _AS_IS.values()}
        lines = piece.placed.filter(pl.col("table") == table.id).select("row", *(pl.col(n).alias(name) for n, name in headings.items()))
        both = raw.select("row", *cells).join(lines, on="row")
        for name, heading in _AS_IS.items():
            if name not in places or f"h:{heading}" not in both.columns:
                continue
            before = pl.col(f"c{places[name]}").fill_null("")
            if name == "first_name" and "middle_name" in places:
                before = pl.concat_str([pl.col(f"c{places[n]}") for n in ("first_name", "middle_name")], separator=" ", ignore_nulls=True)
            odd = both.filter((before != pl.col(f"h:{heading}")) & (before != "")).select("row")
            self._compared += both.filter(before != "").height
            left = odd.join(changed.filter(pl.col("field") == name), on="row", how="anti")
            self._by_rule += odd.height - left.height
            self._differences += [{"table": table.id, "row": row, "field": name} for row in left["row"].to_list()]

    def seen(self) -> Seen:
        return Seen([self._compared, self._by_rule, self._differences])

    def add(self, seen: Seen) -> None:
        compared, by_rule, differences = seen.facts
        self._compared += compared
        self._by_rule += by_rule
        self._differences += differences

    @cached_property
    def found(self) -> dict[str, Any]:
        equal = self._compared - self._by_rule - len(self._differences)
        share = "100" if not self._differences else f"{100 * (equal + self._by_rule) / max(1, self._compared):.4f}"
        return {"compared": self._compared, "equal": equal, "by_rule": self._by_rule, "percent": share}

    def say(self) -> Iterator[Check]:
        found = self.found
        detail = f"{found['percent']} % of {found['compared']} cells: {found['equal']} equal, {found['by_rule']} changed by a named rule"
        yield Check("accuracy", "Client records, field by field", not self._differences, detail, True, tuple(self._differences[:_SHOWN]))
