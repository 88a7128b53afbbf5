"""The checks of a mapped target: every record is in a file, waits or is kept beside; each file is what the target takes;
values are the source's own, and money adds up. Counted from the files as they lie in the bucket.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl
from isal import isal_zlib

from caseferry.manifest import Fit, FittedFile, Piece, Table
from caseferry.mapping.cells import Cell
from caseferry.mapping.mapped import MappedTarget
from caseferry.records.neutral import NEUTRAL
from tasks.verify import recount
from tasks.verify.checks import Check
from tasks.verify.evidence import Batch, Evidence
from tasks.verify.opened import part_of, plain_text, read_entries

_AS_IS: dict[str, dict[str, str]] = {
    "contact": {name: name for name in ("title", "last_name", "middle_name", "job_title", "city", "state", "postal_code", "country", "notes", "source_id", "household", "household_title")}
    | {"given_name": "first_name"},
    "matter": {name: name for name in ("number", "client_reference", "location")} | {"practice_area": "matter_type"},
    "task": {name: name for name in ("name", "description", "priority")},
    "note": {name: name for name in ("subject", "body", "author")},
    "calendar_event": {name: name for name in ("subject", "location", "description")},
    "email": {name: name for name in ("subject", "body", "sender", "recipients", "copies")},
    "phone_log": {name: name for name in ("caller", "callee", "number", "note", "direction")},
    "time_entry": {"category": "category"},
}  # fmt: skip
"""Neutral fields that are a source's field to the letter."""
_BASE_SUMS = {"time_entries": ("activities", ("price", "quantity")), "receivables": ("balances_forward", ("price",)), "trust_balances": ("trust_balances", ("amount",))}
_FORMS = {"date": r"^\D*\d{1,4}\D+\d{1,2}\D+\d{1,4}\D*$", "currency": r"^-?\d+\.\d{2,}$", "numeric": r"^-?\d+(\.\d+)?$", "checkbox": r"^\S+$"}
_SHOWN = 50
_ZERO = Decimal(0)


class Fitted:
    """One mapped target of a run."""

    def __init__(self, evidence: Evidence, fit: Fit) -> None:
        self.name = f"target_{fit.target}"
        self.fit = fit
        self._evidence, self._target = evidence, evidence.migration.target_of(fit.target)
        self._files = {file.name: file for file in fit.files}
        self._digests = {name: hashlib.sha256() for name in self._files}
        self._rows, self._at = Counter[str](), Counter[str]()
        self._damaged: set[str] = set()
        self._keys: dict[str, set[str]] = {"in_files": set(), "beside": set()}
        self._seen = Counter[tuple[str, str]]()
        """Records by neutral kind and by where they are."""
        self._wrong = Counter[tuple[str, str]]()
        self._unique: dict[str, list[pl.Series]] = {}
        self._parents: dict[str, list[pl.Series]] = {}
        self._children: list[tuple[str, tuple[str, ...], pl.Series]] = []
        self._compared = self._by_rule = 0
        self._differences: list[dict[str, Any]] = []
        self._sums, self._base = (dict.fromkeys(_BASE_SUMS, _ZERO) for _ in range(2))
        self._own_types: dict[str, dict[str, str]] = {}
        for one in fit.custom_fields:
            self._own_types.setdefault(one["file"], {})[one["heading"]] = one["type"]
        self._unsummed: set[str] = set()
        """Records that lie in a file without a column for their amount."""

    def see(self, batch: Batch) -> None:
        key = self._evidence.run.at("3-merge", self.fit.target, "rows", f"{batch.number:04d}.parquet")
        lineage = pl.read_parquet(io.BytesIO(self._evidence.store.get(key)))
        mine = [piece for piece in self.fit.batches[batch.number - 1] if batch.share.takes(self._files[piece.file].record)]
        pieces = [(self._files[piece.file], self._read(piece)) for piece in mine]
        left = self._left_out(batch)
        at: Counter[str] = Counter()
        held: dict[str, list[pl.Series]] = {}
        beside: dict[str, list[pl.Series]] = {}
        for file, lines in pieces:
            first = self._rows[file.name] + 2
            self._rows[file.name] += lines.height
            at[file.name] += lines.height
            stands = lineage.filter((pl.col("file") == file.name) & pl.col("line").is_between(first, first + lines.height - 1)).sort("line")
            if stands.height != lines.height:
                self._wrong[file.name, "lines that stand for no record"] += abs(stands.height - lines.height)
                continue
            if file.is_import or file.file in self._target.files:
                held.setdefault(file.of, []).append(stands["key"])
                self._look(file, lines)
                self._compare(batch, file, lines.hstack(stands.select("table", "row", "key")), left)
            elif file.file.endswith(".there"):
                self._know(file.file.removesuffix(".there"), lines)
            elif file.file in {"waiting", "not_held"}:
                beside.setdefault(file.of, []).append(stands["key"])
            self._add_up(file, lines)
        for of in {*held, *beside}:
            there = pl.concat(held.get(of, [pl.Series("key", [], dtype=pl.String)])).unique()
            aside = pl.concat(beside.get(of, [pl.Series("key", [], dtype=pl.String)])).unique()
            self._seen[of, "in_files"] += there.len()
            self._seen[of, "beside"] += int((~aside.is_in(there.implode())).sum())
        self._add_base(batch)

    def _know(self, name: str, lines: pl.DataFrame) -> None:
        """What an earlier run has moved is no line of this one's, but may be referred to."""
        for n, heading in enumerate(self._target.files[name].columns):
            if self._is_parent(f"{name}.{heading}"):
                self._parents.setdefault(f"{name}.{heading}", []).append(lines[f"{n}"].unique())

    def _read(self, piece: Piece) -> pl.DataFrame:
        """A piece of a file, as it lies in the bucket: columns `0`, `1`, …"""
        file = self._files[piece.file]
        key = self._evidence.run.at("3-merge", self.fit.target, "files", piece.file)
        is_first = not self._at[piece.file]
        data = self._evidence.store.get_range(key, self._at[piece.file], piece.size)
        self._at[piece.file] += piece.size
        self._digests[piece.file].update(data)
        if f"{isal_zlib.crc32(data):08x}" != piece.crc32:
            self._damaged.add(piece.file)
        spec = self._target.files.get(file.file)
        if spec is not None and spec.format != "csv":
            return read_entries(data, file.header, "VCARD" if spec.format == "vcard" else "VTODO" if file.of == "tasks" else "VEVENT")
        header, lines, even = recount.read_file(data, None if is_first else list(file.header))
        if tuple(header) != file.header:
            self._wrong[file.name, "another header"] += 1
        if not even:
            self._wrong[file.name, "rows of another width"] += 1
        return lines

    def _left_out(self, batch: Batch) -> pl.DataFrame:
        """`file`, `key`, `column` of the cells that were left out of a batch's lines."""
        none = pl.DataFrame(schema={"file": pl.String, "key": pl.String, "column": pl.String})
        start = sum(piece.size for pieces in self.fit.batches[: batch.number - 1] for piece in pieces if self._files[piece.file].file == "left_out")
        some = [none]
        for piece in self.fit.batches[batch.number - 1]:
            if self._files[piece.file].file == "left_out":
                key = self._evidence.run.at("3-merge", self.fit.target, "files", piece.file)
                _, lines, _ = recount.read_file(self._evidence.store.get_range(key, start, piece.size), None if not start else list(self._files[piece.file].header))
                some.append(lines.select(pl.col("0").alias("file"), pl.col("1").alias("key"), pl.col("2").alias("column")))
                start += piece.size
        return pl.concat(some)

    def _look(self, file: FittedFile, lines: pl.DataFrame) -> None:
        """What the target requires of each cell."""
        spec = self._target.files[file.file]
        for n, (heading, cell) in enumerate(spec.columns.items()):
            text = plain_text(lines[f"{n}"]) if spec.format != "csv" and not cell.raw and not cell.parts else lines[f"{n}"]
            for problem, bad in _problems(cell, text, utf16=self._target.counts == "utf16"):
                if count := int(bad.sum()):
                    self._wrong[file.name, f"{heading} {problem}"] += count
            if cell.unique:
                self._unique.setdefault(f"{file.file}.{heading}", []).append(text.filter(text != "").str.to_lowercase())
            if cell.refers:
                self._children.append((file.name, cell.refers, text.filter(text != "").unique()))
            self._parents.setdefault(f"{file.file}.{heading}", []).append(text.unique()) if self._is_parent(f"{file.file}.{heading}") else None
        for problem, count in self._beyond(file, lines):
            self._wrong[file.name, problem] += count
        for group in spec.one_of:
            places = [list(spec.columns).index(heading) for heading in group]
            empty = lines.select(pl.all_horizontal(pl.col(f"{n}") == "" for n in places)).to_series()
            if count := int(empty.sum()):
                self._wrong[file.name, f"none of {', '.join(group)}"] += count

    def _beyond(self, file: FittedFile, lines: pl.DataFrame) -> Iterator[tuple[str, int]]:
        """What no cell and no line of the target may be, custom fields too; those of a type are of its form."""
        spec, limits, own = self._target.files[file.file], self._target.limits, self._own_types.get(file.file, {})
        typed = {kind: form for kind, form in self._target.custom_types.model_dump().items() if form}
        lengths = lines.select(pl.col(f"{n}").str.len_chars() for n in range(len(file.header)))
        if limits.line and (count := int((lengths.sum_horizontal() > limits.line).sum())):
            yield "a line is too long", count
        for n, heading in enumerate(file.header):
            cell, text = spec.columns.get(heading, Cell()), lines[f"{n}"]
            if limits.cell and (count := int((lengths[f"{n}"] > limits.cell).sum())):
                yield f"{heading} is too long", count
            if cell.value is None and (count := int((text.is_in(list(self._target.never)) & (text != (cell.empty or ""))).sum())):
                yield f"{heading} would be read as something else", count
            form = _FORMS[own[heading]] if heading not in spec.columns and own.get(heading) in typed else None
            if form and (count := int(((text != "") & ~text.str.contains(form)).sum())):
                yield f"{heading} is not of its type", count

    def _is_parent(self, column: str) -> bool:
        return any(column in cell.refers for spec in self._target.files.values() for cell in spec.columns.values())

    def _compare(self, batch: Batch, file: FittedFile, lines: pl.DataFrame, left: pl.DataFrame) -> None:
        """Cells that are a source's cell to the letter, held against it."""
        spec, record = self._target.files[file.file], file.record
        fields = _AS_IS.get(record, {})
        plain = [(n, -1, heading, fields[cell.from_[0]]) for n, (heading, cell) in enumerate(spec.columns.items()) if _is_plain(cell) and cell.from_[0] in fields]
        plain += [
            (n, at, heading, fields[text]) for n, (heading, cell) in enumerate(spec.columns.items()) for at, text in enumerate(cell.parts) if text in fields
        ]
        if not plain:
            return
        for table in batch.of(record):
            mine = lines.filter(pl.col("table") == table.id)
            if mine.is_empty():
                continue
            both = mine.join(batch.raw(table), on="row", how="left", maintain_order="left")
            for n, at, heading, field in plain:
                cells = both[f"{n}"] if at < 0 else part_of(both[f"{n}"], at)
                written = cells if spec.format == "csv" else plain_text(cells)
                self._compare_column(batch, table, file, both, written, heading, field, left, is_card=spec.format != "csv")

    def _compare_column(
        self, batch: Batch, table: Table, file: FittedFile, both: pl.DataFrame, written: pl.Series, heading: str, field: str, left: pl.DataFrame,
        *, is_card: bool,
    ) -> None:  # fmt: skip
        places = [c.place for c in table.columns if c.use == "mapped" and c.field == field]
        if len(places) != 1:
            return
        before = both[f"c{places[0]}"].fill_null("")
        if is_card:  # line ends have one form there, and other control characters none
            before = before.str.replace_all(r"\r\n|\r", "\n").str.replace_all(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", " ")
        filled = before != ""
        self._compared += int(filled.sum())
        odd = both.filter(filled & (written != before)).select("row", "key")
        if odd.is_empty():
            return
        of_field = pl.col("field").str.split("#").list.first() == field
        told = pl.concat([batch.changes[table.id].where(of_field), batch.findings[table.id].where(of_field & (pl.col("outcome") == "emptied"))], how="diagonal").select("row")
        rest = odd.join(told, on="row", how="anti").join(left.filter((pl.col("file") == file.file) & (pl.col("column") == heading)), on="key", how="anti")
        self._by_rule += odd.height - rest.height
        self._differences += [{"file": file.name, "column": heading, "table": table.id, "row": row} for row in rest["row"].head(_SHOWN).to_list()]

    def _add_up(self, file: FittedFile, lines: pl.DataFrame) -> None:
        """Sums of the amounts, wherever the record is."""
        if file.of not in _BASE_SUMS:
            return
        if file.file == "not_held":
            column = list(NEUTRAL[file.of].fields).index("amount")
        else:
            spec = self._target.files.get(file.file) or next(s for s in self._target.files.values() if s.of == file.of)
            column = next((n for n, cell in enumerate(spec.columns.values()) if cell.from_ == ("amount",)), -1)
        if column < 0:
            self._unsummed.add(file.of)
            return
        self._sums[file.of] += _total(lines[f"{column}"])

    def _add_base(self, batch: Batch) -> None:
        for of, (kind, factors) in _BASE_SUMS.items():
            for piece in batch.files(kind):
                self._base[of] += _total(*(piece.column(factor) for factor in factors))

    def say(self) -> Iterator[Check]:
        yield self._rows_check()
        yield self._files_check()
        yield self._layout_check()
        detail = f"{self._compared} cells compared, {self._by_rule} changed by a named rule, {len(self._differences)} not explained"
        yield Check(f"{self.name}_values", f"{self.fit.title}: values are the old system's own", not self._differences, detail, True, tuple(self._differences[:_SHOWN]))
        yield self._money_check()

    def _rows_check(self) -> Check:
        merged, wrong = self._evidence.merged, []
        for name, neutral in NEUTRAL.items():
            placed = merged.placed.get(neutral.record)
            expected = (placed.carried if placed else 0) + merged.derived.get(neutral.record, 0)
            told = self.fit.rows.get(name, {})
            counted = self._seen[name, "in_files"] + self._seen[name, "beside"]
            if name in self._target.not_held and not self._target.not_held[name].listed:
                counted += told.get("not_held", 0)  # they lie in the files that hold everything, and are counted there
            if not expected == counted == sum(told.values()) or told.get("in_files", 0) != self._seen[name, "in_files"]:
                wrong.append({"records": name, "carried": expected, "in_files": self._seen[name, "in_files"], "beside": self._seen[name, "beside"]})
        total = sum(sum(counts.values()) for counts in self.fit.rows.values())
        return Check(f"{self.name}_rows", f"{self.fit.title}: every record is in a file, waits, or is kept beside", not wrong, f"{total} records", True, tuple(wrong))

    def _files_check(self) -> Check:
        wrong: list[dict[str, Any]] = []
        for name, file in self._files.items():
            spec = self._target.files.get(file.file)
            size = self._at[name] + file.closing
            key = self._evidence.run.at("3-merge", self.fit.target, "files", name)
            self._digests[name].update(self._evidence.store.get_range(key, self._at[name], file.closing + 1))  # and nothing behind it
            if self._digests[name].hexdigest() != file.sha256 or self._rows[name] != file.rows or name in self._damaged:
                wrong.append({"file": name, "problem": "it is not the file the manifest names"})
            if spec and ((spec.rows and file.rows > spec.rows) or (spec.bytes and size > spec.bytes)):
                wrong.append({"file": name, "problem": "it holds more than the target takes"})
        return Check(f"{self.name}_files", f"{self.fit.title}: the files are the ones named, and none is too large", not wrong, f"{len(self._files)} files", True, tuple(wrong))

    def _layout_check(self) -> Check:
        wrong: list[dict[str, Any]] = [{"file": file, "problem": problem, "rows": rows} for (file, problem), rows in sorted(self._wrong.items())]
        for column, some in self._unique.items():
            every = pl.concat(some)
            if count := every.len() - every.n_unique():
                wrong.append({"file": column, "problem": "two lines have the same", "rows": count})
        for file, parent, named in self._children:
            known = pl.concat([pl.Series("k", [], dtype=pl.String), *(some.alias("k") for one in parent for some in self._parents.get(one, ()))])
            if count := int((~named.is_in(known.implode())).sum()):
                wrong.append({"file": file, "problem": f"names records that are not in {' or '.join(parent)}", "rows": count})
        return Check(f"{self.name}_layout", f"{self.fit.title}: each file is as the target takes it", not wrong, "", True, tuple(wrong))

    def _money_check(self) -> Check:
        wrong = []
        for of, base in sorted(self._base.items()):
            unlisted = of in self._target.not_held and not self._target.not_held[of].listed
            if of not in self._unsummed and not unlisted and base != self._sums[of]:
                wrong.append({"records": of, "brought_together": str(base), "written": str(self._sums[of])})
        told = ", ".join(f"{NEUTRAL[of].title} {base.quantize(Decimal('0.01'))}" for of, base in sorted(self._base.items()) if base)
        return Check(f"{self.name}_money", f"{self.fit.title}: every cent is in a file or kept beside", not wrong, told, True, tuple(wrong))


def _total(*factors: pl.Series) -> Decimal:
    """The sum of a product of columns of plain numbers, each product rounded to the cent where there are several."""
    sums = recount.sum_by(pl.Series("key", [""] * factors[0].len(), dtype=pl.String), *factors)["value"]
    return Decimal(str(sums.sum() or 0))


def _is_plain(cell: Cell) -> bool:
    return len(cell.from_) == 1 and "{" not in cell.from_[0] and not (cell.values is not None or cell.empty is not None or cell.digits or cell.without or cell.with_ is not None)


def _problems(cell: Cell, text: pl.Series, *, utf16: bool = False) -> Iterator[tuple[str, pl.Series]]:
    there = text != ""
    if cell.required:
        yield "is empty", ~there
    if cell.length:
        longer = text.str.len_chars() > cell.length
        if utf16:  # at most two units a character, so what may be longer is counted letter by letter
            longer |= pl.Series([len(one.encode("utf-16-le")) // 2 > cell.length for one in text.set(text.str.len_chars() * 2 <= cell.length, "")], dtype=pl.Boolean)
        yield "is too long", longer
    if cell.bytes:
        yield "is too long", text.str.len_bytes() > cell.bytes
    if cell.among:
        yield "is none of the target's words", there & (text != (cell.empty or "")) & ~text.is_in(list(cell.among))
    if cell.pattern:
        yield "is not of the form the target takes", there & (text != (cell.empty or "")) & ~text.str.contains(cell.pattern)
    if cell.values is not None and cell.otherwise is None:
        yield "is no word of its map", there & ~text.is_in([*cell.values.values(), *([cell.empty] if cell.empty is not None else [])])


def target_ledger(fitted: Fitted, checks: list[Check], target: MappedTarget, columns: dict[str, int]) -> dict[str, Any]:
    """Everything there is to say about one target. Equal runs give equal ledgers."""
    fit = fitted.fit
    open_decisions = [one for one in fit.decisions if one.choices and not one.choice]
    waiting = sum(counts.get("waiting", 0) for counts in fit.rows.values())
    state = "failed" if any(not c.passed for c in checks) else "completed_with_differences" if waiting or open_decisions or fit.left_out else "completed"
    return {
        "schema": 1, "target": fit.target, "title": fit.title, "version": fit.version, "state": state,
        "records": [{"records": name, "title": NEUTRAL[name].title, **counts} for name, counts in fit.rows.items()],
        "waiting": waiting, "left_out": fit.left_out, "unmapped": list(fit.unmapped), "columns": columns,
        "decisions": [one.model_dump(mode="json") for one in fit.decisions], "limits": list(fit.limits),
        "capabilities": {name: one.model_dump(mode="json") for name, one in target.capabilities.items()},
        "custom_fields": list(fit.custom_fields), "todo": list(fit.todo), "plan": target.plan,
        "files": [file.model_dump(mode="json") for file in fit.files],
        "checks": [{"name": c.name, "title": c.title, "passed": c.passed, "hard": c.hard, "detail": c.detail, "differences": list(c.differences)} for c in checks],
    }  # fmt: skip
